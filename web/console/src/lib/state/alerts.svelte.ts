import type { ConversationForOperator, MessageForOperator } from '@ocs/protocol/wire';
import { goto } from '$app/navigation';
import { notify, withdrawNotification } from '$lib/attention/notification';
import { runInOneTab } from '$lib/attention/one-tab';
import { playSound, soundAllowed } from '$lib/attention/sound';
import { pluralize } from '$lib/strings/count';
import { visitorName } from '$lib/strings/visitor';
import { inbox } from './inbox.svelte';
import { preferences } from './preferences.svelte';

const soundEveryMs = 2_500;
/** The focused tab claims a message first, then a tab that may play sound, then any other. */
const tabDelayMs = 200;
const announceEveryMs = 5_000;

/** Sound, desktop notification and screen-reader announcement for a visitor's message. */
class Alerts {
  /** The text of the ARIA live region. */
  announcement = $state('');
  /** The open conversation, which needs no sound. */
  reading: { site: number; id: number } | null = null;

  #lastSoundAt = 0;
  #lastAnnouncedAt = 0;
  #unannounced = 0;
  #announceTimer: ReturnType<typeof setTimeout> | undefined;

  messageReceived(message: MessageForOperator): void {
    const { site_id: site, conversation_id: id } = message;
    const inFront = document.visibilityState === 'visible' && document.hasFocus();
    const name = `${site}-${id}-${message.seq}`;
    // It is being read here: claim it, so that no other tab alerts.
    if (inFront && this.reading?.site === site && this.reading.id === id) return runInOneTab(name, 0, () => {});
    runInOneTab(name, inFront ? 0 : soundAllowed() ? tabDelayMs : 2 * tabDelayMs, () => {
      if (preferences.current.sound && Date.now() - this.#lastSoundAt > soundEveryMs) {
        this.#lastSoundAt = Date.now();
        playSound();
      }
      if (preferences.current.notify && !inFront) void this.#notify(message);
    });
    this.#announce(inbox.get(site, id));
  }

  withdraw(site: number, id: number): void {
    withdrawNotification(site, id);
  }

  async #notify(message: MessageForOperator): Promise<void> {
    const { site_id: site, conversation_id: id } = message;
    const conversation = inbox.get(site, id) ?? (await inbox.fetchConversation(site, id));
    if (conversation) notify(conversation, message, preferences.current.notifyText, () => void goto(`/chat/${site}/${id}`));
  }

  /** Announces at most once every five seconds; a burst becomes a count. */
  #announce(conversation: ConversationForOperator | undefined): void {
    this.#unannounced += 1;
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => {
      const from = conversation ? ` from ${visitorName(conversation.visitor)}` : '';
      this.announcement = this.#unannounced === 1 ? `New message${from}` : pluralize(this.#unannounced, 'new message');
      this.#unannounced = 0;
      this.#lastAnnouncedAt = Date.now();
    }, Math.max(0, this.#lastAnnouncedAt + announceEveryMs - Date.now()));
  }
}

export const alerts = new Alerts();
