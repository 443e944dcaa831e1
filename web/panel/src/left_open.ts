import { isPhone } from "./phone.ts";

/**
 * Keeps for this tab's next page that the chat stands open; the launcher looks for the entry before the panel is there. On
 * a phone the chat covers the page, and a new page is what somebody wants to see.
 */
export function keepOpen(siteKey: string, open: boolean): void {
  try {
    if (open && !isPhone()) sessionStorage.setItem(`ocs:${siteKey}`, "open");
    else sessionStorage.removeItem(`ocs:${siteKey}`);
  } catch {
    // Storage is blocked: the next page begins with a closed chat.
  }
}
