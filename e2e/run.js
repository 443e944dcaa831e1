// Runs the stories and prints a summary line. `node run.js reload images` runs only those two files.
import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('stories/', import.meta.url));
const asked = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.test.js') && (asked.length === 0 || asked.some((name) => file.startsWith(name))))
  .map((file) => join(folder, file));
if (files.length === 0) {
  console.error(`no story is called ${asked.join(' or ')}`);
  process.exit(2);
}

await rm(new URL('out/', import.meta.url), { recursive: true, force: true });
const began = Date.now();
const counts = { passed: 0, failed: 0, skipped: 0 };
const failed = [];
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const subjectOf = (file) => file.slice(folder.length).replace('.test.js', '');

const stories = run({ files, concurrency: Number(process.env.STORIES_AT_ONCE ?? 2), timeout: 300_000 });
stories.on('test:pass', ({ name, file, nesting, details, skip, todo }) => {
  if (details.type === 'suite' || nesting > 0 || name === file) return;
  if (skip !== undefined || todo !== undefined) counts.skipped += 1;
  else counts.passed += 1;
  console.log(`${skip === undefined ? 'ok  ' : 'skip'}  ${subjectOf(file)}: ${name} (${seconds(details.duration_ms)})${skip ? `: ${skip}` : ''}`);
});
stories.on('test:fail', ({ name, file, nesting, details }) => {
  if (details.type === 'suite' || nesting > 0) return;
  counts.failed += 1;
  failed.push(`${subjectOf(file)}: ${name}`);
  console.log(`FAIL  ${subjectOf(file)}: ${name} (${seconds(details.duration_ms)})`);
  const cause = details.error?.cause ?? details.error;
  console.log(String(cause?.stack ?? cause).replace(/^/gm, '      '));
});
stories.on('test:diagnostic', ({ message }) => {
  if (!/^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(message)) console.log(`      ${message}`);
});
stories.on('test:stderr', ({ message }) => process.stderr.write(message));
stories.on('test:stdout', ({ message }) => process.stdout.write(message));
await new Promise((done) => stories.on('end', done).resume());

for (const name of failed) console.log(`failed: ${name}`);
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`\ne2e: ${counts.passed} passed, ${counts.failed} failed${skipped} in ${seconds(Date.now() - began)}`);
process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
