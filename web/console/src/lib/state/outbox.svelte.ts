import { type ImageProblem, Outbox as Queue, type OutboxItem, randomId, storageOutboxStore } from '@ocs/protocol';
import type { MessageForOperator } from '@ocs/protocol/wire';
import { Gallery, type Picked } from '@ocs/ui/composer/gallery.ts';
import { door } from '$lib/api/door';
import { account } from './account.svelte';
import type { Key } from './conversation-events';

const gallery = new Gallery('ocs-console');

/** What operators wrote and the server does not hold yet. */
class Outbox {
  items = $state.raw<readonly OutboxItem[]>([]);
  heldUntil = $state<number | null>(null);
  /** Told of each message at once, without waiting for the line to bring it. */
  sent: (message: MessageForOperator) => void = () => {};
  #queue: Queue | null = null;
  /** Grows when pictures that a reload left can be shown. */
  #recalled = $state(0);

  of(key: Key): readonly OutboxItem[] {
    return this.items.filter((item) => item.lane === key);
  }

  resume(): void {
    this.#open().resume();
  }

  /** Makes a file fit to send, or returns why it cannot be sent. */
  pick(file: File, limit: number): Promise<Picked | ImageProblem> {
    return gallery.pick(randomId(), file, limit);
  }

  /** The text, then the pictures. */
  send(key: Key, text: string, pictures: readonly Picked[]): void {
    const queue = this.#open();
    if (text !== '') queue.add({ client_id: randomId(), lane: key, text, image: null });
    for (const { id, name, type, shown } of pictures) {
      queue.add({ client_id: id, lane: key, text: '', image: { name, type, width: shown.width, height: shown.height } });
      gallery.keep(id);
    }
  }

  preview(client_id: string): string | null {
    void this.#recalled;
    return gallery.shown(client_id)?.thumb ?? null;
  }

  retry(client_id: string): void {
    this.#queue?.retry(client_id);
  }

  remove(client_id: string): void {
    this.#queue?.remove(client_id);
    this.discard(client_id);
  }

  /** Nobody needs this picture any more. */
  discard(client_id: string): void {
    gallery.drop(client_id);
    gallery.hide(client_id);
  }

  /** The thread has it now. */
  arrived(client_id: string): void {
    if (this.#queue?.has(client_id)) this.remove(client_id);
  }

  /** The session has ended; what waits is kept for the next time this operator signs in. */
  rest(): void {
    this.#queue?.stop();
    this.#queue = null;
    this.items = [];
  }

  /** Signed out: nothing of this operator may go out under the next. */
  forget(): void {
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
      holds: (item) => this.#holds(item),
      lighten: (item) => gallery.lighten(item),
      changed: () => {
        this.items = queue.items;
        this.heldUntil = queue.heldUntil;
      },
      unauthorised: () => {},
    });
    this.#queue = queue;
    queue.load();
    void this.#recall(queue.items);
    queue.resume();
    return queue;
  }

  async #deliver(item: OutboxItem, stop: AbortSignal, progress: (part: number) => void): Promise<void> {
    const [site = 0, id = 0] = item.lane.split('/').map(Number);
    const { client_id } = item;
    const body = item.image
      ? { client_id, image: await gallery.upload(client_id, (image) => door.uploadImage(site, image, stop, progress)) }
      : { client_id, text: item.text };
    const { message } = await door.reply(site, id, body);
    this.sent(message);
    this.discard(client_id);
  }

  async #recall(items: readonly OutboxItem[]): Promise<void> {
    for (const item of items) await gallery.recall(item);
    this.#recalled += 1;
  }

  async #holds({ client_id, lane }: OutboxItem): Promise<boolean> {
    const [site = 0, id = 0] = lane.split('/').map(Number);
    const { messages } = await door.thread(site, id);
    const message = messages.find((held) => held.client_id === client_id);
    if (message) this.sent(message);
    return message !== undefined;
  }
}

export const outbox = new Outbox();
