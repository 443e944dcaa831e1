import { readFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, test } from "vitest";

const file = (path: string) => new URL(path, import.meta.url);

test("the generated types match the server's OpenAPI description", async () => {
  const generated = astToString(await openapiTS(file("../../../docs/openapi.json")));
  const committed = await readFile(file("../src/wire.generated.ts"), "utf8");
  const body = committed.slice(committed.indexOf("export interface paths"));
  expect(body === generated, "stale: run `npm run wire` in web/").toBe(true);
});
