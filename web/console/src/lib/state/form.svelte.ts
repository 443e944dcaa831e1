import { ApiError } from '@ocs/protocol';
import { errorText } from '$lib/strings/problem';

/** A form that submits once at a time and shows the server's error beside the field it concerns. */
export class Form {
  busy = $state(false);
  field = $state<string | null>(null);
  message = $state<string | null>(null);

  errorOf(field: string): string | null {
    return this.field === field ? this.message : null;
  }

  /** Clears the error of the last attempt. */
  clearError(): void {
    this.field = this.message = null;
  }

  async submit(act: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.clearError();
    try {
      await act();
      return true;
    } catch (problem) {
      this.field = problem instanceof ApiError ? (problem.detail?.field ?? null) : null;
      this.message = errorText(problem);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
