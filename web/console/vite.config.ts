import { sveltekit } from '@sveltejs/kit/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const server = process.env.OCS_SERVER ?? 'http://127.0.0.1:8080';

/** Kit hides its route announcer with a style attribute, which the policy refuses; app.css hides it instead. */
const announcerWithoutStyle: Plugin = {
  name: 'announcer-without-style',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('generated/root.svelte')) return null;
    return code.replace(/(id="svelte-announcer"[^>]*?) style="[^"]*"/, '$1 class="unseen"');
  },
};

export default defineConfig({
  plugins: [announcerWithoutStyle, sveltekit()],
  build: {
    // light-dark() and CSS nesting stay as written.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // An inlined data: URL would need a wider policy.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        // Few files: what several pages share comes in one, and so does everything from packages.
        codeSplitting: {
          groups: [
            { name: 'base', test: /node_modules/, priority: 2 },
            { name: 'shared', minShareCount: 2, priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    fs: { allow: ['..'] },
    proxy: {
      '/api': { target: server, ws: true },
      '/uploads': server,
      '/demo': server,
    },
  },
  test: {
    include: ['test/state/**/*.test.ts'],
    environment: 'node',
  },
});
