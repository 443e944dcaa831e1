import type { OperatorHint } from '@ocs/protocol/wire';

type Place = { site_id: number; conversation_id: number };

/** Colleagues drop what was not renewed for ten seconds. */
const renewEveryMs = 5_000;
const typingEveryMs = 2_000;
/** Somebody who pauses this long is no longer typing. */
const typingLastsMs = 4_000;

/** Tells colleagues which conversation is open on this screen, and whether an answer is being typed. */
export class OwnViewing {
  #place: Place | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #typedAt = -Infinity;
  #typingSentAt = -Infinity;
  #send: (hint: OperatorHint) => void = () => {};

  /** Sets the function that sends to the server. */
  publishVia(send: (hint: OperatorHint) => void): void {
    this.#send = send;
  }

  open(place: Place): void {
    this.#place = place;
    this.#typedAt = this.#typingSentAt = -Infinity;
    document.addEventListener('visibilitychange', this.#update);
    this.#update();
  }

  close(place: Place): void {
    if (this.#place?.site_id !== place.site_id || this.#place.conversation_id !== place.conversation_id) return;
    document.removeEventListener('visibilitychange', this.#update);
    this.#stop();
    this.#place = null;
  }

  /** The draft of the open conversation changed. */
  typing(draft: string): void {
    if (!draft.trim()) return this.#stopTyping();
    this.#typedAt = Date.now();
    if (this.#typedAt - this.#typingSentAt < typingEveryMs) return;
    this.#typingSentAt = this.#typedAt;
    this.#renew();
  }

  /** Says it again on a new connection. */
  republish(): void {
    if (this.#timer !== undefined) this.#renew();
  }

  #stopTyping(): void {
    if (this.#typedAt === -Infinity) return;
    this.#typedAt = this.#typingSentAt = -Infinity;
    this.#renew();
  }

  /** Starts when the conversation is on the screen and stops when it is not. */
  #update = (): void => {
    if (document.visibilityState !== 'visible') return this.#stop();
    this.#timer ??= setInterval(() => this.#renew(), renewEveryMs);
    this.#renew();
  };

  #renew(): void {
    if (this.#place) this.#send({ type: 'viewing', ...this.#place, typing: Date.now() - this.#typedAt < typingLastsMs });
  }

  #stop(): void {
    if (this.#timer === undefined || !this.#place) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#send({ type: 'left', ...this.#place });
  }
}

export const ownViewing = new OwnViewing();
