/** Why a message or picture was not sent, by error code. */
export const failureTexts: Record<string, string> = {
  invalid_image: 'This picture can’t be read. You can send PNG, JPEG, GIF and non-animated WebP pictures.',
  too_many_pixels: 'This picture has too many pixels. The limit is 8,000 per side and 30 million in total.',
  animation_too_long: 'This animation is too long. The limit is 500 frames and 200 million pixels in total.',
  image_too_large: 'This picture is too large.',
  text_too_long: 'This message is too long.',
  empty_message: 'There is nothing to send.',
  not_found: 'This conversation no longer exists.',
  role_required: 'Your role in this workspace no longer allows replies.',
  site_paused: 'This site is paused.',
  storage_full: 'The server can’t store pictures right now.',
};

/** Why a message was not sent, from the code in the outbox. */
export function failureText(code: string | null): string {
  return failureTexts[code ?? ''] ?? 'Not sent.';
}
