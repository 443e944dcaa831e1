import { ApiError } from '@ocs/protocol';

/** The text to show for anything thrown: the server's message as a sentence, without the name of the field that it is shown beside. */
export function errorText(problem: unknown): string {
  if (!(problem instanceof Error)) return 'Something went wrong. Try again.';
  const field = problem instanceof ApiError ? problem.detail?.field : undefined;
  const words = field && problem.message.startsWith(`${field}: `) ? problem.message.slice(field.length + 2) : problem.message;
  // Server messages start in lower case. Messages of the console are written as shown and may start with a file name.
  const sentence = problem instanceof ApiError ? words.charAt(0).toUpperCase() + words.slice(1) : words;
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}
