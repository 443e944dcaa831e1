import type { PanelHost } from "@ocs/launcher/host";
import type { Language } from "../words/choose.ts";
export function pretend(_host: PanelHost, _language: Language): void {}
