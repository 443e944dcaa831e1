import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import adapter from '@sveltejs/adapter-static';

/** What the console is made of, seen from this folder. */
const SOURCES = ['src', 'static', 'vite.config.ts', 'svelte.config.js', '../ui', '../protocol/src', '../panel/src', '../package-lock.json'];

function filesBelow(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path).filter((name) => name !== 'node_modules').sort().flatMap((name) => filesBelow(join(path, name)));
}

/**
 * The version by which an open page notices, when one of its files is gone, that the server has a newer console. It follows
 * from the sources, so that two builds of the same sources are the same bytes; Kit's own choice is the time of the build.
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
    // Build nodes with createElement: the console runs under `require-trusted-types-for 'script'`.
    fragments: 'tree',
  },
  kit: {
    adapter: adapter({ pages: '../dist/console', assets: '../dist/console', fallback: 'index.html' }),
    version: { name: version() },
    paths: { base: '', relative: false },
    // Every page is drawn in the browser, so the one inline script is Kit's start script; the server hashes it into its policy.
    output: { preloadStrategy: 'modulepreload' },
  },
};
