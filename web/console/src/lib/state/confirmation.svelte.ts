import type { ApiError } from '@ocs/protocol';
import { api } from '$lib/api/console-api';

/** Asks the user for password or code when the server requires a confirmation. Concurrent requests share one prompt. */
class Confirmation {
  /** What the open prompt asks for; null when it is closed. */
  requested = $state<'password' | 'code' | null>(null);

  #waiting: ((confirmed: boolean) => void)[] = [];

  request(refusal: ApiError): Promise<boolean> {
    this.requested = refusal.detail?.field === 'code' ? 'code' : 'password';
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async submit(secret: string): Promise<void> {
    await api.confirm(this.requested === 'code' ? { code: secret } : { password: secret });
    this.#settle(true);
  }

  cancel(): void {
    if (this.requested) this.#settle(false);
  }

  #settle(confirmed: boolean): void {
    this.requested = null;
    for (const resolve of this.#waiting.splice(0)) resolve(confirmed);
  }
}

export const confirmation = new Confirmation();
