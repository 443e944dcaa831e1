import type { ConversationForOperator, MessageForOperator } from '@ocs/protocol/wire';
import { nameOfVisitor } from '$lib/words/visitor';

const shown = new Map<string, Notification>();

/** Ask only from a click. */
export async function allowNotifications(): Promise<boolean> {
  if (!('Notification' in window)) return false;
  return (await Notification.requestPermission()) === 'granted';
}

export function notificationsAllowed(): boolean {
  return 'Notification' in window && Notification.permission === 'granted';
}

export function notify(conversation: ConversationForOperator, message: MessageForOperator, withText: boolean, open: () => void): void {
  if (!notificationsAllowed()) return;
  // One for each conversation, over all open tabs.
  const tag = tagOf(conversation.site_id, conversation.id);
  const said = message.image ? 'Sent a picture' : message.text;
  const words = { body: withText ? said.slice(0, 200) : 'New message', icon: '/favicon.svg', tag };
  let notification: Notification;
  try {
    notification = new Notification(nameOfVisitor(conversation.visitor), words);
  } catch {
    // Phones allow them from service workers alone.
    return;
  }
  notification.onclick = () => {
    window.focus();
    open();
    notification.close();
  };
  shown.set(tag, notification);
}

/** Read here or elsewhere: the note has done its work. */
export function withdrawNotification(site: number, conversation: number): void {
  const tag = tagOf(site, conversation);
  shown.get(tag)?.close();
  shown.delete(tag);
}

function tagOf(site: number, conversation: number): string {
  return `ocs-${site}-${conversation}`;
}
