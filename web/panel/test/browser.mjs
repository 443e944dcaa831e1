// The widget in a real browser against the stub: node panel/test/browser.mjs [words of a story's name]
import { readdirSync } from "node:fs";
import { tests, visit } from "./stub/visit.mjs";

const folder = new URL("stories/", import.meta.url);
for (const file of readdirSync(folder)) await import(new URL(file, folder).href);

const wanted = process.argv.slice(2).join(" ");
let failed = 0;
let passed = 0;
for (const [name, run] of tests) {
  if (!name.includes(wanted)) continue;
  const chat = run.length > 0 ? await visit() : undefined;
  try {
    await run(chat);
    passed += 1;
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${error.stack ?? error}${chat?.faults.length ? `\nfaults: ${chat.faults.join("\n")}` : ""}`);
  }
  await chat?.end();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
