import { readTab, writeTab } from './browser-storage';
import { errorText } from '$lib/strings/problem';

export type Toast = { id: number; tone: 'plain' | 'danger'; text: string };

const storageKey = 'ocs.notice';

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

  /** Keeps a text for the page that this tab loads next. */
  keep(text: string): void {
    writeTab(storageKey, text);
  }

  /** Shows what the page before this one kept. */
  showKept(): void {
    const text = readTab(storageKey);
    writeTab(storageKey, null);
    if (text) this.info(text);
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
