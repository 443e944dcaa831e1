const MAX_SCALE = 5;
const SWIPE_PX = 90;

const STEP_PX = 80;
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [STEP_PX, 0], ArrowRight: [-STEP_PX, 0], ArrowUp: [0, STEP_PX], ArrowDown: [0, -STEP_PX] };

/** Zooms an image up to five times: wheel, pinch, double click, + and -. Drag or arrow keys pan; a swipe or a click beside the image closes. */
export class Zoom {
  #scale = 1;
  #x = 0;
  #y = 0;
  #moved = 0;
  readonly #pointers = new Map<number, PointerEvent>();
  readonly #backdrop: HTMLElement;
  readonly #abort = new AbortController();

  constructor(private readonly image: HTMLElement, private readonly close: () => void) {
    this.#backdrop = image.parentElement!;
    const on = <K extends keyof HTMLElementEventMap>(type: K, act: (event: HTMLElementEventMap[K]) => void) =>
      this.#backdrop.addEventListener(type, act, { signal: this.#abort.signal, passive: false });
    on("wheel", (event) => {
      event.preventDefault();
      this.#to(this.#scale * Math.exp(-event.deltaY / 300));
    });
    on("dblclick", (event) => image.contains(event.target as Node) && this.#to(this.#scale > 1 ? 1 : 2.5));
    on("pointerdown", (event) => {
      this.#pointers.set(event.pointerId, event);
      this.#moved = 0;
    });
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#pointers.delete(event.pointerId));
  }

  readonly stop = () => this.#abort.abort();

  /** Handles a key. Returns true if the key has a meaning here. */
  key(key: string): boolean {
    const arrow = ARROWS[key];
    if (arrow === undefined && !/^[+=\-_0]$/.test(key)) return false;
    if (arrow === undefined) this.#to(key === "0" ? 1 : this.#scale * (/[+=]/.test(key) ? 1.5 : 1 / 1.5));
    else if (this.#scale > 1) this.#by(...arrow);
    return true;
  }

  #move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (before === undefined) return;
    const other = [...this.#pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    this.#pointers.set(event.pointerId, event);
    this.#moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
    if (other !== undefined) {
      const apart = (pointer: PointerEvent) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY);
      return this.#to((this.#scale * apart(event)) / Math.max(1, apart(before)));
    }
    this.#by(event.clientX - before.clientX, event.clientY - before.clientY);
  }

  #by(x: number, y: number): void {
    this.#x += x;
    this.#y += y;
    this.#draw();
  }

  #up(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    if (this.#scale > 1) return;
    if (Math.abs(this.#y) > SWIPE_PX || (this.#moved < 6 && event.target === this.#backdrop)) return this.close();
    this.#to(1);
  }

  #to(scale: number): void {
    this.#scale = Math.min(MAX_SCALE, Math.max(1, scale));
    if (this.#scale === 1) this.#x = this.#y = 0;
    this.#draw();
  }

  #draw(): void {
    this.image.classList.toggle("zoomed", this.#scale > 1);
    this.image.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})`;
  }
}
