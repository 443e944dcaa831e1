import { writeStored, readStored } from './browser-storage';

type Values = {
  scheme: 'auto' | 'light' | 'dark';
  sound: boolean;
  notify: boolean;
  /** Include the message text in notifications, not only the sender. */
  notifyText: boolean;
  shortcuts: boolean;
  dense: boolean;
  /** Show visitor details beside the thread, where there is room. */
  details: boolean;
};

const defaults: Values = { scheme: 'auto', sound: true, notify: false, notifyText: true, shortcuts: true, dense: false, details: true };
const storageKey = 'ocs.preferences';

function load(): Values {
  try {
    return { ...defaults, ...JSON.parse(readStored(storageKey) ?? '{}') };
  } catch {
    return defaults;
  }
}

class Preferences {
  current = $state.raw<Values>(load());

  set(change: Partial<Values>): void {
    this.current = { ...this.current, ...change };
    writeStored(storageKey, JSON.stringify(this.current));
    if (change.scheme) dispatchEvent(new Event('ocs:scheme'));
  }
}

export const preferences = new Preferences();
