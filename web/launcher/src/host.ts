import type { LauncherSite, Position } from "@ocs/protocol/wire";

/** What a site may put on `window.OCS`, before or after the script. */
export type OcsOptions = {
  externalId?: string;
  nickname?: string;
  email?: string;
  attributes?: Record<string, string>;
  identityToken?: string;
  locale?: string;
  position?: Position;
  /** Distance of the launcher from its side of the window and from the bottom, in CSS pixels. */
  offset?: { x?: number; y?: number };
  /** Instead of the top layer: over what of the page is the chat? */
  zIndex?: number;
  hideLauncher?: boolean;
  nonce?: string;
  onReady?: (ocs: Ocs) => void;
  /** "page": the server's own full-page chat. */
  mode?: "page";
  q?: [OcsMethod, ...unknown[]][];
};

export type Identity = Pick<OcsOptions, "externalId" | "nickname" | "email" | "attributes" | "identityToken">;

/** What each event of `OCS.on` carries. */
export type OcsEvents = {
  ready: undefined;
  open: undefined;
  close: undefined;
  message: { from: "visitor" | "agent"; name: string | null; text: string; image_url: string | null; at: number };
  unread: number;
  identity: { externalId: string; nickname: string | null; verified: boolean } | null;
  error: { code: string; message: string };
};

export type OcsMethods = {
  open(): void;
  close(): void;
  toggle(): void;
  show(): void;
  hide(): void;
  send(text: string): void;
  identify(identity: Identity): void;
  logout(): void;
  destroy(): void;
  on<K extends keyof OcsEvents>(event: K, listener: (value: OcsEvents[K]) => void): void;
  off<K extends keyof OcsEvents>(event: K, listener: (value: OcsEvents[K]) => void): void;
};
export type OcsMethod = keyof OcsMethods;
export type Ocs = OcsOptions & OcsMethods;

/** What the launcher gives the panel. */
export type PanelHost = {
  site: LauncherSite;
  ocs: Ocs;
  /** Takes the panel's style sheet. */
  root: ShadowRoot;
  /** Takes the panel's elements. Carries data-v (variant), data-scheme, data-p (position), and the site's colours. */
  frame: HTMLElement;
  button: HTMLButtonElement;
  emit<K extends keyof OcsEvents>(event: K, value?: OcsEvents[K]): void;
  /** The panel opened or closed itself. */
  shown(open: boolean): void;
  /** The live preview shows another look. */
  restyle(look: LauncherSite["l"]): void;
};

/** What the panel gives the launcher. */
export type Panel = {
  /** `asLeft`: as the visitor left it on the page before, which takes no focus. */
  open(asLeft?: boolean): void;
  close(): void;
  send(text: string): void;
  /** The site's options changed: they are on `ocs` already. `again`: it was included again, maybe with the same. */
  identify(again?: boolean): void;
  logout(): void;
  destroy(): void;
};

/** The panel module, at `o + p`. */
export type PanelModule = { mount(host: PanelHost): Panel | Promise<Panel> };
