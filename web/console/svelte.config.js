import adapter from '@sveltejs/adapter-static';

/** @type {import('@sveltejs/kit').Config} */
export default {
  compilerOptions: {
    runes: true,
    // Build nodes with createElement: the console runs under `require-trusted-types-for 'script'`.
    fragments: 'tree',
  },
  kit: {
    adapter: adapter({ pages: '../dist/console', assets: '../dist/console', fallback: 'index.html' }),
    paths: { base: '', relative: false },
    // Every page is drawn in the browser, so the one inline script is Kit's start script; the server hashes it into its policy.
    output: { preloadStrategy: 'modulepreload' },
  },
};
