import type { Plugin } from "vite";

type Cut = { file: string; was: string; is: string };

/**
 * What of the framework no panel can reach: it is never rendered on a server, no component awaits, catches errors or
 * has a transition, and state is raw. The framework guards these parts by variables, which a minifier cannot follow; as
 * constants it can.
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
  { file: "internal/client/dom/blocks/boundary.js", was: "\t\tif (!this.#props.onerror && !this.#props.failed) {\n", is: "\t\t{\n" },
  ...["handle_error(error)", "create_reset(error)", "hydrate_failed_content(error)", "hydrate_pending_content()", "hydrate_resolved_content()"].map((method): Cut => (
    { file: "internal/client/dom/blocks/boundary.js", was: `\t#${method} {\n`, is: `\t#${method} {\n\t\treturn;\n` }
  )),
  // Nothing is pending, so nothing waits for it.
  { file: "internal/client/dom/blocks/boundary.js", was: "\t\t\tthis.is_pending = this.has_pending_snippet();\n", is: "" },
  { file: "internal/client/dom/blocks/boundary.js", was: "\t\t\tif (this.#pending_count > 0) {\n", is: "\t\t\tif (false) {\n" },
  ...["#update_pending_count(d, batch)", "update_pending_count(d, batch)", "get_effect_pending()"].map((method): Cut => (
    { file: "internal/client/dom/blocks/boundary.js", was: `\n\t${method} {\n`, is: `\n\t${method} {\n\t\treturn;\n` }
  )),
  { file: "internal/client/dom/blocks/boundary.js", was: "#effect_pending_subscriber = createSubscriber(() => {\n", is: "#effect_pending_subscriber = 0 && createSubscriber(() => {\n" },
  { file: "internal/client/dom/blocks/boundary.js", was: "return !this.is_pending && (!this.parent || this.parent.is_rendered());", is: "return true;" },
  { file: "internal/client/dom/blocks/boundary.js", was: "\n\tdefer_effect(effect) {\n", is: "\n\tdefer_effect(effect) {\n\t\treturn;\n" },
  { file: "internal/client/reactivity/batch.js", was: "\t\t\teffect.b?.is_pending &&\n", is: "\t\t\tfalse &&\n" },
  { file: "internal/client/reactivity/batch.js", was: "\t#is_deferred() {\n", is: "\t#is_deferred() {\n\t\treturn false;\n" },
  { file: "internal/client/reactivity/batch.js", was: "if (this.#is_deferred()) {", is: "if (false) {" },
  ...["register_created_effect(effect)", "#commit()", "increment(blocking, effect)", "decrement(blocking, effect)", "settled()"].map((method): Cut => (
    { file: "internal/client/reactivity/batch.js", was: `\n\t${method} {\n`, is: `\n\t${method} {\n\t\treturn;\n` }
  )),
  // Nobody forks the state.
  { file: "internal/client/reactivity/batch.js", was: "\tis_fork = false;\n", is: "" },
  { file: "internal/client/reactivity/batch.js", was: "if (this.is_fork) return true;", is: "" },
  { file: "internal/client/reactivity/batch.js", was: "if (!this.is_fork) {", is: "{" },
  { file: "internal/client/reactivity/batch.js", was: "if (!batch.is_fork && ", is: "if (" },
  { file: "internal/client/reactivity/sources.js", was: "if (!batch.is_fork && ", is: "if (" },
  { file: "internal/client/reactivity/deriveds.js", was: "if (!current_batch?.is_fork || derived.deps === null) {", is: "{" },
  { file: "internal/client/reactivity/deriveds.js", was: "if (effect_tracking() || current_batch?.is_fork) {", is: "if (effect_tracking()) {" },
  { file: "internal/client/runtime.js", was: "var is_fork = current_batch?.is_fork;", is: "const is_fork = false;" },
  { file: "internal/client/dom/blocks/each.js", was: "var is_animated = (flags & EACH_IS_ANIMATED) !== 0;", is: "const is_animated = false;" },
  { file: "internal/client/dom/blocks/each.js", was: "\tif (remaining === 0) {\n", is: "\tif (true) {\n" },
  { file: "internal/client/dom/blocks/each.js", was: "\t\t\t\tif (group) {\n", is: "\t\t\t\tif (false) {\n" },
  { file: "internal/client/dom/blocks/each.js", was: "if (state.outrogroups !== null) {\n", is: "if (false) {\n" },
  { file: "internal/client/reactivity/effects.js", was: "var transitions = effect.nodes && effect.nodes.t;\n", is: "const transitions = null;\n" },
  { file: "internal/client/reactivity/effects.js", was: "var t = effect.nodes && effect.nodes.t;\n", is: "const t = null;\n" },
  { file: "internal/client/reactivity/effects.js", was: "var remaining = transitions.length;\n\tif (remaining > 0) {\n", is: "if (false) {\n" },
];

/** Fails the build where another version of the framework, or a source of ours, no longer fits. */
export function lean(): Plugin {
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
        if (!text.includes(was)) this.error(`not in ${file} any more: ${was}`);
        return text.replaceAll(was, is);
      }, code);
    },
    // Words to bundlers: nobody bundles this again.
    renderChunk: { order: "post", handler: (code) => code.replaceAll("/* @__PURE__ */", "") },
  };
}
