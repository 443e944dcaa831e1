// Proxies between people and the server: without WebSocket support, with cut connections, and nginx.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttp, request as ask } from 'node:http';
import { connect, createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { root } from './packages.js';
import { freePort } from './server.js';

/**
 * A corporate web proxy. `sockets`: "refuse" answers upgrades with 403, as most do; "swallow" passes the handshake but no
 * frames; "ignore" never answers.
 */
export async function companyProxy(server, sockets) {
  const open = new Set();
  const track = (socket) => open.add(socket) && socket.on('close', () => open.delete(socket)).on('error', () => {});
  const proxy = createHttp((from, to) => {
    const onward = ask({ host: '127.0.0.1', port: server.port, method: from.method, path: from.url, headers: from.headers }, (answer) => {
      to.writeHead(answer.statusCode, answer.headers);
      to.flushHeaders();
      answer.pipe(to);
    });
    onward.on('error', () => to.destroy());
    to.on('close', () => onward.destroy());
    from.pipe(onward);
  });
  proxy.on('connection', track);
  proxy.on('upgrade', (request, socket, head) => {
    if (sockets === 'ignore') return;
    if (sockets === 'refuse') return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    const onward = connect(server.port, '127.0.0.1');
    track(onward);
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let at = 0; at < request.rawHeaders.length; at += 2) lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
    onward.write(`${lines.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    onward.once('data', (handshake) => socket.write(handshake.subarray(0, handshake.indexOf('\r\n\r\n') + 4)));
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `http://127.0.0.1:${proxy.address().port}`,
    close() {
      proxy.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** A TCP proxy whose connections can be cut: on command, or after a random number of bytes. */
export class Link {
  cuts = 0;
  /** Maximum bytes that a connection carries before it is cut; null: it is never cut. */
  fragile = null;
  /** While true, no connection gets through. */
  down = false;
  #pairs = new Set();

  static async open(server, random = Math.random) {
    const link = new Link();
    link.listener = createTcp((near) => link.#carry(near, server.port, random));
    link.listener.listen(0, '127.0.0.1');
    await once(link.listener, 'listening');
    link.url = `http://127.0.0.1:${link.listener.address().port}`;
    return link;
  }

  /** Cuts all open connections. */
  cut() {
    if (this.#pairs.size > 0) this.cuts += 1;
    for (const end of this.#pairs) end();
  }

  close() {
    this.listener.close();
    for (const end of this.#pairs) end();
  }

  #carry(near, port, random) {
    if (this.down) return near.destroy();
    const far = connect(port, '127.0.0.1');
    let left = this.fragile === null ? Infinity : Math.floor(random() * this.fragile);
    const end = () => {
      this.#pairs.delete(end);
      near.destroy();
      far.destroy();
    };
    this.#pairs.add(end);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('error', end).on('close', end);
      from.on('data', (bytes) => {
        if (bytes.length <= left) {
          left -= bytes.length;
          return void to.write(bytes);
        }
        // Bytes before the cut may still arrive, which is what makes recovery hard.
        to.end(bytes.subarray(0, left));
        if (this.#pairs.has(end)) this.cuts += 1;
        left = 0;
        near.destroySoon();
        far.destroySoon();
        this.#pairs.delete(end);
      });
    }
  }
}

/** nginx with the documented example configuration, on free ports. `change` edits its text. */
export async function nginx(server, change = (text) => text) {
  const program = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find(existsSync);
  if (!program) throw new Error('nginx is missing; `make test` installs it');
  const documented = /```nginx\n([^]*?)```/.exec(await readFile(join(root, 'docs/proxies.md'), 'utf8'))[1];
  const folder = await mkdtemp(join(tmpdir(), 'ocs-nginx-'));
  const port = await freePort();
  await mkdir(join(folder, 'temp'));
  const sites = change(documented)
    .replace(/listen .*;/, `listen 127.0.0.1:${port};`)
    .replace(/^\s*ssl_certificate.*\n/gm, '')
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${server.port}`)
    .replace(/server_name .*;/, 'server_name _;');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/temp;`).join(' ');
  await writeFile(join(folder, 'nginx.conf'), `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http { access_log off; ${temporary}
${sites}
}`);
  const child = spawn(program, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said = [];
  child.stderr.on('data', (text) => said.push(text));
  const ended = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${Buffer.concat(said)}`);
    await fetch(`${url}/login`);
  });
  return {
    url,
    async close() {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
