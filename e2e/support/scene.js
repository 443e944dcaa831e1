// The fixture of a story file: one server, one browser and one website; people and sites as needed.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { openBrowser } from './browser.js';
import { ConsoleApi } from './console_api.js';
import { Operator } from './operator.js';
import { root } from './packages.js';
import { snippet, Website } from './pages.js';
import { Server } from './server.js';
import { Visitor } from './visitor.js';

const out = join(root, 'e2e/out');
const PATIENCE_MS = 30_000;

export function scene({ settings = {}, browser: withBrowser = true, args = [] } = {}) {
  const here = { people: [], sites: 0 };

  before(async () => {
    here.server = await Server.start(settings);
    here.website = await Website.open();
    here.browser = withBrowser ? await openBrowser(args) : null;
    here.url = here.server.url;
  });
  after(async () => {
    await here.browser?.close();
    here.website?.close();
    await here.server?.discard();
  });
  afterEach(async (test) => {
    if (test.passed === false || test.error) await keepEvidence(here, test.name);
    const contexts = new Set(here.people.map((person) => person.page.context()));
    here.people = [];
    for (const context of contexts) await context.close();
  });

  /** A site with its own account. `api` is a client of the console API, signed in as that account. */
  here.site = async ({ name = 'Northwind Shop', person = 'Otto', ...change } = {}) => {
    here.sites += 1;
    const site = await here.server.addSite({ owner: `owner${here.sites}@shop.example`, name, person });
    site.api = await ConsoleApi.signIn(here.url, site.owner);
    if (Object.keys(change).length > 0) await site.api.configure(site.id, change);
    return site;
  };

  /** The URL of a page with the documented snippet, unchanged. */
  here.page = (site, { head, ...more } = {}) => here.website.put(`/${site.key}/${Math.random().toString(36).slice(2)}`, head ?? snippet(more.url ?? here.url, site.key), more);

  here.context = async (options = {}) => {
    const context = await here.browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Paris', viewport: { width: 1200, height: 800 }, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    return context;
  };

  /** A visitor with a separate browser profile, or in a second tab of the visitor `in`. */
  here.visitor = async ({ in: other, init, ...options } = {}) => {
    const context = other?.context ?? (await here.context(options));
    if (init) await context.addInitScript(init);
    const visitor = new Visitor(await context.newPage());
    here.people.push(visitor);
    return visitor;
  };

  here.operator = async (site, options = {}) => {
    const operator = new Operator(await (await here.context(options)).newPage(), options.url ?? here.url);
    here.people.push(operator);
    if (site) await operator.signIn(site.owner);
    return operator;
  };

  return here;
}

/** Stores each person's screenshot and the server's log, to investigate a failure. */
async function keepEvidence(here, name) {
  const folder = join(out, name.replace(/[^\w]+/g, '-').slice(0, 80));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'server.log'), here.server.log.join('\n'));
  for (const [at, { page, seen }] of here.people.entries()) {
    await page.screenshot({ path: join(folder, `person-${at + 1}.png`) }).catch(() => {});
    await writeFile(join(folder, `person-${at + 1}.txt`), [page.url(), ...seen.faults, ...seen.warnings, ...seen.requests].join('\n'));
  }
}
