import type { ConversationForOperator, MessageForOperator } from '@ocs/protocol/wire';
import { goto } from '$app/navigation';
import { notify, withdrawNotification } from '$lib/attention/notification';
import { inOneTab } from '$lib/attention/one-tab';
import { playSound, soundAllowed } from '$lib/attention/sound';
import { counted } from '$lib/words/count';
import { nameOfVisitor } from '$lib/words/visitor';
import { inbox } from './inbox.svelte';
import { preferences } from './preferences.svelte';

const quietMs = 2_500;
/** The tab that is looked at decides first, then one that may sound, then any. */
const turnMs = 200;
const sayEveryMs = 5_000;

/** Sound, desktop notification and the line for screen readers when a visitor writes. */
class Alerts {
  /** What the live region says. */
  said = $state('');
  /** The conversation being read: it needs no sound. */
  reading: { site: number; id: number } | null = null;

  #rang = 0;
  #spoke = 0;
  #unsaid = 0;
  #speak: ReturnType<typeof setTimeout> | undefined;

  arrived(message: MessageForOperator): void {
    const { site_id: site, conversation_id: id } = message;
    const watched = document.visibilityState === 'visible' && document.hasFocus();
    const name = `${site}-${id}-${message.seq}`;
    // Read at once: claimed, so that no other tab calls.
    if (watched && this.reading?.site === site && this.reading.id === id) return inOneTab(name, 0, () => {});
    inOneTab(name, watched ? 0 : soundAllowed() ? turnMs : 2 * turnMs, () => {
      if (preferences.now.sound && Date.now() - this.#rang > quietMs) {
        this.#rang = Date.now();
        playSound();
      }
      if (preferences.now.notify && !watched) void this.#notify(message);
    });
    this.#announce(inbox.at(site, id));
  }

  withdraw(site: number, id: number): void {
    withdrawNotification(site, id);
  }

  async #notify(message: MessageForOperator): Promise<void> {
    const { site_id: site, conversation_id: id } = message;
    const conversation = inbox.at(site, id) ?? (await inbox.ask(site, id));
    if (conversation) notify(conversation, message, preferences.now.notifyText, () => void goto(`/chat/${site}/${id}`));
  }

  /** At most one sentence every few seconds; a burst becomes a number. */
  #announce(conversation: ConversationForOperator | undefined): void {
    this.#unsaid += 1;
    clearTimeout(this.#speak);
    this.#speak = setTimeout(() => {
      const from = conversation ? ` from ${nameOfVisitor(conversation.visitor)}` : '';
      this.said = this.#unsaid === 1 ? `New message${from}` : counted(this.#unsaid, 'new message');
      this.#unsaid = 0;
      this.#spoke = Date.now();
    }, Math.max(0, this.#spoke + sayEveryMs - Date.now()));
  }
}

export const alerts = new Alerts();
