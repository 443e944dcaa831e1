import type { ConversationForOperator } from '@ocs/protocol/wire';
import type { ComposerModel } from '@ocs/ui/composer/composer_model.ts';
import { Tray } from '@ocs/ui/composer/tray.svelte.ts';
import { composerStrings } from '$lib/strings/composer';
import { visitorName } from '$lib/strings/visitor';
import { type ConversationKey, keyOf } from './conversation-events';
import { drafts } from './drafts.svelte';
import { connection } from './connection.svelte';
import { outbox } from './outbox.svelte';
import { ownViewing } from './own-viewing';
import { sites } from './sites.svelte';

const typingEveryMs = 3_000;
const defaultImageBytes = 5_242_880;

/** The composer model of one conversation: draft, images and sending. */
export class ReplyComposer implements ComposerModel {
  readonly language = { words: composerStrings, spoken: 'en', direction: 'auto' } as const;
  readonly tray: Tray;
  draft = $state('');
  readonly #key: ConversationKey;
  #typingSentAt = 0;

  /** `conversation` returns its current state. */
  constructor(private readonly conversation: () => ConversationForOperator) {
    this.#key = keyOf(conversation());
    this.tray = trays.get(this.#key);
    this.draft = drafts.get(this.#key);
  }

  get placeholder(): string {
    return `Reply to ${visitorName(this.conversation().visitor)}`;
  }

  setDraft(text: string): void {
    this.draft = text;
    drafts.set(this.#key, text);
    ownViewing.typing(text);
    if (!text.trim() || Date.now() - this.#typingSentAt < typingEveryMs) return;
    this.#typingSentAt = Date.now();
    const { id, site_id } = this.conversation();
    connection.hint({ type: 'typing', site_id, conversation_id: id });
  }

  moveCaret(): void {}

  addPictures(files: readonly File[]): void {
    const limit = sites.byId(this.conversation().site_id)?.image_bytes ?? defaultImageBytes;
    void this.tray.add(files, (file) => outbox.pick(file, limit));
  }

  removePicture(id: string): void {
    this.tray.remove(id);
    outbox.discard(id);
  }

  send(text: string): void {
    outbox.send(this.#key, text.trim(), this.tray.take());
    this.#typingSentAt = 0;
  }
}

/** The attachment tray of each conversation: it keeps its images while another conversation is open. */
class Trays {
  #trays = new Map<ConversationKey, Tray>();

  get(key: ConversationKey): Tray {
    const tray = this.#trays.get(key) ?? new Tray(composerStrings);
    this.#trays.set(key, tray);
    return tray;
  }

  clear(): void {
    for (const tray of this.#trays.values()) for (const { id } of tray.take()) outbox.discard(id);
    this.#trays.clear();
  }
}

export const trays = new Trays();
