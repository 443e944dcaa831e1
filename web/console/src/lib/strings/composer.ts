import type { ComposerWords } from '@ocs/ui/composer/composer_model.ts';
import type { EmojiParts } from '@ocs/ui/emoji/emoji.ts';
import { failureTexts } from './failure';

export const composerStrings: ComposerWords & EmojiParts['words'] = {
  send: 'Send',
  attach: 'Add pictures',
  emoji: 'Emoji',
  remove: 'Remove',
  failed: 'This picture can’t be read.',
  failures: failureTexts,
  tooManyPictures: (count) => `Only ${count} pictures at a time.`,
  left: (count) => `${count} left`,
  tooLong: (count) => `${count} over the limit`,
  emojiSearch: 'Search emoji',
  emojiNone: 'Nothing found',
  emojiRecent: 'Recent',
  emojiTone: 'Skin tone',
};
