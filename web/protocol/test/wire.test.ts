import { readFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, test } from "vitest";

const file = (path: string) => new URL(path, import.meta.url);

test("the shapes of the wire are those of the server's description", async () => {
  const made = astToString(await openapiTS(file("../../../docs/openapi.json")));
  const kept = await readFile(file("../src/wire.generated.ts"), "utf8");
  const body = kept.slice(kept.indexOf("export interface paths"));
  expect(body === made, "stale: run `npm run wire` in web/").toBe(true);
});
