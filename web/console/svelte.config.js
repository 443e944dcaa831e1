import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import adapter from '@sveltejs/adapter-static';

/** The sources of the console, relative to this folder. */
const SOURCES = ['src', 'static', 'vite.config.ts', 'svelte.config.js', '../ui', '../protocol/src', '../panel/src', '../package-lock.json'];

function filesBelow(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path).filter((name) => name !== 'node_modules').sort().flatMap((name) => filesBelow(join(path, name)));
}

/**
 * The version by which an open page notices that the server has a newer console, when one of its files is gone. It is a hash
 * of the sources, so that builds are reproducible; SvelteKit's default is the build time.
 */
function version() {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap(filesBelow)) hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** @type {import('@sveltejs/kit').Config} */
export default {
  compilerOptions: {
    runes: true,
    // Create nodes with createElement: the console runs under `require-trusted-types-for 'script'`.
    fragments: 'tree',
  },
  kit: {
    adapter: adapter({ pages: '../dist/console', assets: '../dist/console', fallback: 'index.html' }),
    version: { name: version() },
    paths: { base: '', relative: false },
    // Pages render only in the browser, so SvelteKit's start script is the only inline script; the server puts its hash into the policy.
    output: { preloadStrategy: 'modulepreload' },
  },
};
