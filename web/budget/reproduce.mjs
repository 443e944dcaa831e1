// Checks that the web build is reproducible: builds it again in a copy of its folder under another name, and compares the
// bytes with web/dist. Anybody can thus rebuild what browsers load from its sources. Exits 1 on a difference.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const WEB = fileURLToPath(new URL("../", import.meta.url));
const BUILT = ["dist", ".svelte-kit"];

/** The path and SHA-256 of every file below a folder. */
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
  else console.log(`${here.length} files of widget and console, identical in both builds`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
