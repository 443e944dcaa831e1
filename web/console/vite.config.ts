import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';

const server = process.env.OCS_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [sveltekit()],
  build: {
    // light-dark() and CSS nesting stay as written.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // An inlined data: URL would need a wider policy.
    assetsInlineLimit: 0,
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
