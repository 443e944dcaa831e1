import { errorText } from '$lib/strings/problem';

export type Toast = { id: number; tone: 'plain' | 'danger'; text: string };

class Toasts {
  list = $state.raw<Toast[]>([]);
  #last = 0;

  info(text: string): void {
    this.#show('plain', text);
  }

  /** Shows the message of anything that a request threw. */
  error(problem: unknown): void {
    if (problem instanceof DOMException && problem.name === 'AbortError') return;
    this.#show('danger', errorText(problem));
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  #show(tone: Toast['tone'], text: string): void {
    const id = ++this.#last;
    this.list = [...this.list.filter((toast) => toast.text !== text), { id, tone, text }].slice(-3);
    setTimeout(() => this.close(id), tone === 'danger' ? 8000 : 4000);
  }
}

export const toasts = new Toasts();
