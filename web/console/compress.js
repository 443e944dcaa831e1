// Writes a .br and a .gz beside every text file of the built console, for the server to send as they are.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const built = new URL('../dist/console/', import.meta.url).pathname;
const text = /\.(html|js|css|svg|json|txt|webmanifest)$/;
const best = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };

for (const entry of await readdir(built, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !text.test(entry.name)) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const plain = await readFile(path);
  await writeFile(`${path}.br`, brotliCompressSync(plain, best));
  await writeFile(`${path}.gz`, gzipSync(plain, { level: 9 }));
}
