import { defineConfig } from "vite";
import { ownNames } from "../ui/own_names.ts";

/** A classic script, with the one place where the server writes the site left open. */
export default defineConfig({
  plugins: [ownNames()],
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
