import type { Refusal } from '@ocs/protocol';
import { door } from '$lib/api/door';

/** The server asks again who this is. Calls that wait at the same time share one question. */
class Confirmation {
  /** What is asked for; null: nothing. */
  asked = $state<'password' | 'code' | null>(null);

  #waiting: ((confirmed: boolean) => void)[] = [];

  ask(refusal: Refusal): Promise<boolean> {
    this.asked = refusal.detail?.field === 'code' ? 'code' : 'password';
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async show(text: string): Promise<void> {
    await door.confirm(this.asked === 'code' ? { code: text } : { password: text });
    this.#answer(true);
  }

  leave(): void {
    if (this.asked) this.#answer(false);
  }

  #answer(confirmed: boolean): void {
    this.asked = null;
    for (const resolve of this.#waiting.splice(0)) resolve(confirmed);
  }
}

export const confirmation = new Confirmation();
