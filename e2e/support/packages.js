// npm packages that the stories use. The web folder installs them, so that one lock file covers everything that Node runs.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const web = createRequire(new URL('../../web/package.json', import.meta.url));

export const { chromium } = web('playwright-core');
export const { WebSocket, WebSocketServer } = web('ws');

export const root = fileURLToPath(new URL('../../', import.meta.url));
/** Reads a file of a package, for pages that use it. */
export const packageFile = (path) => readFile(join(root, 'web/node_modules', path), 'utf8');
export const reactServer = () => ({ ...web('react'), ...web('react-dom/server') });
export const axeSource = () => readFile(web.resolve('axe-core'), 'utf8');

let protocol;
/** The web apps' sync client (web/protocol), bundled for Node. */
export function loadProtocol() {
  protocol ??= bundle();
  return protocol;
}

async function bundle() {
  const { rolldown } = await import(pathToFileURL(createRequire(web.resolve('vite')).resolve('rolldown')).href);
  const built = await rolldown({ input: `${root}web/protocol/src/index.ts`, platform: 'neutral' });
  const { output } = await built.generate({ format: 'esm', codeSplitting: false });
  await built.close();
  return import(`data:text/javascript;base64,${Buffer.from(output[0].code).toString('base64')}`);
}
