import { Refusal } from '@ocs/protocol';

/** What to show of anything thrown: the server's own words as a sentence, without the name of the field they stand beside. */
export function wordsOf(problem: unknown): string {
  if (!(problem instanceof Error)) return 'Something went wrong. Try again.';
  const field = problem instanceof Refusal ? problem.detail?.field : undefined;
  const words = field && problem.message.startsWith(`${field}: `) ? problem.message.slice(field.length + 2) : problem.message;
  // The server writes without a capital; what stands here is written as it is shown, and may begin with a file's name.
  const sentence = problem instanceof Refusal ? words.charAt(0).toUpperCase() + words.slice(1) : words;
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}
