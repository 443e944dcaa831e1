import type { ComposerWords } from '@ocs/ui/composer/composing.ts';
import type { EmojiParts } from '@ocs/ui/emoji/emoji.ts';
import { failureWords } from './failure';

export const composerWords: ComposerWords & EmojiParts['words'] = {
  send: 'Send',
  attach: 'Add pictures',
  emoji: 'Emoji',
  remove: 'Remove',
  failed: 'This picture could not be read.',
  failures: failureWords,
  tooManyPictures: (count) => `Only ${count} pictures at a time.`,
  left: (count) => `${count} left`,
  tooLong: (count) => `${count} too many`,
  emojiSearch: 'Search emoji',
  emojiNone: 'Nothing found',
  emojiRecent: 'Recent',
  emojiTone: 'Skin tone',
};
