import { createHmac } from 'node:crypto';

export function ocsIdentityToken(userId) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = encode({ alg: 'HS256', typ: 'JWT' });
  const body = encode({ sub: String(userId), exp: Math.floor(Date.now() / 1000) + 3600 });
  const proof = createHmac('sha256', process.env.CHAT_IDENTITY_SECRET).update(`${head}.${body}`).digest('base64url');
  return `${head}.${body}.${proof}`;
}
