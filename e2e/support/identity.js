// Signs identity tokens, as a site's own server does.
import { createHmac } from 'node:crypto';

const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export function sign(secret, sub, { exp = Math.floor(Date.now() / 1000) + 600, alg = 'HS256' } = {}) {
  const signed = `${part({ alg, typ: 'JWT' })}.${part({ sub, exp })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
