import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["{protocol,launcher,panel}/test/**/*.test.ts"], environment: "node", restoreMocks: true },
});
