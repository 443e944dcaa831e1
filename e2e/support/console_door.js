// The console's door without a browser: for arranging what a story is not about.
import assert from 'node:assert/strict';
import { password } from './server.js';

export class ConsoleDoor {
  static async signIn(url, email) {
    const door = new ConsoleDoor();
    door.url = url;
    const response = await fetch(`${url}/api/console/sign-in`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email, password }),
    });
    assert.equal(response.status, 200, 'signs in');
    door.cookie = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ');
    door.csrf = (await response.json()).csrf;
    return door;
  }

  async ask(method, path, body) {
    const response = await fetch(`${this.url}/api/console/${path}`, {
      method,
      headers: { Cookie: this.cookie, 'X-CSRF-Token': this.csrf, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  configure(site, change) {
    return this.ask('PATCH', `sites/${site}`, change);
  }

  reply(site, conversation, client_id, text) {
    return this.ask('POST', `sites/${site}/conversations/${conversation}/messages`, { client_id, text });
  }

  conversations(state = 'all') {
    return this.ask('GET', `conversations?state=${state}&limit=50`).then((inbox) => inbox.conversations);
  }

  /** Every message of a conversation, oldest first. */
  async wholeThread(site, conversation) {
    const messages = [];
    let before = '';
    for (;;) {
      const page = await this.ask('GET', `sites/${site}/conversations/${conversation}?limit=50${before}`);
      messages.unshift(...page.messages);
      if (!page.more) return messages;
      before = `&before_seq=${page.messages[0].seq}`;
    }
  }
}
