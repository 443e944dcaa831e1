// The inner loop: the server is built and started again when its sources change, the widget's files are built again when
// theirs do (the debug build reads them from disk), and Vite serves the console with hot reload in front of the server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const [listen, data] = process.argv.slice(2);
const LOOK_EVERY_MS = 700;
const children = new Set();

function start(command, args, more = {}) {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...more });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function succeeds(command, args, more) {
  const [code] = await once(start(command, args, more), 'exit');
  return code === 0;
}

/** The newest change below these folders. */
function newest(...folders) {
  let time = 0;
  for (const folder of folders) {
    for (const entry of readdirSync(root + folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) time = Math.max(time, statSync(`${entry.parentPath ?? entry.path}/${entry.name}`).mtimeMs);
    }
  }
  return time;
}

let server;
async function serve() {
  if (!(await succeeds('cargo', ['build', '--locked']))) return;
  if (server && server.exitCode === null) {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
  server = start('target/debug/ocs', ['serve', '--listen', listen, '--data', data, '--set', 'drain_seconds=0']);
}

const parts = [
  { look: () => Math.max(newest('src', 'migrations'), statSync(`${root}Cargo.toml`).mtimeMs), act: serve },
  { look: () => newest('web/launcher/src'), act: () => succeeds('npm', ['run', 'build', '--workspace', 'launcher'], { cwd: `${root}web` }) },
  {
    look: () => newest('web/panel/src', 'web/protocol/src', 'web/ui'),
    act: () => succeeds('npm', ['run', 'build', '--workspace', 'panel'], { cwd: `${root}web` }),
  },
].map((part) => ({ ...part, seen: part.look() }));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of children) child.kill('SIGTERM');
    process.exit(0);
  });
}

await serve();
start('npm', ['run', 'dev', '--workspace', 'console', '--', '--clearScreen', 'false'], {
  cwd: `${root}web`,
  env: { ...process.env, OCS_SERVER: `http://${listen}` },
});
console.log('The console reloads by itself at the address that Vite prints; the server itself is at http://%s.', listen);

for (;;) {
  await new Promise((go) => setTimeout(go, LOOK_EVERY_MS));
  for (const part of parts) {
    const now = part.look();
    if (now === part.seen) continue;
    part.seen = now;
    await part.act();
  }
}
