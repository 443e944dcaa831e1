const words: Record<string, string> = {
  invalid_image: 'This picture could not be read.',
  image_too_large: 'This picture is too large.',
  text_too_long: 'This message is too long.',
  empty_message: 'There is nothing to send.',
  not_found: 'This conversation no longer exists.',
  site_paused: 'This site is paused.',
  storage_full: 'The server cannot take pictures right now.',
};

/** Why a message of ours was not taken, from the code the outbox kept. */
export function failureOf(code: string | null): string {
  return words[code ?? ''] ?? 'Not sent.';
}
