import type { ConversationForOperator } from '@ocs/protocol/wire';
import type { Composing } from '@ocs/ui/composer/composing.ts';
import { Tray } from '@ocs/ui/composer/tray.svelte.ts';
import { composerWords } from '$lib/words/composer';
import { nameOfVisitor } from '$lib/words/visitor';
import { type Key, keyOf } from './conversation-events';
import { drafts } from './drafts.svelte';
import { live } from './live.svelte';
import { outbox } from './outbox.svelte';
import { sites } from './sites.svelte';

const typingEveryMs = 3_000;
const imageBytesUntilTold = 5_242_880;

/** What an operator writes into one conversation. */
export class Reply implements Composing {
  readonly language = { words: composerWords, spoken: 'en', direction: 'auto' } as const;
  readonly tray: Tray;
  draft = $state('');
  readonly #key: Key;
  #typedAt = 0;

  /** `conversation` returns it as it is now. */
  constructor(private readonly conversation: () => ConversationForOperator) {
    this.#key = keyOf(conversation());
    this.tray = trays.of(this.#key);
    this.draft = drafts.of(this.#key);
  }

  get placeholder(): string {
    return `Reply to ${nameOfVisitor(this.conversation().visitor)}`;
  }

  typed(text: string): void {
    this.draft = text;
    drafts.set(this.#key, text);
    if (!text.trim() || Date.now() - this.#typedAt < typingEveryMs) return;
    this.#typedAt = Date.now();
    const { id, site_id } = this.conversation();
    live.hint({ type: 'typing', site_id, conversation_id: id });
  }

  moved(): void {}

  addPictures(files: readonly File[]): void {
    const limit = sites.byId(this.conversation().site_id)?.image_bytes ?? imageBytesUntilTold;
    void this.tray.add(files, (file) => outbox.pick(file, limit));
  }

  removePicture(id: string): void {
    this.tray.remove(id);
    outbox.discard(id);
  }

  send(text: string): void {
    outbox.send(this.#key, text.trim(), this.tray.take());
    this.#typedAt = 0;
  }
}

/** Pictures wait in their conversation while another one is open. */
class Trays {
  #held = new Map<Key, Tray>();

  of(key: Key): Tray {
    const tray = this.#held.get(key) ?? new Tray(composerWords);
    this.#held.set(key, tray);
    return tray;
  }

  forget(): void {
    for (const tray of this.#held.values()) for (const { id } of tray.take()) outbox.discard(id);
    this.#held.clear();
  }
}

export const trays = new Trays();
