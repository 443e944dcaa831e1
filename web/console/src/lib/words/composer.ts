import type { ComposerWords } from '@ocs/ui/composer/composing.ts';
import type { EmojiParts } from '@ocs/ui/emoji/emoji.ts';

export const composerWords: ComposerWords & EmojiParts['words'] = {
  send: 'Send',
  attach: 'Add pictures',
  emoji: 'Emoji',
  remove: 'Remove',
  failed: 'This picture could not be read.',
  failures: {
    invalid_image: 'Only PNG, JPEG and GIF pictures can be sent.',
    image_too_large: 'This picture is larger than the site allows.',
  },
  tooManyPictures: (count) => `Only ${count} pictures at a time.`,
  left: (count) => `${count} left`,
  tooLong: (count) => `${count} too many`,
  emojiSearch: 'Search emoji',
  emojiNone: 'Nothing found',
  emojiRecent: 'Recent',
  emojiTone: 'Skin tone',
};
