import { Refusal } from '@ocs/protocol';
import type { About, Me } from '@ocs/protocol/wire';
import { door } from '$lib/api/door';
import { keepCsrf } from '$lib/api/request';

class Account {
  me = $state.raw<Me | null>(null);
  about = $state.raw<About | null>(null);

  /** Plain http to another machine: passwords and chats can be read on the way. */
  exposed = $derived(Boolean((this.me ?? this.about)?.insecure) && !isThisMachine());

  /** true when somebody is signed in. */
  async load(): Promise<boolean> {
    if (this.me) return true;
    try {
      this.keep(await door.me());
      return true;
    } catch (refusal) {
      if (refusal instanceof Refusal && refusal.code === 'not_signed_in') return false;
      throw refusal;
    }
  }

  async loadAbout(): Promise<About> {
    return (this.about = await door.about());
  }

  async signIn(email: string, password: string, code = ''): Promise<void> {
    this.keep(await door.signIn(code ? { email, password, code } : { email, password }));
  }

  async signUp(email: string, password: string, name: string): Promise<void> {
    this.keep(await door.signUp(name ? { email, password, name } : { email, password }));
  }

  async rename(name: string): Promise<void> {
    this.keep(await door.rename({ name }));
  }

  keep(me: Me): void {
    this.me = me;
    keepCsrf(me.csrf);
  }

  forget(): void {
    this.me = null;
    keepCsrf('');
  }
}

function isThisMachine(): boolean {
  return typeof location !== 'undefined' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname);
}

export const account = new Account();
