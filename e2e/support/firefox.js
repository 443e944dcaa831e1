// Firefox, driven by WebDriver BiDi: what the stories of this browser need, and no more. Playwright drives only a Firefox of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from './packages.js';

const program = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

export class Firefox {
  #child;
  #profile;
  #socket;
  #context;
  #sent = 0;
  #waiting = new Map();

  /** One window, in a profile of its own. */
  static async open() {
    const firefox = new Firefox();
    await firefox.#start();
    return firefox;
  }

  async #start() {
    this.#profile = await mkdtemp(join(tmpdir(), 'ocs-firefox-'));
    this.#child = spawn(program, ['--headless', '--no-remote', '--profile', this.#profile, '--remote-debugging-port', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: this.#profile },
    });
    const address = await new Promise((resolve, reject) => {
      const said = [];
      this.#child.on('error', reject);
      this.#child.on('exit', () => reject(new Error(`Firefox did not start:\n${said.join('\n')}`)));
      createInterface({ input: this.#child.stderr }).on('line', (line) => {
        said.push(line);
        const [, found] = /WebDriver BiDi listening on (ws:\S+)/.exec(line) ?? [];
        if (found) resolve(found);
      });
    });
    this.#socket = new WebSocket(`${address}/session`);
    this.#socket.on('message', (data) => this.#answered(JSON.parse(data)));
    await once(this.#socket, 'open');
    await this.#call('session.new', { capabilities: {} });
    const { contexts } = await this.#call('browsingContext.getTree');
    this.#context = contexts[0].context;
  }

  #answered({ id, type, result, error, message }) {
    const { resolve, reject } = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    if (type === 'error') reject?.(new Error(`${error}: ${message}`));
    else resolve?.(result);
  }

  #call(method, params = {}) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(++this.#sent, { resolve, reject });
      this.#socket.send(JSON.stringify({ id: this.#sent, method, params }));
    });
  }

  async close() {
    if (this.#child.exitCode === null) {
      this.#child.kill();
      await once(this.#child, 'exit');
    }
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Runs before the scripts of each page that is opened from now on. */
  init(run) {
    return this.#call('script.addPreloadScript', { functionDeclaration: String(run) });
  }

  goto(url) {
    return this.#call('browsingContext.navigate', { context: this.#context, url, wait: 'complete' });
  }

  back() {
    return this.#call('browsingContext.traverseHistory', { context: this.#context, delta: -1 });
  }

  /** What the function answers in the page. An element cannot be answered. */
  async evaluate(run, ...given) {
    const expression = `(async () => JSON.stringify(await (${run})(...${JSON.stringify(given)})))()`;
    const { type, result, exceptionDetails } = await this.#call('script.evaluate', { expression, target: { context: this.#context }, awaitPromise: true, userActivation: true });
    if (type === 'exception') throw new Error(exceptionDetails.text);
    return result.value === undefined ? undefined : JSON.parse(result.value);
  }

  /** As somebody presses them: a name of `KEYS`, or what the key writes. */
  press(...keys) {
    const actions = keys.flatMap((key) => ['keyDown', 'keyUp'].map((type) => ({ type, value: KEYS[key] ?? key })));
    return this.#call('input.performActions', { context: this.#context, actions: [{ type: 'key', id: 'keyboard', actions }] });
  }
}

const KEYS = { Enter: '\uE007' };
