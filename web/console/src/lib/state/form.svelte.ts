import { Refusal } from '@ocs/protocol';
import { wordsOf } from '$lib/words/problem';

/** A form that is sent once at a time and shows a refusal beside the field at fault. */
export class Form {
  busy = $state(false);
  field = $state<string | null>(null);
  message = $state<string | null>(null);

  errorOf(field: string): string | null {
    return this.field === field ? this.message : null;
  }

  /** What was said of the last try. */
  forget(): void {
    this.field = this.message = null;
  }

  async send(act: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.forget();
    try {
      await act();
      return true;
    } catch (problem) {
      this.field = problem instanceof Refusal ? (problem.detail?.field ?? null) : null;
      this.message = wordsOf(problem);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
