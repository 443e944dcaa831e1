import bothSides from "@ocs/ui/composer/composer.css?inline";
import tokens from "@ocs/ui/tokens.css?inline";
import composer from "./composer.css?inline";
import header from "./header.css?inline";
import log from "./log.css?inline";
import message from "./message.css?inline";
import panel from "./panel.css?inline";

/** All style sheets as one, for the launcher's shadow root: no style element that a page's policy could block. */
export const css = [tokens, panel, header, log, message, bothSides, composer].join("");
