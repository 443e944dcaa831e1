import { type ImageProblem, Outbox as Queue, type OutboxItem, randomId, storageOutboxStore } from '@ocs/protocol';
import type { MessageForOperator } from '@ocs/protocol/wire';
import { ImageUploads, type Picked } from '@ocs/ui/composer/image_uploads.ts';
import { api } from '$lib/api/console-api';
import { account } from './account.svelte';
import type { ConversationKey } from './conversation-events';

const gallery = new ImageUploads('ocs-console');

/** Operators' messages that the server has not stored yet. */
class Outbox {
  items = $state.raw<readonly OutboxItem[]>([]);
  heldUntil = $state<number | null>(null);
  /** Called with each stored message at once, without waiting for its event. */
  onSent: (message: MessageForOperator) => void = () => {};
  #queue: Queue | null = null;
  /** Incremented when images of queued items can be displayed again after a reload. */
  #restoredCount = $state(0);

  itemsOf(key: ConversationKey): readonly OutboxItem[] {
    return this.items.filter((item) => item.lane === key);
  }

  resume(): void {
    this.#open().resume();
  }

  /** Prepares a file for sending, or returns the reason why it can't be sent. */
  pick(file: File, limit: number): Promise<Picked | ImageProblem> {
    return gallery.pick(randomId(), file, limit);
  }

  /** Queues the text, then the images. */
  send(key: ConversationKey, text: string, pictures: readonly Picked[]): void {
    const queue = this.#open();
    if (text !== '') queue.add({ client_id: randomId(), lane: key, text, image: null });
    for (const { id, name, type, shown } of pictures) {
      queue.add({ client_id: id, lane: key, text: '', image: { name, type, width: shown.width, height: shown.height } });
      gallery.keep(id);
    }
  }

  preview(client_id: string): string | null {
    void this.#restoredCount;
    return gallery.shown(client_id)?.thumb ?? null;
  }

  retry(client_id: string): void {
    this.#queue?.retry(client_id);
  }

  remove(client_id: string): void {
    this.#queue?.remove(client_id);
    this.discard(client_id);
  }

  /** Deletes an image that is no longer needed. */
  discard(client_id: string): void {
    gallery.drop(client_id);
    gallery.hide(client_id);
  }

  /** Removes an item that the thread now shows. */
  acknowledge(client_id: string): void {
    if (this.#queue?.has(client_id)) this.remove(client_id);
  }

  /** Stops sending at the end of a session. Queued items are kept until this operator signs in again. */
  stop(): void {
    this.#queue?.stop();
    this.#queue = null;
    this.items = [];
  }

  /** Deletes the queue after signing out: nothing of this operator may be sent in the next one's name. */
  clear(): void {
    for (const item of this.items) this.discard(item.client_id);
    this.#queue?.clear();
    this.#queue = null;
    this.items = [];
  }

  #open(): Queue {
    if (this.#queue) return this.#queue;
    const store = storageOutboxStore(localStorage, `ocs.outbox.${account.me?.account.id ?? 0}`);
    const queue: Queue = new Queue(store, {
      deliver: (item, stop, progress) => this.#deliver(item, stop, progress),
      isStored: (item) => this.#isStored(item),
      shrinkImage: (item) => gallery.shrinkImage(item),
      changed: () => {
        this.items = queue.items;
        this.heldUntil = queue.heldUntil;
      },
      unauthorised: () => {},
    });
    this.#queue = queue;
    queue.load();
    void this.#restore(queue.items);
    queue.resume();
    return queue;
  }

  async #deliver(item: OutboxItem, stop: AbortSignal, progress: (part: number) => void): Promise<void> {
    const [site = 0, id = 0] = item.lane.split('/').map(Number);
    const { client_id } = item;
    const body = item.image
      ? { client_id, image: await gallery.upload(client_id, (image) => api.uploadImage(site, image, stop, progress)) }
      : { client_id, text: item.text };
    const { message } = await api.reply(site, id, body);
    this.onSent(message);
    this.discard(client_id);
  }

  async #restore(items: readonly OutboxItem[]): Promise<void> {
    for (const item of items) await gallery.recall(item);
    this.#restoredCount += 1;
  }

  async #isStored({ client_id, lane }: OutboxItem): Promise<boolean> {
    const [site = 0, id = 0] = lane.split('/').map(Number);
    const { messages } = await api.thread(site, id);
    const message = messages.find((held) => held.client_id === client_id);
    if (message) this.onSent(message);
    return message !== undefined;
  }
}

export const outbox = new Outbox();
