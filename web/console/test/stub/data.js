// Sample data in memory: an account with a workspace and two sites, some visitors and one event log.
export function createData({ empty = false } = {}) {
  const world = {
    account: { id: 1, email: 'ada@example.com', name: 'Ada', created_at: Date.now() - 9e9 },
    password: 'correct horse battery',
    sessions: [],
    workspaces: [{ id: 1, name: 'Northwind', role: 'owner', sites: null }],
    members: [],
    invitations: [],
    /** What the links of the invitations offer, by token. */
    offers: new Map(),
    audit: [],
    sites: [],
    conversations: [],
    messages: [],
    log: [],
    connections: new Set(),
    images: new Map(),
    lastId: 100,
    slow: 0,
  };
  if (!empty) seed(world);
  return world;
}

export const newId = (world) => ++world.lastId;

export function makeSite(world, name, extra = {}) {
  const site = {
    id: newId(world),
    name,
    paused: false,
    widget_key: `w${Math.random().toString(36).slice(2, 14)}`,
    look: { variant: 'classic', position: 'bottom-right', scheme: 'auto', primary: '#2563eb', primary_text: '#ffffff', header: '#2563eb', header_text: '#ffffff' },
    welcome: {},
    logo_url: null,
    limits: { messages_per_minute: 20, api_per_minute: 60, image_bytes: 5_242_880 },
    allowed_domains: [],
    identity_mode: 'same_browser',
    opaque_agent_ids: false,
    chat_keys: [],
    identity_secrets: [],
    seen_page: null,
    unread: 0,
    attack: null,
    same_external_id: null,
    created_at: Date.now(),
    workspace_id: 1,
    ...extra,
  };
  world.sites.push(site);
  return site;
}

export function makeKey(world, prefix) {
  const secret = prefix + [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
  const opens = prefix === 'chat_' ? { scope: 'all', networks: [] } : {};
  return { key: { id: newId(world), last4: secret.slice(-4), created_at: Date.now(), last_used_at: null, expires_at: null, ...opens }, secret };
}

export function addMember(world, name, extra = {}) {
  const id = newId(world);
  const member = { account_id: id, name, email: `${name.toLowerCase().replace(/[^a-z]+/g, '.')}@northwind.example`, photo: null, role: 'operator', sites: null, active: true, online: false, created_at: Date.now(), me: false, ...extra };
  world.members.push(member);
  return member;
}

export function startConversation(world, site, visitor, extra = {}) {
  const id = newId(world);
  const now = Date.now();
  const conversation = {
    site_id: site.id,
    id,
    visitor: {
      site_id: site.id, id: newId(world), external_id: `v_${id}x8Kq2`, anonymous: true, verified: false, proof: extra.verified ? 'signed' : `browser:${id}`, claimed: !extra.verified, nickname: null, email: null,
      attributes: {}, page: null, browser: 'Chromium 156 on Linux', mobile: false, locale: 'en-GB', timezone: 'Europe/London', online: false,
      first_seen_at: now - 4e7, last_seen_at: now - 6e5, ...visitor,
    },
    verified: false, state: 'open', last_seq: 0, last_message: null, visitor_delivered_seq: 0, visitor_seen_seq: 0,
    agent_delivered_seq: 0, agent_seen_seq: 0, unread: 0, created_at: now, updated_at: now, ...extra,
  };
  world.conversations.push(conversation);
  return conversation;
}

export function sendMessage(world, conversation, from, text, { name = null, account_id = null, at = Date.now(), image = null, client_id = null } = {}) {
  const message = {
    site_id: conversation.site_id, conversation_id: conversation.id, seq: ++conversation.last_seq, from, client_id,
    name: from === 'agent' ? (name ?? 'Ada') : null, account_id, text, image, at,
  };
  world.messages.push(message);
  conversation.last_message = { from, text, image: Boolean(image), at };
  conversation.updated_at = at;
  if (from === 'visitor') {
    conversation.unread += 1;
    const site = world.sites.find((s) => s.id === conversation.site_id);
    if (site) site.unread += 1;
  }
  publish(world, { kind: 'message_sent', message });
  return message;
}

export function publish(world, event) {
  world.log.push(event);
  const frame = { type: 'event', cursor: String(world.log.length), event };
  for (const send of world.connections) send(frame);
}

export function signal(world, it) {
  for (const send of world.connections) send({ type: 'signal', signal: it });
}

function seed(world) {
  const shop = makeSite(world, 'Northwind Shop', { seen_page: { origin: 'https://shop.northwind.example', at: Date.now() - 42_000 }, identity_mode: 'same_browser' });
  const docs = makeSite(world, 'Acme Docs', { look: { variant: 'bubble', position: 'bottom-left', scheme: 'auto', primary: '#6d3beb', primary_text: '#ffffff', header: '#6d3beb', header_text: '#ffffff' } });
  shop.chat_keys = [makeKey(world, 'chat_').key];
  const minute = 60_000;
  const ago = (m) => Date.now() - m * minute;

  const mei = startConversation(world, shop, {
    external_id: 'user_20931', anonymous: false, verified: true, nickname: 'Mei Tanaka', email: 'mei.tanaka@example.com', online: true,
    attributes: { plan: 'Business', seats: '14', since: '2021-03-08' }, timezone: 'Asia/Tokyo', locale: 'ja-JP', browser: 'Safari 19 on iPhone', mobile: true,
    page: { url: 'https://shop.northwind.example/checkout/delivery?cart=81Jk2', title: 'Delivery – Northwind', referrer: 'https://www.google.com/', since: Date.now() - 240_000 },
  }, { verified: true });
  sendMessage(world, mei, 'visitor', 'Hello! Is the blue kettle still in stock?', { at: ago(1500) });
  sendMessage(world, mei, 'agent', 'Good morning Mei! Yes, eleven of them. Here is the page: https://shop.northwind.example/kettles/blue', { at: ago(1495) });
  sendMessage(world, mei, 'visitor', 'Great, thank you 🙏', { at: ago(1494) });
  mei.agent_seen_seq = mei.agent_delivered_seq = 3; mei.visitor_seen_seq = mei.visitor_delivered_seq = 3; mei.unread = 0;
  sendMessage(world, mei, 'visitor', 'I am at the checkout now and the delivery date says 4 December.', { at: ago(7) });
  sendMessage(world, mei, 'visitor', 'Could it come before the 1st? It is a present.', { at: ago(6) });

  const names = [
    ['Jonas Weber', 'jonas@example.org', 'Does the warranty cover the battery too?', 'Europe/Berlin'],
    ['ليلى حداد', null, 'مرحبا، هل يمكنني تغيير عنوان الشحن؟', 'Asia/Beirut'],
    ['Camille Roux', 'camille.roux@example.fr', 'Merci, c’est parfait !', 'Europe/Paris'],
    [null, null, 'hi', 'America/New_York'],
    ['A customer with a remarkably long name that will not fit anywhere', null, 'I ordered two but received three, how do I send one back without paying for the postage myself?', 'Australia/Sydney'],
  ];
  names.forEach(([nickname, email, text, timezone], i) => {
    const c = startConversation(world, i % 2 ? docs : shop, { nickname, email, timezone, anonymous: !email, external_id: email ? `user_${i}44` : `v_${i}kQ`, online: i === 1 });
    sendMessage(world, c, 'visitor', text, { at: ago(20 + i * 47) });
    if (i === 2) {
      sendMessage(world, c, 'agent', 'You are welcome, have a good day.', { at: ago(18 + i * 47) });
      c.agent_seen_seq = 1; c.unread = 0;
    }
    if (i === 0) c.agent_seen_seq = 1, (c.unread = 0);
  });
  const long = startConversation(world, docs, { nickname: 'Noor', online: false });
  for (let i = 1; i <= 160; i++) sendMessage(world, long, i % 5 ? 'visitor' : 'agent', `Line ${i} of a long talk about webhooks and retries.`, { at: ago(9000 - i * 11) });
  long.agent_seen_seq = 160; long.unread = 0; long.state = 'closed';
  for (const site of world.sites) site.unread = world.conversations.filter((c) => c.site_id === site.id).reduce((n, c) => n + c.unread, 0);
}
