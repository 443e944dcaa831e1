import { defineConfig } from "vite";
import { prefixCustomProperties } from "../ui/prefix_properties.ts";

/** Builds a classic script with one placeholder, which the server replaces with the site's data. */
export default defineConfig({
  plugins: [prefixCustomProperties()],
  build: {
    outDir: "../dist",
    emptyOutDir: false,
    target: "es2022",
    minify: "terser",
    terserOptions: { ecma: 2020, compress: { passes: 3, unsafe_arrows: true, pure_getters: true, booleans_as_integers: false }, mangle: { toplevel: true }, format: { comments: false } },
    lib: { entry: "src/main.ts", formats: ["iife"], name: "OCSLauncher", fileName: () => "launcher.js" },
    rolldownOptions: { output: { exports: "none" } },
  },
});
