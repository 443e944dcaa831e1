import { sveltekit } from '@sveltejs/kit/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import oldestBrowsers from './oldest-browsers.json' with { type: 'json' };

const server = process.env.OCS_SERVER ?? 'http://127.0.0.1:8080';

/** SvelteKit hides its route announcer with a style attribute, which our Content-Security-Policy forbids; app.css hides it instead. */
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
    // The oldest browsers that the console supports. The newest features that it needs are light-dark() (Chrome 123, Safari
    // 17.5) and popovers (Firefox 125). static/browser-check.js detects them; oldest-browsers.test.js looks for newer ones.
    target: Object.entries(oldestBrowsers).map(([browser, version]) => browser + version),
    // An inlined data: URL would need a weaker Content-Security-Policy.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        // Few files: code that several pages share goes into one chunk, and all packages into another, except for the one that
        // draws QR codes, which loads when somebody sets up two-factor authentication.
        codeSplitting: {
          groups: [
            { name: 'base', test: /node_modules\/(?!lean-qr\/)/, priority: 2 },
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
