// A stub of the console API.
import { makeKey, makeSite, newId, publish, sendMessage } from './data.js';

export class ApiError extends Error {
  constructor(status, code, message, extra = {}) {
    super(message);
    this.status = status;
    this.body = { error: { code, message, ...extra } };
  }
}

export const routes = [
  ['GET', /^about$/, (world) => ({ signup: 'open', empty: Boolean(world.nobody), insecure: false, version: '0.0.0' }), 'open'],
  ['POST', /^sign-in$/, (world, { body }) => {
    if (body.email !== world.account.email || body.password !== world.password) throw new ApiError(401, 'wrong_credentials', 'That e-mail and password do not go together.');
    if (world.secondFactor && !body.code) throw new ApiError(401, 'second_factor_required', 'This account asks for a code as well.', { field: 'code' });
    return me(world, signIn(world));
  }, 'open'],
  ['POST', /^sign-up$/, (world, { body }) => {
    if (body.email === 'taken@example.com') throw new ApiError(409, 'email_taken', 'There is an account with this e-mail already. Sign in instead.', { field: 'email' });
    if (body.password.length < 10) throw new ApiError(400, 'weak_password', 'At least 10 characters, please.', { field: 'password' });
    Object.assign(world.account, { email: body.email, name: body.name ?? '' });
    if (body.workspace) world.workspaces[0].name = body.workspace;
    world.password = body.password;
    world.nobody = false;
    return me(world, signIn(world));
  }, 'open'],
  ['POST', /^sign-out$/, (world) => { world.sessions = []; return {}; }],
  ['GET', /^me$/, (world) => me(world, world.sessions[0])],
  ['POST', /^account\/name$/, (world, { body }) => { world.account.name = body.name; return me(world, world.sessions[0]); }],
  ['POST', /^account\/password$/, (world, { body }) => {
    if (body.current !== world.password) throw new ApiError(403, 'wrong_credentials', 'That is not your current password.', { field: 'current' });
    world.password = body.new;
    return {};
  }],
  ['POST', /^account\/delete$/, (world, { body }) => {
    if (body.password !== world.password) throw new ApiError(401, 'wrong_credentials', 'That is not your password.');
    if (world.members.length > 0 && !world.members.some((m) => m.role === 'owner')) throw new ApiError(409, 'last_owner', 'A workspace needs an owner.');
    world.sessions = [];
    return {};
  }],
  ['POST', /^account\/email$/, (world, { body }) => {
    if (body.password !== world.password) throw new ApiError(403, 'wrong_credentials', 'That is not your password.', { field: 'password' });
    if (body.email === 'taken@example.com') throw new ApiError(409, 'email_taken', 'There is an account with this e-mail already.', { field: 'email' });
    world.account.email = body.email;
    return me(world, world.sessions[0]);
  }],
  ['PUT', /^account\/photo$/, (world, { raw, type }) => { world.account.photo = storeImage(world, raw, type).url; return me(world, world.sessions[0]); }],
  ['DELETE', /^account\/photo$/, (world) => { world.account.photo = null; return me(world, world.sessions[0]); }],
  ['POST', /^reset$/, (world, { body }) => { if (body.token !== world.resetToken) throw new ApiError(404, 'not_found', 'Not found.'); return { email: world.account.email }; }, 'open'],
  ['POST', /^reset\/password$/, (world, { body }) => {
    if (body.token !== world.resetToken) throw new ApiError(404, 'not_found', 'Not found.');
    if (body.password.length < 10) throw new ApiError(400, 'weak_password', 'At least 10 characters, please.', { field: 'password' });
    Object.assign(world, { password: body.password, resetToken: null, sessions: [] });
    return {};
  }, 'open'],
  ['POST', /^invitation$/, (world, { body }) => {
    const { workspace, role, sites, note, expires_at, invited_by } = offerOf(world, body.token);
    const names = sites?.map((id) => world.sites.find((s) => s.id === id).name) ?? null;
    return { workspace: workspace.name, role, sites: names, note, expires_at, invited_by };
  }, 'open'],
  ['POST', /^invitation\/accept$/, (world, { body }) => { join(world, body.token); return me(world, world.sessions[0]); }],
  ['POST', /^invitation\/sign-up$/, (world, { body }) => {
    offerOf(world, body.token);
    if (body.password.length < 10) throw new ApiError(400, 'weak_password', 'At least 10 characters, please.', { field: 'password' });
    Object.assign(world.account, { id: newId(world), email: body.email, name: body.name });
    world.password = body.password;
    world.workspaces = [];
    join(world, body.token);
    return me(world, signIn(world));
  }, 'open'],
  ['POST', /^workspaces$/, (world, { body }) => {
    const made = { id: newId(world), name: body.name, role: 'owner', sites: null };
    world.workspaces.push(made);
    return made;
  }],
  ['PATCH', /^W$/, (world, { body }) => Object.assign(currentOf(world), { name: body.name })],
  ['DELETE', /^W$/, (world, { body }) => {
    if (body.password !== world.password) throw new ApiError(403, 'wrong_credentials', 'That is not your password.', { field: 'password' });
    if (world.secondFactor && !body.code) throw new ApiError(401, 'second_factor_required', 'This account asks for a code as well.', { field: 'code' });
    world.workspaces = world.workspaces.filter((w) => w !== currentOf(world));
    return {};
  }],
  ['GET', /^W\/members$/, (world) => ({ members: membersOf(world) })],
  ['PATCH', /^W\/members\/\d+$/, (world, { ids, body }) => Object.assign(memberOf(world, ids[0]), body)],
  ['DELETE', /^W\/members\/\d+$/, (world, { ids }) => {
    const gone = memberOf(world, ids[0]);
    world.members = world.members.filter((m) => m !== gone);
    return {};
  }],
  ['POST', /^W\/leave$/, (world) => { world.workspaces = world.workspaces.filter((w) => w !== currentOf(world)); return {}; }],
  ['POST', /^W\/transfer$/, (world, { body }) => {
    if (body.password !== world.password) throw new ApiError(403, 'wrong_credentials', 'That is not your password.', { field: 'password' });
    memberOf(world, body.account_id).role = 'owner';
    currentOf(world).role = 'admin';
    return membersOf(world).find((m) => m.me);
  }],
  ['GET', /^W\/invitations$/, (world) => ({ invitations: world.invitations })],
  ['POST', /^W\/invitations$/, (world, { body }) => {
    const now = Date.now();
    const invitation = { id: newId(world), note: body.note, role: body.role, sites: body.sites, invited_by: world.account.name, created_at: now, expires_at: now + (body.days ?? 7) * 86_400_000 };
    const token = `invitation${invitation.id}${'x'.repeat(24)}`;
    world.invitations.push(invitation);
    world.offers.set(token, { ...invitation, workspace: currentOf(world) });
    return { invitation, link: `${world.publicUrl}/invite#${token}` };
  }],
  ['DELETE', /^W\/invitations\/\d+$/, (world, { ids }) => { world.invitations = world.invitations.filter((i) => i.id !== ids[0]); return {}; }],
  ['GET', /^W\/audit$/, (world, { query }) => {
    const before = Number(query.get('before')) || Infinity;
    const entries = world.audit.filter((e) => e.id < before);
    return { entries: entries.slice(0, 50), more: entries.length > 50 };
  }],
  ['GET', /^account\/sessions$/, (world) => ({ sessions: [...world.sessions, { id: 7, current: false, created_at: Date.now() - 9e8, last_seen_at: Date.now() - 4e6, address: '203.0.113.9', browser: 'Firefox 151 on Windows' }] })],
  ['DELETE', /^account\/sessions\/\d+$/, () => ({})],
  ['GET', /^account\/second-factor$/, (world) => ({ enabled: Boolean(world.secondFactor), recovery_codes_left: world.secondFactor ? 10 : 0 })],
  ['POST', /^account\/second-factor$/, (world, { body }) => {
    if (body.password !== world.password) throw new ApiError(401, 'wrong_credentials', 'That is not your password.');
    return { secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', otpauth_url: 'otpauth://totp/OCS:otto%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=OCS' };
  }],
  ['POST', /^account\/second-factor\/confirm$/, (world, { body }) => {
    if (body.code !== '123456') throw new ApiError(401, 'wrong_code', 'This code is not right.', { field: 'code' });
    world.secondFactor = true;
    return { recovery_codes: Array.from({ length: 10 }, (_, at) => `abcd-efgh-ijkl-mno${at}`) };
  }],
  ['POST', /^account\/second-factor\/(codes|off)$/, (world, { body }) => {
    if (body.password !== world.password) throw new ApiError(401, 'wrong_credentials', 'That is not your password.');
    world.secondFactor = false;
    return { recovery_codes: [] };
  }],
  ['GET', /^account\/audit$/, (world) => ({ lines: Array.from({ length: world.auditLines ?? 1 }, (_, at) => ({ id: at + 1, action: 'account_made', site_id: null, subject: 'otto@example.com', network: '203.0.113.0/24', at: Date.now() - 9e8 })), more: false })],

  ['GET', /^W\/my-sites$/, (world) => ({ sites: sitesOf(world).map(summaryOf) })],
  ['POST', /^W\/sites$/, (world, { body }) => {
    if (!body.name?.trim()) throw new ApiError(400, 'invalid_request', 'Give the site a name.', { field: 'name' });
    return { site: makeSite(world, body.name, { workspace_id: world.asked }) };
  }],
  ['GET', /^sites\/(\d+)$/, (world, { ids }) => siteOf(world, ids[0])],
  ['PATCH', /^sites\/(\d+)$/, (world, { ids, body }) => {
    if (body.look?.primary_text === body.look?.primary && body.look) {
      throw new ApiError(400, 'unreadable_colours', 'These two are hard to read together.', { field: 'primary_text', nearest: '#ffffff' });
    }
    const site = Object.assign(siteOf(world, ids[0]), body);
    publish(world, { kind: 'site_changed', site_id: site.id });
    return site;
  }],
  ['POST', /^sites\/(\d+)\/attack\/clean-up$/, (world, { ids }) => {
    const site = siteOf(world, ids[0]);
    const { conversations } = site.attack;
    site.attack = site.attack.ended_at ? null : { ...site.attack, conversations: 0 };
    publish(world, { kind: 'site_changed', site_id: site.id });
    return { conversations };
  }],
  ['POST', /^sites\/(\d+)\/attack\/settle$/, (world, { ids }) => Object.assign(siteOf(world, ids[0]), { attack: null })],
  ['DELETE', /^sites\/(\d+)$/, (world, { ids }) => {
    world.sites = world.sites.filter((s) => s.id !== ids[0]);
    world.conversations = world.conversations.filter((c) => c.site_id !== ids[0]);
    return {};
  }],
  ['PUT', /^sites\/(\d+)\/logo$/, (world, { ids, raw, type }) => Object.assign(siteOf(world, ids[0]), { logo_url: storeImage(world, raw, type).url })],
  ['DELETE', /^sites\/(\d+)\/logo$/, (world, { ids }) => Object.assign(siteOf(world, ids[0]), { logo_url: null })],
  ['POST', /^sites\/(\d+)\/chat-keys$/, (world, { ids, body }) => {
    const site = siteOf(world, ids[0]);
    const made = makeKey(world, 'chat_');
    const { scope = 'all', networks = [], expires_at = null, beside = false } = body;
    if (networks.includes('nowhere')) throw new ApiError(400, 'invalid_request', 'nowhere is not an address or network', { field: 'networks' });
    Object.assign(made.key, { scope, networks, expires_at });
    const until = beside ? null : Date.now() + (body.grace_s ?? 86_400) * 1000;
    site.chat_keys = [made.key, ...site.chat_keys.map((k) => ({ ...k, expires_at: k.expires_at ?? until }))].filter((k) => !k.expires_at || k.expires_at > Date.now());
    return made;
  }],
  ['DELETE', /^sites\/(\d+)\/chat-keys\/(\d+)$/, (world, { ids }) => {
    const site = siteOf(world, ids[0]);
    site.chat_keys = site.chat_keys.filter((k) => k.id !== ids[1]);
    return {};
  }],
  ['POST', /^sites\/(\d+)\/widget-key$/, (world, { ids }) => Object.assign(siteOf(world, ids[0]), { widget_key: `w${Math.random().toString(36).slice(2, 14)}` })],
  ['POST', /^sites\/(\d+)\/identity-secrets$/, (world, { ids }) => {
    const made = makeKey(world, 'ids_');
    siteOf(world, ids[0]).identity_secrets.push(made.key);
    return made;
  }],
  ['DELETE', /^sites\/(\d+)\/identity-secrets\/(\d+)$/, (world, { ids }) => {
    const site = siteOf(world, ids[0]);
    site.identity_secrets = site.identity_secrets.filter((k) => k.id !== ids[1]);
    return {};
  }],

  ['GET', /^W\/conversations$/, (world, { query }) => {
    const site = Number(query.get('site')) || null;
    const state = query.get('state') ?? 'open';
    const limit = Number(query.get('limit') ?? 50);
    const before = Number(query.get('before')) || Infinity;
    const known = new Set(sitesOf(world).map((s) => s.id));
    const mine = world.conversations.filter((c) => known.has(c.site_id) && (!site || c.site_id === site));
    const rows = mine
      .filter((c) => (state === 'all' || c.state === state) && (query.get('unread') !== 'true' || c.unread > 0) && c.updated_at < before)
      .sort((a, b) => b.updated_at - a.updated_at);
    const page = rows.slice(0, limit);
    return {
      conversations: page,
      next: rows.length > limit ? String(page.at(-1).updated_at) : null,
      counts: { open: mine.filter((c) => c.state === 'open').length, unread: mine.filter((c) => c.unread > 0).length },
      cursor: String(world.log.length),
    };
  }],
  ['GET', /^W\/search$/, (world, { query }) => {
    const words = query.get('q').toLowerCase();
    const site = Number(query.get('site')) || null;
    const said = world.messages.filter((m) => (!site || m.site_id === site) && m.text.toLowerCase().includes(words));
    const view = ({ text, ...m }) => ({ ...m, line: [{ text, found: true }], visitor: world.conversations.find((c) => c.id === m.conversation_id).visitor });
    return { messages: said.toReversed().slice(0, 30).map(view), next: null, indexing: false };
  }],
  ['GET', /^W\/people$/, (world, { query }) => {
    const site = Number(query.get('site')) || null;
    const named = ({ visitor: v }) => [v.nickname, v.email, v.external_id].join(' ').toLowerCase().split(/[^\p{L}\p{N}]+/u);
    const wanted = query.get('q').toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
    const fits = (c) => wanted.length > 0 && wanted.every((word) => named(c).some((name) => name.startsWith(word)));
    return { conversations: world.conversations.filter((c) => (!site || c.site_id === site) && fits(c)), next: null, indexing: false };
  }],
  ['GET', /^sites\/(\d+)\/conversations\/(\d+)$/, (world, { ids, query }) => {
    const conversation = conversationOf(world, ids);
    const before = Number(query.get('before_seq')) || Infinity;
    const limit = Number(query.get('limit') ?? 50);
    const all = world.messages.filter((m) => m.conversation_id === ids[1] && m.seq < before);
    return { conversation, messages: all.slice(-limit), more: all.length > limit };
  }],
  ['POST', /^sites\/(\d+)\/conversations\/(\d+)\/messages$/, (world, { ids, body }) => {
    const conversation = conversationOf(world, ids);
    const known = world.messages.find((m) => m.client_id === body.client_id);
    if (known) return { message: known };
    if (body.text === 'refuse') throw new ApiError(413, 'text_too_long', 'This message is too long.');
    if (conversation.state === 'closed') {
      conversation.state = 'open';
      publish(world, { kind: 'conversation_changed', conversation });
    }
    const image = body.image ? world.images.get(body.image).image : null;
    return { message: sendMessage(world, conversation, 'agent', body.text ?? '', { client_id: body.client_id, name: world.account.name, account_id: world.account.id, image }) };
  }],
  ['POST', /^sites\/(\d+)\/conversations\/(\d+)\/(close|reopen)$/, (world, { ids, path }) => {
    const conversation = Object.assign(conversationOf(world, ids), { state: path.endsWith('close') ? 'closed' : 'open' });
    publish(world, { kind: 'conversation_changed', conversation });
    return conversation;
  }],
  ['POST', /^sites\/(\d+)\/images$/, (world, { raw, type }) => ({ image: storeImage(world, raw, type) })],
  ['POST', /^W\/ticket$/, () => ({ ticket: 'ticket' })],
  ['POST', /^W\/hint$/, (world, { body }) => { hint(world, body); return {}; }],
];

export function hint(world, it) {
  if (it.type !== 'seen' && it.type !== 'delivered') return;
  const conversation = world.conversations.find((c) => c.id === it.conversation_id);
  if (!conversation) return;
  if (it.type === 'delivered') conversation.agent_delivered_seq = Math.max(conversation.agent_delivered_seq, it.seq);
  else {
    conversation.agent_seen_seq = Math.max(conversation.agent_seen_seq, it.seq);
    conversation.unread = world.messages.filter((m) => m.conversation_id === conversation.id && m.from === 'visitor' && m.seq > conversation.agent_seen_seq).length;
  }
  publish(world, { kind: it.type, site_id: it.site_id, conversation_id: it.conversation_id, by: 'agent', seq: it.seq, unread: conversation.unread });
}

function signIn(world) {
  world.sessions = [{ id: newId(world), current: true, created_at: Date.now(), last_seen_at: Date.now(), address: '127.0.0.1', browser: 'Chromium 156 on Linux' }];
  return world.sessions[0];
}

function me(world, session) {
  return { account: world.account, workspaces: world.workspaces, csrf: 'csrf-token', session_id: session.id, public_url: world.publicUrl, insecure: false };
}

/** The sites of the workspace that the request names, as far as the member may see them. */
function sitesOf(world) {
  const { id, sites } = currentOf(world);
  return world.sites.filter((s) => s.workspace_id === id && (sites === null || sites.includes(s.id)));
}

function currentOf(world) {
  const found = world.workspaces.find((w) => w.id === world.asked);
  if (!found) throw new ApiError(404, 'not_found', 'There is no such workspace.');
  return found;
}

function membersOf(world) {
  const { id, name, email, photo = null, created_at } = world.account;
  const { role, sites } = currentOf(world);
  return [{ account_id: id, name, email, photo, role, sites, active: true, online: true, created_at, me: true }, ...world.members];
}

function memberOf(world, id) {
  const found = world.members.find((m) => m.account_id === id);
  if (!found) throw new ApiError(404, 'not_found', 'There is no such member.');
  return found;
}

function offerOf(world, token) {
  const offer = world.offers.get(token);
  if (!offer) throw new ApiError(404, 'not_found', 'There is no such invitation.');
  return offer;
}

function join(world, token) {
  const { workspace, role, sites } = offerOf(world, token);
  if (world.workspaces.some((w) => w.id === workspace.id)) throw new ApiError(409, 'conflict', 'You are a member of this workspace already.');
  world.offers.delete(token);
  world.workspaces.push({ id: workspace.id, name: workspace.name, role, sites });
}

function siteOf(world, id) {
  const site = world.sites.find((s) => s.id === id && world.workspaces.some((w) => w.id === s.workspace_id));
  if (!site) throw new ApiError(404, 'not_found', 'There is no such site.');
  return site;
}

function conversationOf(world, [site, id]) {
  const found = world.conversations.find((c) => c.site_id === site && c.id === id);
  if (!found) throw new ApiError(404, 'not_found', 'There is no such conversation.');
  return found;
}

function storeImage(world, raw, type) {
  const id = `agent_${newId(world)}.${type.split('/')[1]}`;
  const width = type === 'image/png' ? raw.readUInt32BE(16) : 640;
  const height = type === 'image/png' ? raw.readUInt32BE(20) : 480;
  const image = { id, url: `/uploads/chat_images/${id}`, thumb_url: `/uploads/chat_images/${id}`, width, height, animated: false };
  world.images.set(id, { image, raw, type });
  return image;
}

function summaryOf({ id, name, paused, look, limits, seen_page, unread, attack, same_external_id }) {
  return { id, name, paused, primary: look.primary, primary_text: look.primary_text, image_bytes: limits.image_bytes, seen_page, unread, attack, same_external_id };
}
