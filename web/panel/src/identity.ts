import type { Ocs } from "@ocs/launcher/host";
import { beginning, NICKNAME_GRAPHEMES, type Page, type Start } from "@ocs/protocol";

/** Who the site says this is; null where it says nothing. A token names its subject itself. */
export function claimedId(ocs: Ocs): string | null {
  return ocs.externalId ? String(ocs.externalId) : subjectOf(ocs.identityToken);
}

/** Everything of `start` but the id. */
export function details(ocs: Ocs, locale: string): Omit<Start, "key" | "external_id" | "anonymous"> {
  return {
    identity_token: ocs.identityToken || undefined,
    // Longer than a nickname may be: no reason to go without a chat.
    nickname: ocs.nickname ? beginning(String(ocs.nickname), NICKNAME_GRAPHEMES) : undefined,
    email: ocs.email || undefined,
    attributes: ocs.attributes && Object.fromEntries(Object.entries(ocs.attributes).map(([name, value]) => [name, String(value)])),
    page: currentPage(),
    locale,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/** Where the visitor is, unless the browser asks for privacy. */
export function currentPage(): Page | undefined {
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean };
  if (globalPrivacyControl || doNotTrack === "1") return undefined;
  return { url: location.href, title: document.title, referrer: document.referrer };
}

function subjectOf(token: string | undefined): string | null {
  try {
    const body = token!.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
    const { sub } = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (char) => char.charCodeAt(0)))) as { sub?: unknown };
    return typeof sub === "string" ? sub : null;
  } catch {
    return null;
  }
}
