import type { Plugin } from "vite";

/**
 * In the widget every custom property gets a prefix: a page may register a name (`@property`) or set one, and then it has
 * the page's type and value inside a shadow root too. In scripts they have it written out.
 */
export function ownNames(): Plugin {
  return {
    name: "ocs-own-names",
    enforce: "pre",
    transform: (code, id) => (id.includes(".css?inline") ? code.replace(/--(?=[a-z])/g, "--ocs-") : null),
  };
}
