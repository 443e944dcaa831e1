import { imageStore, lightenImage, Outbox as Queue, type OutboxItem, prepareImage, randomId, Refusal, storageOutboxStore } from '@ocs/protocol';
import type { MessageForOperator } from '@ocs/protocol/wire';
import { door } from '$lib/api/door';
import { account } from './account.svelte';
import type { Key } from './conversation-events';
import { threads } from './thread.svelte';

const pictures = imageStore(globalThis.indexedDB, 'ocs-console');

/** What operators wrote and the server does not hold yet. */
class Outbox {
  items = $state.raw<readonly OutboxItem[]>([]);
  heldUntil = $state<number | null>(null);
  /** Told of each message at once, without waiting for the line to bring it. */
  sent: (message: MessageForOperator) => void = () => {};
  #queue: Queue | null = null;
  #uploaded = new Map<string, string>();
  #previews = new Map<string, string>();

  of(key: Key): readonly OutboxItem[] {
    return this.items.filter((item) => item.lane === key);
  }

  resume(): void {
    this.#open().resume();
  }

  say(key: Key, text: string): void {
    this.#open().add({ client_id: randomId(), lane: key, text, image: null });
  }

  /** Returns why the picture was not taken, or null. */
  async show(key: Key, file: File, limit: number): Promise<string | null> {
    const made = await prepareImage(file, limit);
    if (made === 'invalid_image') return `${file.name} is not a png, jpg or gif picture.`;
    if (made === 'image_too_large') return `${file.name} is larger than this site allows.`;
    const client_id = randomId();
    await pictures.put(client_id, made.blob);
    this.#previews.set(client_id, URL.createObjectURL(made.blob));
    this.#open().add({ client_id, lane: key, text: '', image: { name: file.name, type: made.type, width: made.width, height: made.height } });
    return null;
  }

  preview(client_id: string): string | null {
    return this.#previews.get(client_id) ?? null;
  }

  retry(client_id: string): void {
    this.#queue?.retry(client_id);
  }

  remove(client_id: string): void {
    this.#queue?.remove(client_id);
    this.#tidy(client_id);
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
    for (const item of this.items) this.#tidy(item.client_id);
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
      lighten: (item) => this.#lighten(item),
      changed: () => {
        this.items = queue.items;
        this.heldUntil = queue.heldUntil;
      },
      unauthorised: () => {},
    });
    this.#queue = queue;
    queue.load();
    queue.resume();
    return queue;
  }

  async #deliver(item: OutboxItem, stop: AbortSignal, progress: (part: number) => void): Promise<void> {
    const [site = 0, id = 0] = item.lane.split('/').map(Number);
    try {
      const body = item.image ? { client_id: item.client_id, image: await this.#upload(site, item, stop, progress) } : { client_id: item.client_id, text: item.text };
      const { message } = await door.reply(site, id, body);
      this.sent(message);
    } catch (problem) {
      // An earlier try of this picture did arrive, under the name of an earlier upload.
      if (!(item.image && problem instanceof Refusal && problem.code === 'conflict')) throw problem;
      await threads.open(site, id).load();
    }
    this.#tidy(item.client_id);
  }

  async #upload(site: number, item: OutboxItem, stop: AbortSignal, progress: (part: number) => void): Promise<string> {
    const known = this.#uploaded.get(item.client_id);
    if (known) return known;
    const blob = await pictures.get(item.client_id);
    if (!blob) throw new Refusal(400, 'invalid_image', 'The picture is no longer in this browser. Delete it and pick it again.');
    const image = await door.uploadImage(site, blob, stop, progress);
    this.#uploaded.set(item.client_id, image);
    return image;
  }

  async #holds({ client_id, lane }: OutboxItem): Promise<boolean> {
    const [site = 0, id = 0] = lane.split('/').map(Number);
    const { messages } = await door.thread(site, id);
    const message = messages.find((held) => held.client_id === client_id);
    if (message) this.sent(message);
    return message !== undefined;
  }

  async #lighten({ client_id, image }: OutboxItem): Promise<OutboxItem['image']> {
    const blob = await pictures.get(client_id);
    const made = blob && (await lightenImage(blob));
    if (!made) return null;
    await pictures.put(client_id, made.blob);
    return { name: image!.name, type: made.type, width: made.width, height: made.height };
  }

  #tidy(client_id: string): void {
    const url = this.#previews.get(client_id);
    if (url) setTimeout(() => URL.revokeObjectURL(url), 10_000);
    this.#previews.delete(client_id);
    this.#uploaded.delete(client_id);
    void pictures.drop(client_id);
  }
}

export const outbox = new Outbox();
