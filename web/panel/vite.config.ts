import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { prefixCustomProperties } from "../ui/prefix_properties.ts";
import { defineConfig, type Plugin } from "vite";
import { lean } from "./lean.ts";

const NATIVES = fileURLToPath(new URL("src/natives.ts", import.meta.url));

/** Removes the design tokens that the panel never uses from the shared style sheet. */
function usedTokens(): Plugin {
  const folders = [new URL("src/", import.meta.url), new URL("../ui/composer/", import.meta.url), new URL("../ui/emoji/", import.meta.url)];
  const sheets = folders.flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => new URL(name, folder)));
  const css = sheets.filter(({ pathname }) => pathname.endsWith(".css")).map((sheet) => readFileSync(sheet, "utf8")).join("");
  return {
    name: "ocs-used-tokens",
    enforce: "pre",
    transform(code, id) {
      if (!id.includes("/ui/tokens.css?inline")) return null;
      return code.replace(/--([\w-]+):[^;]*;/g, (all, name) => ((css + code).includes(`var(--${name})`) ? all : ""));
    },
  };
}

/** Writes the manifest: the panel file to serve and its integrity hash. */
function manifest(): Plugin {
  return {
    name: "ocs-manifest",
    generateBundle(_, bundle) {
      const panel = Object.values(bundle).find((file) => file.type === "chunk" && file.isEntry);
      if (panel?.type !== "chunk") throw new Error("no panel was built");
      const integrity = `sha256-${createHash("sha256").update(panel.code).digest("base64")}`;
      this.emitFile({ type: "asset", fileName: "manifest.json", source: JSON.stringify({ panel: `/widget/${panel.fileName}`, integrity }) + "\n" });
    },
  };
}

export default defineConfig({
  plugins: [
    svelte(),
    lean(),
    usedTokens(),
    prefixCustomProperties(),
    manifest(),
  ],
  build: {
    outDir: "../dist/widget",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    minify: "terser",
    terserOptions: { ecma: 2020, module: true, compress: { passes: 4, unsafe_arrows: true, unsafe_methods: true }, format: { comments: false } },
    lib: { entry: "src/mount.ts", formats: ["es"] },
    rolldownOptions: {
      // Svelte's optional parts (custom elements and others) have side effects when loaded; none of them is used here.
      // Lazy chunks import shared code from the panel chunk, so that the first load needs no third file.
      preserveEntrySignatures: "allow-extension",
      // Pages may replace these built-ins with incompatible ones.
      transform: { inject: { "Array.from": [NATIVES, "arrayFrom"], "JSON.stringify": [NATIVES, "toJson"] } },
      treeshake: { moduleSideEffects: (id) => !id.includes("/svelte/") },
      output: { entryFileNames: "panel-[hash].js", chunkFileNames: "[name]-[hash].js", hashCharacters: "hex" },
    },
  },
});
