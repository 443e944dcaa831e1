import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

type Cut = { file: string; was: string | RegExp; is: string };

/** Cuts a class member that nothing uses any more, because a minifier keeps such members. */
const without = (file: string, member: string): Cut => ({ file: `internal/client/${file}.js`, was: new RegExp(`\n\t${member}(?=\n)`), is: "" });

/**
 * Parts of Svelte that the panel never reaches: it is not rendered on a server, no component awaits, catches errors or has
 * a transition, and all state is raw. Svelte guards these parts by variables, which a minifier can't evaluate; constants it
 * can.
 */
const CUTS: Cut[] = [
  { file: "internal/client/dom/hydration.js", was: "export let hydrating = false;", is: "export const hydrating = false;" },
  { file: "internal/client/dom/hydration.js", was: "\thydrating = value;\n", is: "" },
  { file: "internal/client/reactivity/async.js", was: "\tif (async.length === 0 && pending.length === 0) {\n", is: "\t{\n" },
  { file: "internal/client/proxy.js", was: "export function proxy(value) {\n", is: "export function proxy(value) {\n\treturn value;\n" },
  ...["async_mode", "legacy_mode", "tracing_mode"].flatMap((flag): Cut[] => [
    { file: "internal/flags/index.js", was: `export let ${flag}_flag = false;`, is: `export const ${flag}_flag = false;` },
    { file: "internal/flags/index.js", was: `\t${flag}_flag = true;\n`, is: "" },
  ]),
  { file: "internal/flags/index.js", was: "\tasync_mode_flag = false;\n", is: "" },
  // There is no error boundary: an exception goes to the page's console.
  { file: "internal/client/error-handling.js", was: "\twhile (effect !== null) {\n", is: "\twhile (false) {\n" },
  { file: "internal/client/error-handling.js", was: "\tif (error === HYDRATION_ERROR) {\n", is: "\tif (false) {\n" },
  // A boundary shows a fallback while its content awaits or when it fails. Neither happens here.
  { file: "internal/client/dom/blocks/boundary.js", was: "\tnew Boundary(node, props, children, transform_error);\n", is: "\tbranch(() => children(node));\n" },
  { file: "internal/client/reactivity/batch.js", was: "\t\t\teffect.b?.is_pending &&\n", is: "\t\t\tfalse &&\n" },
  { file: "internal/client/reactivity/batch.js", was: "if (!this.#is_deferred()) this", is: "this" },
  { file: "internal/client/reactivity/batch.js", was: /\n\t\tif \(this\.#is_deferred\(\)\) \{[^]*?\n\t\t\}/, is: "" },
  { file: "internal/client/reactivity/batch.js", was: /\n\t\t\tif \(async_mode_flag\) \{\n\t\t\t\tthis.#commit[^]*?\n\t\t\t\}/, is: "" },
  { file: "internal/client/reactivity/batch.js", was: /\n\tapply\(\) \{[^]*?\n\t\}/, is: "\n\tapply() {\n\t\tbatch_values = null;\n\t}" },
  { file: "internal/client/reactivity/batch.js", was: "\t\tthis.#deferred?.resolve();\n", is: "" },
  { file: "internal/client/reactivity/batch.js", was: "if (this.#pending === 0 && (", is: "if ((" },
  { file: "internal/client/reactivity/batch.js", was: "\t\tthis.#commit_callbacks.clear();\n", is: "" },
  { file: "internal/client/reactivity/batch.js", was: "\t\tthis.#discard_callbacks.clear();\n", is: "" },
  { file: "internal/client/reactivity/effects.js", was: "\tcurrent_batch?.register_created_effect(effect);\n", is: "" },
  // The state is never forked or read eagerly.
  { file: "internal/client/reactivity/batch.js", was: "\tis_fork = false;\n", is: "" },
  { file: "internal/client/reactivity/batch.js", was: "if (this.is_fork) return true;", is: "" },
  { file: "internal/client/reactivity/batch.js", was: "if (!this.is_fork) {", is: "{" },
  { file: "internal/client/reactivity/batch.js", was: "if (!batch.is_fork && ", is: "if (" },
  { file: "internal/client/reactivity/sources.js", was: "if (!batch.is_fork && eager_effects.size > 0 && !eager_effects_deferred) {", is: "if (false) {" },
  { file: "internal/client/reactivity/sources.js", was: "eager_effects.add(/** @type {Effect} */ (reaction));", is: "" },
  { file: "internal/client/reactivity/deriveds.js", was: "if (!current_batch?.is_fork || derived.deps === null) {", is: "{" },
  { file: "internal/client/reactivity/deriveds.js", was: "if (effect_tracking() || current_batch?.is_fork) {", is: "if (effect_tracking()) {" },
  { file: "internal/client/runtime.js", was: "var is_fork = current_batch?.is_fork;", is: "const is_fork = false;" },
  // Nothing is awaited, so nothing awaited becomes stale.
  { file: "internal/client/reactivity/batch.js", was: "for (const deferred of this.async_deriveds.values()) {", is: "for (const deferred of []) {" },
  { file: "internal/client/reactivity/batch.js", was: "|| this.#skipped_branches.has(effect);", is: ";" },
  { file: "internal/client/reactivity/batch.js", was: "for (const fn of this.#commit_callbacks) fn(this);", is: "" },
  { file: "internal/client/reactivity/batch.js", was: "for (const fn of this.#discard_callbacks) fn(this);", is: "" },
  { file: "internal/client/constants.js", was: "message = 'The reaction that called `getAbortSignal()` was re-run or destroyed';", is: "" },
  // Nothing observes when a reaction becomes stale.
  { file: "internal/client/reactivity/effects.js", was: "\t\tif (controller !== null) {\n", is: "\t\tif (false) {\n" },
  { file: "internal/client/runtime.js", was: "if (reaction.ac !== null) {", is: "if (false) {" },
  { file: "internal/client/runtime.js", was: "if (derived.ac !== null) {", is: "if (false) {" },
  { file: "internal/client/reactivity/deriveds.js", was: "if (e.teardown || e.ac) {", is: "if (e.teardown) {" },
  { file: "internal/client/reactivity/deriveds.js", was: "if (e.ac !== null) {", is: "if (false) {" },
  { file: "internal/client/reactivity/batch.js", was: " &&\n\t\t\t\teffect.ac === null\n", is: "\n" },
  { file: "internal/client/reactivity/effects.js", was: "\t\tac: null\n", is: "" },
  { file: "internal/client/reactivity/deriveds.js", was: "\t\tac: null\n", is: "" },
  { file: "internal/client/reactivity/effects.js", was: "\t\teffect.ac =\n", is: "" },
  // Events are delegated only to the panel's root, where each arrives once; no element handles an event both directly and delegated.
  { file: "internal/client/render.js", was: "for (const node of [target, document]) {", is: "{\n\t\t\t\t\tconst node = target;" },
  { file: "internal/client/render.js", was: "var passive = is_passive_event(event_name);", is: "const passive = false;" },
  { file: "internal/client/dom/elements/events.js", was: "\t\tif (!options.capture) {\n", is: "\t\tif (false) {\n" },
  { file: "internal/client/dom/elements/events.js", was: "\tlast_propagated_event = event;\n", is: "" },
  { file: "internal/client/dom/elements/events.js", was: "\tif (!last_propagated_event_clear_scheduled) {\n", is: "\tif (false) {\n" },
  { file: "internal/client/dom/elements/events.js", was: "\tif (handled_at) {\n", is: "\tif (false) {\n" },
  { file: "internal/client/dom/elements/events.js", was: "var handled_at = last_propagated_event === event && event[event_symbol];", is: "" },
  { file: "internal/client/dom/elements/events.js", was: "\t\tevent[event_symbol] = handler_element;\n\t\t// @ts-ignore remove proxy on currentTarget", is: "" },
  // There are no custom elements and no nested <template> elements.
  { file: "internal/client/dom/template.js", was: "create_element(name, namespace, attributes?.is)", is: "create_element(name, namespace)" },
  { file: "internal/client/dom/operations.js", was: "is ? document", is: "false ? document" },
  { file: "internal/client/dom/elements/attributes.js", was: "element.getAttribute('is') || element.nodeName", is: "element.nodeName" },
  { file: "internal/client/dom/elements/attributes.js", was: "\t\t\t[IS_CUSTOM_ELEMENT]: element.nodeName.includes('-'),\n\t\t\t[IS_HTML]: element.namespaceURI === NAMESPACE_HTML\n", is: "" },
  { file: "internal/client/dom/elements/attributes.js", was: "if (attribute === 'loading') {", is: "if (false) {" },
  // No signal has tens of thousands of dependents.
  { file: "internal/client/reactivity/sources.js", was: "\tif (seen !== null) {\n", is: "\tif (false) {\n" },
  { file: "internal/client/reactivity/sources.js", was: "\tcount_deps += length;\n", is: "" },
  { file: "internal/client/reactivity/sources.js", was: "\tif (count_deps > 100000 && seen === null) seen = new Set();\n", is: "" },
  // No component uses stores or Svelte 4 syntax.
  { file: "internal/client/reactivity/props.js", was: "[initial_value, is_store_sub] = capture_store_binding(() => /** @type {V} */ (props[key]));", is: "initial_value = props[key];" },
  { file: "internal/client/reactivity/props.js", was: "var is_entry_props = STATE_SYMBOL in props || LEGACY_PROPS in props;", is: "const is_entry_props = false;" },
  { file: "internal/client/reactivity/props.js", was: "if (!runes || !mutation || legacy_parent || is_store_sub) {", is: "{" },
  // No SVG uses xlink.
  { file: "internal/client/dom/operations.js", was: "if (key.startsWith('xlink:')) {", is: "if (false) {" },
  // Development checks for misplaced effects, and MathML, which the panel does not use.
  { file: "internal/client/reactivity/effects.js", was: "export function validate_effect(rune) {\n", is: "export function validate_effect(rune) {\n\treturn;\n" },
  { file: "internal/client/dom/template.js", was: "name === 'svg' ? NAMESPACE_SVG : name === 'math' ? NAMESPACE_MATHML : ns", is: "name === 'svg' ? NAMESPACE_SVG : ns" },
  { file: "internal/client/dom/template.js", was: "(flags & TEMPLATE_USE_MATHML) !== 0", is: "false" },
  // The panel's components listen only on their own elements.
  { file: "internal/client/dom/elements/events.js", was: "\t\tdom === document.body ||\n", is: "" },
  { file: "internal/client/dom/elements/events.js", was: "\t\tdom === window ||\n", is: "" },
  { file: "internal/client/dom/elements/events.js", was: "\t\tdom === document ||\n", is: "" },
  { file: "internal/client/dom/elements/events.js", was: "\t\tdom instanceof HTMLMediaElement\n", is: "\t\tfalse\n" },
  // Symbol names and documentation URLs that nobody uses.
  { file: "internal/client/errors.js", was: "https://svelte.dev/e/", is: "" },
  { file: "internal/client/constants.js", was: " = Symbol('", is: " = /* @__PURE__ */ Symbol('" },
  // Each batch finishes before the next begins, so batches are never merged.
  { file: "internal/client/reactivity/batch.js", was: /\n\t\tconst earlier_batch = [^]*?\n\t\t\}/, is: "" },
  // Nothing is rendered offscreen first.
  ...["each", "branches"].map((block): Cut => (
    { file: `internal/client/dom/blocks/${block}.js`, was: "var defer = should_defer_append();", is: "const defer = false;" }
  )),
  { file: "internal/client/dom/blocks/branches.js", was: "const offscreen = this.#offscreen.get(k);", is: "const offscreen = undefined;" },
  { file: "internal/client/dom/blocks/branches.js", was: "var offscreen = this.#offscreen.get(key);", is: "const offscreen = undefined;" },
  { file: "internal/client/dom/blocks/branches.js", was: "if (keys.includes(k)) {", is: "if (false) {" },
  { file: "internal/client/dom/blocks/branches.js", was: "\t#discard = (batch) => {\n", is: "\t#discard = (batch) => {\n\t\treturn;\n" },
  { file: "internal/client/dom/blocks/each.js", was: "var is_animated = (flags & EACH_IS_ANIMATED) !== 0;", is: "const is_animated = false;" },
  { file: "internal/client/dom/blocks/each.js", was: "\tif (remaining === 0) {\n", is: "\tif (true) {\n" },
  { file: "internal/client/dom/blocks/each.js", was: "\t\t\t\tif (group) {\n", is: "\t\t\t\tif (false) {\n" },
  { file: "internal/client/dom/blocks/each.js", was: "if (state.outrogroups !== null) {\n", is: "if (false) {\n" },
  { file: "internal/client/reactivity/effects.js", was: "var transitions = effect.nodes && effect.nodes.t;\n", is: "const transitions = null;\n" },
  { file: "internal/client/reactivity/effects.js", was: "var t = effect.nodes && effect.nodes.t;\n", is: "const t = null;\n" },
  { file: "internal/client/reactivity/effects.js", was: "var remaining = transitions.length;\n\tif (remaining > 0) {\n", is: "if (false) {\n" },
  // Class members that the cuts above leave unused: a minifier keeps them.
  ...["#is_deferred", "#is_skipped", "skip_effect", "unskip_effect", "register_created_effect", "oncommit", "ondiscard", "#merge", "#commit", "#find_earlier_batch", "#intersects", "#defer_effects", "increment", "decrement", "settled", "activate", "deactivate", "transfer_reactions"].map((method) => without("reactivity/batch", `${method}\\(.*\\{\\n[^]*?\\n\t\\}`)),
  ...["id", "async_deriveds", "#commit_callbacks", "#discard_callbacks", "#pending", "#blocking_pending", "#deferred", "#new_effects", "#skipped_branches", "#unskipped_branches", "#decrement_queued"].map((field) => without("reactivity/batch", `${field} = .*;`)),
];

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
const declared = (css: string) => [...css.matchAll(/(--[a-z][a-z0-9-]{2,})\s*:/g)].map(([, name]) => name!);

/** Short names for the custom properties that the panel's style sheets declare, except those shared with the launcher. */
function shortNames(): Map<string, string> {
  const sheets = ["../ui/tokens.css", ...readdirSync(new URL("src/styles", import.meta.url)).filter((file) => file.endsWith(".css")).map((file) => `src/styles/${file}`)];
  const launcher = new Set(read("../launcher/src/launcher.css").match(/--[a-z][a-z0-9-]*/g));
  const names = [...new Set(sheets.flatMap((sheet) => declared(read(sheet))))].filter((name) => !launcher.has(name)).sort();
  return new Map(names.map((name, at) => [name, `--${10 + at}`]));
}

/** The Vite plugin that applies CUTS. Fails the build if a new Svelte version or our own source no longer matches. */
export function lean(): Plugin {
  const short = shortNames();
  return {
    name: "ocs-lean",
    enforce: "pre",
    transform(code, id) {
      const file = id.split("?")[0]!.split("/svelte/src/")[1];
      if (file === undefined) {
        if (/\$state(<[^>]*>)?\(/.test(code) && /\/(panel\/src|ui)\//.test(id)) this.error("only $state.raw here: there are no proxies in the panel");
        return null;
      }
      const cuts = CUTS.filter((cut) => cut.file === file);
      if (cuts.length === 0) return null;
      return cuts.reduce((text, { was, is }) => {
        const cut = typeof was === "string" ? text.replaceAll(was, is) : text.replace(was, is);
        if (cut === text) this.error(`not in ${file} any more: ${was}`);
        return cut;
      }, code);
    },
    // Removes hints for bundlers, which nobody runs on this output, and links to error pages, because error names suffice.
    renderChunk: {
      order: "post",
      handler: (code) => code.replaceAll("/* @__PURE__ */", "").replaceAll("https://svelte.dev/e/", "").replace(/--[a-z][a-z0-9-]{2,}/g, (name) => short.get(name) ?? name),
    },
  };
}
