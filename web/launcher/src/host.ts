import type { LauncherSite, Position } from "@ocs/protocol/wire";

/** The options that a site may set on `window.OCS`, before or after the script. */
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
  /** A z-index for the chat, instead of the top layer. */
  zIndex?: number;
  hideLauncher?: boolean;
  nonce?: string;
  onReady?: (ocs: Ocs) => void;
  /** "page": the server's own full-page chat. */
  mode?: "page";
  q?: [OcsMethod, ...unknown[]][];
};

export type Identity = Pick<OcsOptions, "externalId" | "nickname" | "email" | "attributes" | "identityToken">;

/** The value that each event of `OCS.on` carries. */
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

/** What the launcher passes to the panel. */
export type PanelHost = {
  site: LauncherSite;
  ocs: Ocs;
  /** Adopts the panel's style sheet. */
  root: ShadowRoot;
  /** Contains the panel's elements. Has data-v (variant), data-scheme, data-p (position) and the site's colours. */
  frame: HTMLElement;
  button: HTMLButtonElement;
  emit<K extends keyof OcsEvents>(event: K, value?: OcsEvents[K]): void;
  /** The panel opened or closed itself. */
  shown(open: boolean): void;
  /** The live preview applies another appearance. */
  restyle(look: LauncherSite["l"]): void;
};

/** What the panel returns to the launcher. */
export type Panel = {
  /** `asLeft`: restore the open chat of the previous page, without taking the focus. */
  open(asLeft?: boolean): void;
  close(): void;
  send(text: string): void;
  /** The site's options on `ocs` changed. `again`: the script was included again, possibly with the same options. */
  identify(again?: boolean): void;
  logout(): void;
  destroy(): void;
};

/** The panel module, loaded from the URL `o + p`. */
export type PanelModule = { mount(host: PanelHost): Panel | Promise<Panel> };
