import { sveltekit } from '@sveltejs/kit/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import floor from './floor.json' with { type: 'json' };

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
    // The oldest browsers on which the console works. The newest things that it needs: light-dark() (Chrome 123, Safari
    // 17.5) and popovers (Firefox 125). static/floor.js asks a browser for them; floor.test.js looks for newer ones.
    target: Object.entries(floor).map(([browser, version]) => browser + version),
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
