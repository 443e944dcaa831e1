import type { Plugin } from "vite";

/**
 * Vite plugin that prefixes every CSS custom property of the widget. A page may register (`@property`) or set a property of
 * the same name, and its type and value would then apply inside the shadow root too. Scripts write the prefix out.
 */
export function prefixCustomProperties(): Plugin {
  return {
    name: "ocs-own-names",
    enforce: "pre",
    transform: (code, id) => (id.includes(".css?inline") ? code.replace(/--(?=[a-z])/g, "--ocs-") : null),
  };
}
