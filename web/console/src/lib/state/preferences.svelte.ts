import { keep, kept } from './kept';

type Choices = {
  scheme: 'auto' | 'light' | 'dark';
  sound: boolean;
  notify: boolean;
  /** Notifications say who wrote, and what only when this is on. */
  notifyText: boolean;
  shortcuts: boolean;
  dense: boolean;
  /** Visitor details beside the thread, where there is room. */
  details: boolean;
};

const first: Choices = { scheme: 'auto', sound: true, notify: false, notifyText: true, shortcuts: true, dense: false, details: true };
const place = 'ocs.preferences';

function remembered(): Choices {
  try {
    return { ...first, ...JSON.parse(kept(place) ?? '{}') };
  } catch {
    return first;
  }
}

class Preferences {
  now = $state.raw<Choices>(remembered());

  set(change: Partial<Choices>): void {
    this.now = { ...this.now, ...change };
    keep(place, JSON.stringify(this.now));
    if (change.scheme) dispatchEvent(new Event('ocs:scheme'));
  }
}

export const preferences = new Preferences();
