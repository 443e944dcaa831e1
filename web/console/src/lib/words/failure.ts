/** By code: why a message or picture is not sent. */
export const failureWords: Record<string, string> = {
  invalid_image: 'This picture can’t be read. PNG, JPEG, GIF and still WebP pictures can be sent.',
  too_many_pixels: 'This picture has too many pixels. At most 8,000 on a side and 30 million in all can be sent.',
  animation_too_long: 'This animation is too long. At most 500 frames and 200 million pixels in all of them can be sent.',
  image_too_large: 'This picture is too large.',
  text_too_long: 'This message is too long.',
  empty_message: 'There is nothing to send.',
  not_found: 'This conversation no longer exists.',
  site_paused: 'This site is paused.',
  storage_full: 'The server cannot take pictures right now.',
};

/** Why a message of ours was not taken, from the code the outbox kept. */
export function failureOf(code: string | null): string {
  return failureWords[code ?? ''] ?? 'Not sent.';
}
