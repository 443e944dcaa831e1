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
      this.field = this.fieldOf(problem);
      this.message = errorText(problem);
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** The field that a refusal concerns; null for the form as a whole. */
  protected fieldOf(problem: unknown): string | null {
    return problem instanceof ApiError ? (problem.detail?.field ?? null) : null;
  }
}

/** A form for what needs the password each time, and also a code if the account has two-factor authentication. */
export class IdentityForm extends Form {
  password = $state('');
  code = $state('');
  /** The password was right and the account requires a code as well. */
  needsCode = $state(false);

  /** A refused password is the one asked for here: the server names no field. */
  protected override fieldOf(problem: unknown): string | null {
    return problem instanceof ApiError && problem.code === 'wrong_credentials' ? 'password' : super.fieldOf(problem);
  }

  /** Submits with what was entered. Resolves to false if it failed or if the code is still to be entered. */
  async prove(act: (shown: { password: string; code: string | null }) => Promise<unknown>): Promise<boolean> {
    let done = false;
    await this.submit(async () => {
      try {
        await act({ password: this.password, code: this.needsCode ? this.code : null });
        done = true;
      } catch (problem) {
        if (!(problem instanceof ApiError) || problem.code !== 'second_factor_required' || this.needsCode) throw problem;
        this.needsCode = true;
      }
    });
    return done;
  }

  /** Forgets what was entered. */
  reset(): void {
    this.password = this.code = '';
    this.needsCode = false;
    this.clearError();
  }
}
