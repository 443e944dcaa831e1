// Builds the web once more, in a copy of its folder under another name, and compares the bytes with web/dist: what browsers
// load can be made again from its sources by anybody. Exits 1 on a difference.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const WEB = fileURLToPath(new URL("../", import.meta.url));
const BUILT = ["dist", ".svelte-kit"];

/** Names and hashes of everything below a folder. */
function contents(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const hash = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
  return files.map((entry) => join(entry.parentPath, entry.name)).map((path) => `${hash(path)}  ${relative(folder, path)}`).sort();
}

const folder = mkdtempSync(join(tmpdir(), "ocs-"));
try {
  const copy = join(folder, "a-folder-of-another-name");
  cpSync(WEB, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !BUILT.includes(basename(path)) || path.includes("node_modules") });
  execFileSync("npm", ["run", "build", "--silent"], { cwd: copy, stdio: ["ignore", "ignore", "inherit"] });
  const [here, there] = [contents(join(WEB, "dist")), contents(join(copy, "dist"))];
  const differing = [...here, ...there].filter((line) => !here.includes(line) || !there.includes(line));
  if (here.length < 50) throw new Error(`only ${here.length} files are in web/dist: run \`npm run build\` first`);
  for (const line of differing) console.error(`differs: ${line}`);
  if (differing.length > 0) process.exitCode = 1;
  else console.log(`${here.length} files of widget and console, twice the same bytes`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
