import { createHash } from "node:crypto";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";
import { lean } from "./lean.ts";

/** Tells the server which panel to serve, and by which hash browsers may know it. */
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
    manifest(),
  ],
  build: {
    outDir: "../dist/widget",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    minify: "terser",
    terserOptions: { ecma: 2020, module: true, compress: { passes: 3, unsafe_arrows: true }, format: { comments: false } },
    lib: { entry: "src/mount.ts", formats: ["es"] },
    rolldownOptions: {
      // The framework's optional parts (custom elements and the like) run code when loaded; none of it is used here.
      // What lazy chunks share with the panel they take from the panel: no third file at the first opening.
      preserveEntrySignatures: "allow-extension",
      treeshake: { moduleSideEffects: (id) => !id.includes("/svelte/") },
      output: { entryFileNames: "panel-[hash].js", chunkFileNames: "[name]-[hash].js", hashCharacters: "hex" },
    },
  },
});
