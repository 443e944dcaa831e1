/** A hidden inbox still plays sounds; for this long it counts as present. */
const hiddenInboxMs = 30 * 60_000;

/**
 * Can an operator notice a chat on this console? Visitors see "We're online" only while one can: on a visible console, on any
 * page, because every page shows the unread count; or on an inbox that was visible recently.
 */
class Presence {
  #lastVisibleAt = Date.now();
  #published: boolean | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #publish: (present: boolean) => void = () => {};

  get current(): boolean {
    return document.visibilityState === 'visible' || (location.pathname.startsWith('/chat') && Date.now() - this.#lastVisibleAt < hiddenInboxMs);
  }

  /** Sets the function that sends a change to the server. */
  publishVia(publish: (present: boolean) => void): void {
    this.#publish = publish;
  }

  /** Publishes the presence again: a new connection knows at most what its first frame said. */
  republish(): void {
    this.#published = null;
    this.update();
  }

  update(): void {
    if (document.visibilityState === 'visible') this.#lastVisibleAt = Date.now();
    const present = this.current;
    clearTimeout(this.#timer);
    if (present && document.visibilityState !== 'visible') this.#timer = setTimeout(() => this.update(), hiddenInboxMs - (Date.now() - this.#lastVisibleAt) + 1);
    if (present === this.#published) return;
    this.#published = present;
    this.#publish(present);
  }
}

export const presence = new Presence();
