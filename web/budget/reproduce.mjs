// Builds the widget twice into folders of its own and compares the bytes: what visitors load can be made again from its
// sources by anybody. Exits 1 on a difference.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const WEB = fileURLToPath(new URL("..", import.meta.url));

function build(into) {
  const vite = join(WEB, "node_modules/vite/bin/vite.js");
  const run = (workspace, folder) => execFileSync(process.execPath, [vite, "build", "--logLevel", "error", "--outDir", join(into, folder), "--emptyOutDir", "false"], { cwd: join(WEB, workspace), stdio: "inherit" });
  run("launcher", "");
  run("panel", "widget");
}

/** Names and hashes of everything below a folder. */
function contents(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const hash = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
  return files.map((entry) => join(entry.parentPath, entry.name)).map((path) => `${hash(path)}  ${path.slice(folder.length + 1)}`).sort();
}

const folder = mkdtempSync(join(tmpdir(), "ocs-widget-"));
try {
  const [once, again] = ["once", "a-folder-of-another-name"].map((name) => {
    build(join(folder, name));
    return contents(join(folder, name));
  });
  const differing = [...once, ...again].filter((line) => !once.includes(line) || !again.includes(line));
  if (once.length < 5) throw new Error(`only ${once.length} files were built`);
  for (const line of differing) console.error(`differs: ${line}`);
  if (differing.length > 0) process.exitCode = 1;
  else console.log(`${once.length} files of the widget, twice the same bytes`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
