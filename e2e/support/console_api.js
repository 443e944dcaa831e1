// A client of the console API, for arranging what a story is not about without a browser.
import assert from 'node:assert/strict';
import { password } from './server.js';

export class ConsoleApi {
  /** Signs in, and works in the oldest workspace of the account. */
  static async signIn(url, email) {
    const api = new ConsoleApi();
    api.url = url;
    const response = await fetch(`${url}/api/console/sign-in`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email, password }),
    });
    assert.equal(response.status, 200, 'signs in');
    api.cookie = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ');
    const { csrf, workspaces } = await response.json();
    api.csrf = csrf;
    api.workspace = workspaces[0]?.id;
    return api;
  }

  async request(method, path, body) {
    const response = await fetch(`${this.url}/api/console/${path}`, {
      method,
      headers: { Cookie: this.cookie, 'X-CSRF-Token': this.csrf, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  /** A request about something in the workspace. */
  inWorkspace(method, path, body) {
    return this.request(method, `workspaces/${this.workspace}/${path}`, body);
  }

  /** Returns the link of a new invitation. `sites`: null means all. */
  invite({ note = 'Vera', role = 'operator', sites = null } = {}) {
    return this.inWorkspace('POST', 'invitations', { note, role, sites }).then(({ link }) => link);
  }

  configure(site, change) {
    return this.request('PATCH', `sites/${site}`, change);
  }

  reply(site, conversation, client_id, text) {
    return this.request('POST', `sites/${site}/conversations/${conversation}/messages`, { client_id, text });
  }

  conversations(state = 'all') {
    return this.inWorkspace('GET', `conversations?state=${state}&limit=50`).then((inbox) => inbox.conversations);
  }

  /** Every message of a conversation, oldest first. */
  async wholeThread(site, conversation) {
    const messages = [];
    let before = '';
    for (;;) {
      const page = await this.request('GET', `sites/${site}/conversations/${conversation}?limit=50${before}`);
      messages.unshift(...page.messages);
      if (!page.more) return messages;
      before = `&before_seq=${page.messages[0].seq}`;
    }
  }
}
