/** An inbox out of sight still rings and counts for so long. */
const ringsForMs = 30 * 60_000;

/**
 * Can somebody see a chat on this console? Visitors are told "We're online" only while one can: a console in sight, on
 * whatever page, because each shows what is unread; or an inbox that was in sight not long ago.
 */
class Presence {
  #inSightAt = Date.now();
  #said: boolean | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tell: (present: boolean) => void = () => {};

  get now(): boolean {
    return document.visibilityState === 'visible' || (location.pathname.startsWith('/chat') && Date.now() - this.#inSightAt < ringsForMs);
  }

  /** How a change is told to the server. */
  toldBy(tell: (present: boolean) => void): void {
    this.#tell = tell;
  }

  /** A new connection knows nothing yet, or only what its first frame said. */
  repeat(): void {
    this.#said = null;
    this.look();
  }

  look(): void {
    if (document.visibilityState === 'visible') this.#inSightAt = Date.now();
    const present = this.now;
    clearTimeout(this.#timer);
    if (present && document.visibilityState !== 'visible') this.#timer = setTimeout(() => this.look(), ringsForMs - (Date.now() - this.#inSightAt) + 1);
    if (present === this.#said) return;
    this.#said = present;
    this.#tell(present);
  }
}

export const presence = new Presence();
