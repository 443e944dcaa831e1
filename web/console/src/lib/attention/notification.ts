import type { ConversationForOperator, MessageForOperator } from '@ocs/protocol/wire';
import { visitorName } from '$lib/strings/visitor';

const shown = new Map<string, Notification>();

/** Asks for permission to show notifications. Call it only from a click. */
export async function allowNotifications(): Promise<boolean> {
  if (!('Notification' in window)) return false;
  return (await Notification.requestPermission()) === 'granted';
}

export function notificationsAllowed(): boolean {
  return 'Notification' in window && Notification.permission === 'granted';
}

export function notify(conversation: ConversationForOperator, message: MessageForOperator, withText: boolean, open: () => void): void {
  if (!notificationsAllowed()) return;
  // The tag makes it one notification per conversation, across all open tabs.
  const tag = tagOf(conversation.site_id, conversation.id);
  const text = message.image ? 'Sent a picture' : message.text;
  const options = { body: withText ? text.slice(0, 200) : 'New message', icon: '/favicon.svg', tag };
  let notification: Notification;
  try {
    notification = new Notification(visitorName(conversation.visitor), options);
  } catch {
    // Phones allow notifications only from service workers.
    return;
  }
  notification.onclick = () => {
    window.focus();
    open();
    notification.close();
  };
  shown.set(tag, notification);
}

/** Closes the notification of a conversation that was read, here or elsewhere. */
export function withdrawNotification(site: number, conversation: number): void {
  const tag = tagOf(site, conversation);
  shown.get(tag)?.close();
  shown.delete(tag);
}

function tagOf(site: number, conversation: number): string {
  return `ocs-${site}-${conversation}`;
}
