import { ApiError } from '@ocs/protocol';
import type { About, Me, SignUp } from '@ocs/protocol/wire';
import { api } from '$lib/api/console-api';
import { setCsrfToken } from '$lib/api/request';

class Account {
  me = $state.raw<Me | null>(null);
  about = $state.raw<About | null>(null);

  /** The page was loaded by plain http from another machine: the network can read passwords and chats. */
  unencrypted = $derived(Boolean((this.me ?? this.about)?.insecure) && !isLocalhost());

  /** Loads the signed-in operator. Resolves to false if nobody is signed in. */
  async load(): Promise<boolean> {
    if (this.me) return true;
    try {
      this.set(await api.me());
      return true;
    } catch (refusal) {
      if (refusal instanceof ApiError && refusal.code === 'not_signed_in') return false;
      throw refusal;
    }
  }

  async loadAbout(): Promise<About> {
    return (this.about = await api.about());
  }

  async signIn(email: string, password: string, code = ''): Promise<void> {
    this.set(await api.signIn(code ? { email, password, code } : { email, password }));
  }

  async signUp(form: SignUp): Promise<void> {
    this.set(await api.signUp(form));
  }

  async rename(name: string): Promise<void> {
    this.set(await api.rename({ name }));
  }

  set(me: Me): void {
    this.me = me;
    setCsrfToken(me.csrf);
  }

  clear(): void {
    this.me = null;
    setCsrfToken('');
  }
}

function isLocalhost(): boolean {
  return typeof location !== 'undefined' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname);
}

export const account = new Account();
