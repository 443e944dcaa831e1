import type { Ocs } from "@ocs/launcher/host";
import type { PageReport, Start } from "@ocs/protocol";

/** The nickname that the page gives, until the server confirms one. */
export function claimedName(ocs: Ocs): string {
  try {
    return typeof ocs.nickname === "string" ? truncateUnits(ocs.nickname) : "";
  } catch {
    return "";
  }
}

/** More than the server stores of a text and of an attribute: it still sees that one is too long, and cuts it between characters. */
const TEXT_UNITS = 4_097;
const ATTRIBUTE_UNITS = 300;
/** One more than the server stores. */
const ATTRIBUTES = 33;

/** The external id that the site gives; null if none. With an identity token it is the token's subject. */
export function claimedId({ externalId: id, identityToken }: Ocs): string | null {
  // Any other value has the same text for everybody.
  return id && isText(id) && String(id).trim() ? String(id) : subjectOf(identityToken);
}

export const isText = (value: unknown) => /^(string|number)$/.test(typeof value);

/** Everything of `start` but the id. None of it may cost the chat: what cannot be read is left out, and `mended` names it. */
export function details(ocs: Ocs, locale: string, page: PageReport | undefined, corrected: string[]): Omit<Start, "key" | "external_id" | "anonymous"> {
  const attempt = <T>(name: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch {
      corrected.push(`${truncateUnits(name, 50)}: unreadable`);
      return undefined;
    }
  };
  if (ocs.externalId && !isText(ocs.externalId)) corrected.push("externalId: unreadable");
  const text = (of: object, name: string, units = TEXT_UNITS, named = name) =>
    attempt(named, () => {
      const value = (of as Record<string, unknown>)[name];
      if (value == null || value === "") return undefined;
      // What has no text and no JSON is undefined, and cannot be cut.
      return truncateUnits(/^(o|f|sy)/.test(typeof value) ? JSON.stringify(value) : String(value), units);
    });
  return {
    identity_token: text(ocs, "identityToken"),
    nickname: text(ocs, "nickname"),
    email: text(ocs, "email"),
    attributes: attempt("attributes", () => {
      const all = ocs.attributes as object | undefined;
      return all && (Object.fromEntries(Object.keys(all).slice(0, ATTRIBUTES).map((name) => [truncateUnits(name, ATTRIBUTE_UNITS), text(all, name, ATTRIBUTE_UNITS, `attributes.${name}`)])) as Record<string, string>);
    }),
    page,
    locale,
    timezone: attempt("timezone", () => Intl.DateTimeFormat().resolvedOptions().timeZone),
  };
}

/** Cuts a text to a number of UTF-16 units and replaces lone surrogates. */
export const truncateUnits = (text: string, units = TEXT_UNITS) => text.slice(0, units).replace(/\p{Cs}/gu, "\ufffd");

function subjectOf(token: string | undefined): string | null {
  try {
    const body = token!.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
    const { sub } = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (char) => char.charCodeAt(0)))) as { sub?: unknown };
    return typeof sub === "string" ? sub : null;
  } catch {
    return null;
  }
}
