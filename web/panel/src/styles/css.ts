import bothSides from "@ocs/ui/composer/composer.css?inline";
import tokens from "@ocs/ui/tokens.css?inline";
import composer from "./composer.css?inline";
import header from "./header.css?inline";
import log from "./log.css?inline";
import message from "./message.css?inline";
import panel from "./panel.css?inline";

/** Goes as one sheet into the launcher's shadow root: no style element, nothing a page's policy could stop. */
export const css = [tokens, panel, header, log, message, bothSides, composer].join("");
