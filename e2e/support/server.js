// The real server program with a separate data folder, and its command line.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './packages.js';

const program = process.env.PROGRAM ?? join(root, 'target/debug/ocs');
/** The environment without the OCS_ settings of this machine. */
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OCS_')));
const STARTS_WITHIN_MS = 30_000;

export const password = 'a long sentence is easier to keep';

/** Returns a port that is currently free. */
export async function freePort(host = '127.0.0.1') {
  const probe = createServer();
  probe.listen(0, host);
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

export class Server {
  log = [];
  #child = null;

  /** @param settings command-line options, such as { signup: 'closed' }. */
  static async start(settings = {}) {
    if (!existsSync(program)) throw new Error(`${program} is missing; run \`cargo build\` first`);
    const server = new Server();
    server.settings = settings;
    server.data = await mkdtemp(join(tmpdir(), 'ocs-e2e-'));
    server.port = await freePort();
    server.url = `http://127.0.0.1:${server.port}`;
    await server.up();
    return server;
  }

  get pid() {
    return this.#child.pid;
  }

  /** Starts the program and waits until it reports that it is ready. */
  async up() {
    const set = Object.entries(this.settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const child = spawn(program, ['serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.data, ...set], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: plain,
    });
    this.#child = child;
    this.ended = once(child, 'exit');
    createInterface({ input: child.stderr }).on('line', (line) => this.log.push(line));
    const ready = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.log.push(line);
        if (line.startsWith('OCS is ready')) resolve(true);
      });
    });
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, STARTS_WITHIN_MS, false)));
    const is = await Promise.race([ready, late, this.ended.then(() => false)]);
    clearTimeout(timer);
    if (!is) throw new Error(`the server did not start:\n${this.log.join('\n')}`);
  }

  /** Kills it without warning, like a power cut. */
  async kill() {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  async stop() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
      await this.ended;
      clearTimeout(timer);
    }
  }

  async discard() {
    await this.stop();
    await rm(this.data, { recursive: true, force: true });
  }

  /** Runs a command such as `ocs user add …` and returns its standard output. */
  async command(args, input = '') {
    const child = spawn(program, [...args, '--data', this.data], { stdio: ['pipe', 'pipe', 'pipe'], env: plain });
    const [out, complaints] = [[], []];
    child.stdout.on('data', (piece) => out.push(piece));
    child.stderr.on('data', (piece) => complaints.push(piece));
    // A command that reads no input may have ended before this is written.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`ocs ${args.join(' ')}: ${Buffer.concat(complaints)}`);
    return Buffer.concat(out).toString();
  }

  /** Creates an account with a site. */
  async addSite({ owner, name, person }) {
    await this.command(['user', 'add', '--email', owner, '--name', person, '--password-stdin'], password);
    const keys = JSON.parse(await this.command(['site', 'add', '--owner', owner, '--name', name, '--json']));
    return { ...keys, id: keys.site_id, key: keys.widget_key, apiKey: keys.chat_api_key, owner, name, person };
  }
}
