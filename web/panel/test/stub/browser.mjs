import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** A browser of one's own, with nothing of anyone else's in it. */
export async function startBrowser(options = {}) {
  const profile = mkdtempSync(join(tmpdir(), "ocs-browser-"));
  return chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
    ...options,
  });
}
