import { isPhone } from "./phone.ts";

/**
 * Stores for this tab's next page that the chat is open; the launcher reads the entry before the panel is loaded. Not on a
 * phone, where the chat covers the page that the visitor wants to see.
 */
export function storeOpenState(siteKey: string, open: boolean): void {
  try {
    if (open && !isPhone()) sessionStorage.setItem(`ocs:${siteKey}`, "open");
    else sessionStorage.removeItem(`ocs:${siteKey}`);
  } catch {
    // Storage is blocked: the chat is closed on the next page.
  }
}
