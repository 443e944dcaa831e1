// A server just real enough to drive the widget in a browser: the visitor's door of the wire, in memory.
import { createServer } from "node:http";
import { readFileSync, existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join, extname } from "node:path";
import { WebSocketServer } from "ws";

const DIST = fileURLToPath(new URL("../../../dist/", import.meta.url));
const TYPES = { ".js": "text/javascript", ".json": "application/json", ".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif" };
const CORS = {
  "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "authorization, content-type, last-event-id", "Access-Control-Max-Age": "7200",
  "Access-Control-Expose-Headers": "retry-after", "Cross-Origin-Resource-Policy": "cross-origin", "Timing-Allow-Origin": "*",
};

export const DEFAULT_LOOK = ["classic", "bottom-right", "auto", "#2563eb", "#ffffff", "#2563eb", "#ffffff"];

/** Starts the stub. `behaviour` may be changed at any time: that is how a test plays the server's moods. */
export async function startStub(behaviour = {}) {
  const state = {
    behaviour: { sockets: true, panel: true, online: true, welcome: "", logo: null, look: DEFAULT_LOOK, name: "Example Shop", preview: false, integrity: true, identity: true, limit: null, down: false, ...behaviour },
    people: new Map(), events: [], lines: new Set(), images: new Map(), requests: [], hints: [], sends: [], page: null, headers: {},
  };
  const server = createServer((request, response) => void answer(state, request, response).catch((error) => { console.error(error); response.destroy(); }));
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    state.requests.push({ method: "UPGRADE", path: request.url });
    if (!state.behaviour.sockets || state.behaviour.down) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (line) => serve(state, line));
  });
  await new Promise((resolve) => server.listen(behaviour.port ?? 0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  state.origin = origin;
  return Object.assign(state, {
    agentSays: (text, { name = "Ann", image = null, person = [...state.people.values()].at(-1), at = Date.now() } = {}) => append(state, person, { from: "agent", name, text, image, at }),
    visitorSaid: (text, { person = [...state.people.values()].at(-1), at = Date.now(), image = null } = {}) => append(state, person, { from: "visitor", name: null, text, image, at, client_id: `old${Math.random()}` }),
    ended: (person = [...state.people.values()].at(-1)) => {
      person.conversation.state = "closed";
      tell(state, person, { kind: "conversation_changed", conversation: person.conversation });
    },
    mark: (kind, seq, person = [...state.people.values()].at(-1)) => {
      person.conversation[kind === "seen" ? "agent_seen_seq" : "agent_delivered_seq"] = seq;
      tell(state, person, { kind, conversation: person.conversation.id, by: "agent", seq });
    },
    signal: (signal) => state.lines.forEach((line) => line.send({ type: "signal", signal })),
    cut: () => [...state.lines].forEach((line) => line.cut()),
    person: (external_id = "seed") => makePerson(state, external_id),
    close: () => new Promise((resolve) => { state.lines.forEach((line) => line.cut()); server.closeAllConnections(); server.close(resolve); }),
  });
}

function makePerson(state, external_id) {
  const token = `t${Math.random().toString(36).slice(2)}`;
  const conversation = { id: `c${state.people.size + 1}`, state: "open", last_seq: 0, agent_delivered_seq: 0, agent_seen_seq: 0, visitor_seen_seq: 0, unread: 0 };
  const person = { token, external_id, nickname: null, conversation, messages: [], started: 0 };
  state.people.set(token, person);
  return person;
}

function append(state, person, fields) {
  const { conversation } = person;
  const message = { conversation: conversation.id, seq: ++conversation.last_seq, client_id: null, image: null, ...fields };
  if (fields.from === "agent") conversation.unread += 1;
  person.messages.push(message);
  tell(state, person, { kind: "message_sent", message });
  return message;
}

function tell(state, person, event) {
  const entry = { n: state.events.length + 1, token: person.token, event };
  state.events.push(entry);
  for (const line of state.lines) if (line.token === person.token) line.send({ type: "event", cursor: String(entry.n), event });
}

function join_(state, line, token, cursor) {
  if (!state.people.has(token)) return line.send({ type: "refused", code: "invalid_token", message: "unknown token" }), line.cut();
  line.token = token;
  line.send({ type: "welcome", cursor, beat_s: 20 });
  for (const entry of state.events) if (entry.n > Number(cursor) && entry.token === token) line.send({ type: "event", cursor: String(entry.n), event: entry.event });
  state.lines.add(line);
}

function serve(state, socket) {
  const line = { send: (frame) => socket.send(JSON.stringify(frame)), cut: () => { state.lines.delete(line); socket.terminate(); } };
  socket.on("message", (text) => {
    const frame = JSON.parse(text);
    if (frame.type === "hello") join_(state, line, frame.token, frame.cursor);
    else hint(state, line.token, frame);
  });
  socket.on("close", () => state.lines.delete(line));
}

function hint(state, token, hint) {
  state.hints.push({ token, ...hint });
  const person = state.people.get(token);
  if (hint.type === "seen" && hint.seq > person.conversation.visitor_seen_seq) {
    person.conversation.visitor_seen_seq = hint.seq;
    person.conversation.unread = person.messages.filter((message) => message.from === "agent" && message.seq > hint.seq).length;
    tell(state, person, { kind: "seen", conversation: hint.conversation, by: "visitor", seq: hint.seq });
  }
}

const welcome = ({ behaviour }) => ({ name: behaviour.name, welcome: behaviour.welcome, logo_url: behaviour.logo, operators_online: behaviour.online, limits: { text_graphemes: 4000, text_bytes: 16000, image_bytes: 5_242_880 } });

async function answer(state, request, response) {
  const url = new URL(request.url, state.origin ?? "http://x");
  const { behaviour } = state;
  const noted = { method: request.method, path: url.pathname + url.search };
  state.requests.push(noted);
  const send = (status, body, headers = {}) => {
    response.writeHead(status, { "Content-Type": "application/json", ...CORS, ...headers });
    response.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  };
  const refuse = (status, code, extra = {}) => send(status, { error: { code, message: code, ...extra } }, extra.retry_after_s ? { "Retry-After": String(extra.retry_after_s) } : {});
  if (url.pathname.startsWith("/page")) return send(200, state.page?.(url) ?? "", { "Content-Type": "text/html; charset=utf-8", ...state.headers });
  if (url.pathname === "/favicon.ico") return send(204, "");
  if (behaviour.down && url.pathname.startsWith("/api") && url.pathname !== "/api/widget.js") return request.socket.destroy();
  if (request.method === "OPTIONS") return send(204, "", { "Access-Control-Allow-Methods": "GET, POST" });
  if (url.pathname === "/api/widget.js") return send(200, launcher(state, url.searchParams.get("key")), { "Content-Type": "text/javascript; charset=utf-8" });
  if (url.pathname.startsWith("/widget/")) {
    const file = join(DIST, url.pathname);
    if (!existsSync(file) || (!behaviour.panel && file.includes("panel-"))) return send(404, "{}");
    const changed = behaviour.tampered && file.includes("panel-") ? "\n;globalThis.intruder = true;" : "";
    return send(200, Buffer.concat([readFileSync(file), Buffer.from(changed)]), { "Content-Type": TYPES[extname(file)] ?? "text/plain", "Cache-Control": "max-age=31536000" });
  }
  if (url.pathname.startsWith("/uploads/")) {
    const kept = state.images.get(url.pathname.split("/").pop());
    return kept ? send(200, kept.bytes, { "Content-Type": kept.type }) : send(404, "{}");
  }
  if (url.pathname.startsWith("/chat/")) return send(200, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Chat</title><script>window.OCS={mode:'page'}</script><script src="/api/widget.js?key=wk_page" async></script>`, { "Content-Type": "text/html" });
  if (url.pathname === "/api/widget/welcome") return send(200, welcome(state));
  const token = request.headers.authorization?.replace("Bearer ", "");
  const person = state.people.get(token);
  if (url.pathname === "/api/widget/stream") {
    if (!person) return refuse(401, "invalid_token");
    response.writeHead(200, { "Content-Type": "text/event-stream", ...CORS });
    const line = { send: (frame) => response.write(`data: ${JSON.stringify(frame)}\n\n`), cut: () => { state.lines.delete(line); response.destroy(); } };
    request.on("close", () => state.lines.delete(line));
    return join_(state, line, token, request.headers["last-event-id"]);
  }
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (url.pathname === "/api/widget/images") {
    if (!person) return refuse(401, "invalid_token");
    const id = `i${state.images.size + 1}`;
    state.images.set(id, { bytes: body, type: request.headers["content-type"] });
    return send(200, { image: imageView(state, id) });
  }
  if (url.pathname !== "/api/widget" || request.method !== "POST") return refuse(404, "not_found");
  const order = JSON.parse(body.toString());
  Object.assign(noted, { do: order.do, order });
  return command(state, order, person, token, send, refuse);
}

const imageView = (state, id) => ({ id, url: `/uploads/${id}`, thumb_url: `/uploads/${id}`, width: state.images.get(id).width ?? 320, height: state.images.get(id).height ?? 200, animated: state.images.get(id).type === "image/gif" });

function command(state, order, person, token, send, refuse) {
  const { behaviour } = state;
  if (order.do === "start") {
    if (behaviour.slow) return void setTimeout(() => command({ ...state, behaviour: { ...behaviour, slow: 0 } }, order, person, token, send, refuse), behaviour.slow);
    if (!behaviour.identity) return refuse(403, "identity_required");
    if (token && !person) return refuse(401, "invalid_token");
    let me = person;
    let made = null;
    if (!me || (me.external_id !== order.external_id && !me.anonymous)) {
      me = [...state.people.values()].find((other) => other.external_id === order.external_id) ?? makePerson(state, order.external_id);
      made = me.token;
    }
    me.external_id = order.external_id;
    me.anonymous = order.anonymous;
    me.nickname = order.nickname ?? me.nickname;
    me.started += 1;
    return send(200, {
      token: made, mended: [], visitor: { external_id: me.external_id, nickname: me.nickname, verified: !!order.identity_token },
      conversations: me.messages.length > 0 ? [me.conversation] : [], messages: me.messages.slice(-50), more: me.messages.length > 50,
      cursor: String(state.events.length), welcome: welcome(state),
    });
  }
  if (!person) return refuse(401, "invalid_token");
  if (order.do === "send") {
    state.sends.push(order);
    const before = person.messages.find((message) => message.client_id === order.client_id);
    if (before) return send(200, { message: before });
    if (behaviour.limit) return refuse(429, "sending_too_frequently", { retry_after_s: behaviour.limit });
    if (behaviour.fail) return refuse(behaviour.fail.status, behaviour.fail.code);
    const image = order.image ? imageView(state, order.image) : null;
    return send(200, { message: append(state, person, { from: "visitor", name: null, client_id: order.client_id, text: order.text ?? "", image, at: Date.now() + (behaviour.skew ?? 0) }) });
  }
  if (order.do === "history") {
    const older = person.messages.filter((message) => message.seq < order.before.seq);
    return send(200, { messages: older.slice(-50), more: older.length > 50 });
  }
  if (order.do === "hint") hint(state, token, order.hint);
  if (order.do === "logout") state.people.delete(token);
  return send(200, {});
}

function launcher(state, key) {
  const { behaviour } = state;
  const manifest = JSON.parse(readFileSync(join(DIST, "widget/manifest.json"), "utf8"));
  const site = { k: key, o: state.origin, n: behaviour.name, l: behaviour.look, p: manifest.panel, i: behaviour.integrity ? manifest.integrity : "", ...(behaviour.preview ? { v: 1, w: behaviour.welcome, ...(behaviour.logo && { g: behaviour.logo }) } : {}) };
  return readFileSync(join(DIST, "launcher.js"), "utf8").replace("__OCS_SITE__", () => JSON.stringify(site).replace(/</g, "\\u003c"));
}
