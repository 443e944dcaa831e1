// A stub server: the built console, the console API and its socket. For tests and for working on pages.
import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { WebSocketServer } from 'ws';
import { ApiError, hint, routes } from './console-api.js';
import { createData } from './data.js';

const built = new URL('../../../dist/console/', import.meta.url).pathname;
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

export async function serve({ port = 0, world = createData() } = {}) {
  const shell = await readFile(join(built, 'index.html'), 'utf8');
  const inline = [...shell.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, code]) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`);
  const policy = [
    "default-src 'none'", `script-src 'self' ${inline.join(' ')}`, "style-src 'self'", "img-src 'self' blob: data:", "connect-src 'self' ws: wss:",
    "font-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
  ].join('; ');

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://stub');
    try {
      if (url.pathname.startsWith('/api/console/')) return await answer(request, response, url);
      if (url.pathname.startsWith('/uploads/')) {
        const { raw, type } = world.images.get(url.pathname.split('/').pop());
        return response.writeHead(200, { 'content-type': type }).end(raw);
      }
      const path = extname(url.pathname) ? url.pathname : '/index.html';
      const file = await readFile(join(built, path));
      response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream', ...(path === '/index.html' ? { 'content-security-policy': policy } : {}) });
      response.end(file);
    } catch (problem) {
      response.writeHead(problem.code === 'ENOENT' ? 404 : 500).end(String(problem));
    }
  });

  async function answer(request, response, url) {
    const asked = url.pathname.slice('/api/console/'.length);
    // What belongs to a workspace is routed as W or W/…
    const [, workspace, rest = ''] = /^workspaces\/(\d+)(\/.*)?$/.exec(asked) ?? [];
    const path = workspace === undefined ? asked : `W${rest}`;
    if (world.slow) await new Promise((go) => setTimeout(go, world.slow));
    if (world.away) return request.socket.destroy();
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    const type = request.headers['content-type'] ?? '';
    if (/^sites\/\d+\/preview$/.test(path)) {
      const look = JSON.parse(url.searchParams.get('look'));
      return response.writeHead(200, { 'content-type': 'text/html' }).end(`<body style="background:${look.header}"><p style="color:${look.header_text}">${look.variant} ${url.searchParams.get('welcome')}`);
    }
    if (path === 'W/stream') return stream(request, response);
    const send = (status, body, headers = {}) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    const route = routes.find(([method, pattern]) => method === request.method && pattern.test(path));
    try {
      if (!route) throw new ApiError(404, 'not_found', `No ${request.method} ${path}`);
      if (route[3] !== 'open') {
        if (!world.sessions.length || !/stub=1/.test(request.headers.cookie ?? '')) throw new ApiError(401, 'not_signed_in', 'Sign in first.');
        if (request.method !== 'GET' && request.headers['x-csrf-token'] !== 'csrf-token') throw new ApiError(403, 'csrf', 'The page is out of date. Reload it.');
        if (workspace !== undefined && !world.workspaces.some((w) => w.id === Number(workspace))) throw new ApiError(404, 'not_found', 'There is no such workspace.');
      }
      const ids = [...path.matchAll(/\d+/g)].map(([id]) => Number(id));
      const body = type.startsWith('application/json') && raw.length ? JSON.parse(raw) : {};
      world.asked = Number(workspace);
      world.publicUrl = `http://${request.headers.host}`;
      const signsIn = /sign-(in|up)$/.test(path);
      send(200, route[2](world, { ids, body, raw, type, path, query: url.searchParams }), signsIn ? { 'set-cookie': 'stub=1; Path=/; HttpOnly; SameSite=Lax' } : {});
    } catch (problem) {
      if (!(problem instanceof ApiError)) console.error(problem);
      send(problem.status ?? 500, problem.body ?? { error: { code: 'internal', message: String(problem) } });
    }
  }

  function follow(cursor, send) {
    if (world.forgotten) {
      world.forgotten = false;
      send({ type: 'resync', reason: 'trimmed' });
      return () => {};
    }
    send({ type: 'welcome', cursor: String(world.log.length), beat_s: 20 });
    for (let n = Number(cursor); n < world.log.length; n++) send({ type: 'event', cursor: String(n + 1), event: world.log[n] });
    world.connections.add(send);
    const beat = setInterval(() => send({ type: 'beat', cursor: String(world.log.length) }), 20_000);
    return () => {
      clearInterval(beat);
      world.connections.delete(send);
    };
  }

  function stream(request, response) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const leave = follow(request.headers['last-event-id'], (frame) => response.write(`data: ${JSON.stringify(frame)}\n\n`));
    response.on('close', leave);
  }

  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (world.noSockets || world.away) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (socket) => {
      let leave = () => {};
      socket.on('message', (data) => {
        const frame = JSON.parse(data);
        if (frame.type === 'hello') (world.hellos ??= []).push(frame), leave = follow(frame.cursor, (out) => socket.send(JSON.stringify(out)));
        else {
          (world.hints ??= []).push(frame);
          hint(world, frame);
        }
      });
      socket.on('close', () => leave());
    });
  });

  await new Promise((ready) => server.listen(port, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    world,
    cut: () => { for (const client of sockets.clients) client.terminate(); },
    stop: () => { for (const client of sockets.clients) client.terminate(); server.closeAllConnections(); server.close(); },
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { url } = await serve({ port: Number(process.env.PORT ?? 4180) });
  console.log(`The console is at ${url}; sign in as ada@example.com with "correct horse battery".`);
}
