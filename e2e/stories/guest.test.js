// The chat on real-world pages: libraries that replace built-ins, frameworks that own the document, dialogs that trap the
// focus, and pages with their own layers.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { packageFile, reactServer } from '../support/packages.js';
import { snippet, snippetWith } from '../support/pages.js';
import { scene } from '../support/scene.js';
import { settled } from '../support/weight.js';

const here = scene();
const chats = (visitor) => visitor.page.locator('ocs-chat').count();
const library = (name) => readFile(`/usr/share/javascript/${name}.js`, 'utf8');

/** Serves scripts from the website and returns the tags that load them. */
const scripts = (...sources) => sources.map((source) => `<script src="${here.website.serve(`/library/${Math.random()}.js`, source, { type: 'text/javascript' })}"></script>`).join('\n');

/** A complete chat, from the first message to the reply, sent with Enter and with the button. */
async function talks(shop, visitor) {
  await visitor.open();
  await visitor.composer.pressSequentially('By Enter');
  await visitor.composer.press('Enter');
  await visitor.composer.pressSequentially('By the button');
  await visitor.page.locator('ocs-chat').getByRole('button', { name: 'Send', exact: true }).click();
  await visitor.hasTexts(['By Enter', 'By the button']);
  await visitor.sent();
  const [{ id }] = await shop.api.conversations();
  await shop.api.reply(shop.id, id, `answer-${Math.random()}`, 'And the answer');
  await visitor.hasTexts(['By Enter', 'By the button', 'And the answer']);
}

/** The ways in which a page runs the snippet again. */
const AGAIN = {
  'a page swap with the snippet in the body': (html) => {
    const body = document.createElement('body');
    body.innerHTML = `<h1>Next page</h1>${html}`;
    // As Turbo does it: a script inserted as markup would not run.
    for (const inert of body.querySelectorAll('script')) {
      const script = document.createElement('script');
      script.textContent = inert.textContent;
      inert.replaceWith(script);
    }
    document.documentElement.replaceChild(body, document.body);
  },
  'a tag manager': (html) => document.head.append(document.createRange().createContextualFragment(html)),
  'an effect of a single-page app': (_, src) => {
    window.OCS = { externalId: 'user_12345', nickname: 'John Doe' };
    const script = document.createElement('script');
    script.src = src;
    document.body.append(script);
  },
};

for (const [name, include] of Object.entries(AGAIN)) {
  test(`the snippet runs again by ${name}: one chat, its methods, its thread`, async () => {
    const shop = await here.site();
    const john = await here.visitor();
    const sockets = [];
    john.page.on('websocket', (socket) => sockets.push(socket));
    await john.visit(here.page(shop, { head: snippet(here.url, shop.key) }));
    await john.open();
    await john.write('Once');
    await john.sent();
    const starts = () => john.seen.requests.filter((request) => request === `POST ${here.url}/api/widget`).length;
    const before = starts();
    for (let turn = 0; turn < 2; turn += 1) {
      await john.page.evaluate(`(${include})(${JSON.stringify(snippet(here.url, shop.key)).replaceAll('<', '\\x3c')}, ${JSON.stringify(`${here.url}/api/widget.js?key=${shop.key}`)}); window.theirs = window.OCS`);
      // It is a new object: the script adds the methods to it.
      await eventually(async () => assert.equal(await john.page.evaluate(() => typeof window.OCS.open + typeof window.theirs.open), 'functionfunction'));
    }
    assert.equal(await chats(john), 1);
    await john.page.evaluate(() => window.theirs.close());
    await john.panel.waitFor({ state: 'hidden' });
    await john.page.evaluate(() => window.OCS.open());
    await john.hasTexts(['Once']);
    await settled(john.page);
    assert.equal(sockets.length, 1);
    assert.equal(starts(), before, 'the same person is not announced again');
    assert.deepEqual(john.seen.faults, []);
  });
}

test('included again for somebody else: the thread of the first visitor disappears at once', async () => {
  const shop = await here.site();
  const vera = await here.visitor();
  await vera.visit(here.page(shop, { head: snippetWith(here.url, shop.key, { externalId: 'vera' }) }));
  await vera.open();
  await vera.write('A secret of Vera');
  await vera.sent();
  await vera.page.evaluate((src) => {
    window.OCS = { externalId: 'anna', nickname: 'Anna' };
    const script = document.createElement('script');
    script.src = src;
    document.head.append(script);
  }, `${here.url}/api/widget.js?key=${shop.key}`);
  await vera.hasTexts([]);
  await vera.panel.getByText('Anna').waitFor();
  assert.equal(await chats(vera), 1);
});

const OLD_HABITS = `
Array.prototype.toJSON = function () { return '[' + this.join() + ']'; };
Array.prototype.reduce = function () { return this.length > 1 ? this : this[0]; };
Array.prototype.each = Array.prototype.forEach;
Object.prototype.extend = function () { return this; };
Element.prototype.scrollTo = function () { window.scrollTo(0, 0); return this; };
Array.from=function(i){if(!i)return[];if('toArray' in Object(i))return i.toArray();var l=i.length||0,r=new Array(l);while(l--)r[l]=i[l];return r};`;

for (const [name, sources] of [
  ['Prototype 1.7.3', () => library('prototype/prototype')],
  ['MooTools 1.4.5, core and more', async () => `${await library('mootools/mootools-core-nc')}\n${await library('mootools/mootools-more-nc')}`],
  ['habits of older libraries', () => OLD_HABITS],
]) {
  test(`on a page with ${name}, a visitor opens the chat, types, sends and gets a reply, also after a reload`, async () => {
    const shop = await here.site();
    const john = await here.visitor();
    await john.visit(here.page(shop, { head: `${scripts(await sources())}\n${snippetWith(here.url, shop.key)}` }));
    await talks(shop, john);
    await john.composer.fill('A draft');
    await john.page.reload();
    await john.launcher.waitFor();
    await john.open();
    await john.hasTexts(['By Enter', 'By the button', 'And the answer']);
    assert.equal(await john.composer.inputValue(), 'A draft');
    await john.page.keyboard.press('Escape');
    await john.page.evaluate(() => window.OCS.destroy());
    assert.equal(await chats(john), 0);
    assert.deepEqual(john.seen.faults, []);
  });
}

test('React 18 hydrates the whole document without errors although the launcher is there first', async () => {
  const shop = await here.site();
  const { createElement, renderToString } = reactServer();
  const app = `const Page = ({ h = React.createElement }) => h('html', { lang: 'en' }, h('head', null, h('meta', { charSet: 'utf-8' }), h('title', null, 'Shop')), h('body', null, h('h1', null, 'Northwind Shop'), h('button', { onClick: () => (window.bought = true) }, 'Buy')));`;
  const Page = new Function('React', `${app} return Page;`)({ createElement });
  const [react, dom] = await Promise.all(['react/umd/react.production.min.js', 'react-dom/umd/react-dom.production.min.js'].map(packageFile));
  const files = [react, dom, `${app}
    window.recovered = [];
    window.hydrate = () => ReactDOM.hydrateRoot(document, React.createElement(Page), { onRecoverableError: (error) => window.recovered.push(String(error)) });`];
  const john = await here.visitor();
  const markup = renderToString(createElement(Page)).replace('</head>', `${snippetWith(here.url, shop.key)}</head>`);
  await john.visit(here.website.serve('/react', `<!doctype html>${markup}`));
  for (const content of files) await john.page.addScriptTag({ content });
  const heading = await john.page.$('h1');
  await john.page.evaluate(() => window.hydrate());
  await john.page.waitForFunction(() => Object.keys(document.querySelector('button')).some((name) => name.startsWith('__reactFiber')));
  await settled(john.page);
  assert.deepEqual(await john.page.evaluate(() => window.recovered), []);
  assert.equal(await heading.evaluate((element) => element.isConnected), true, 'the page is the one that the server sent');
  await john.page.getByRole('button', { name: 'Buy' }).click();
  assert.equal(await john.page.evaluate(() => window.bought), true);
  assert.equal(await chats(john), 1);
  await talks(shop, john);
  assert.deepEqual(john.seen.faults, []);
});

test('with a Bootstrap 5.3 modal open, typing into the chat works', async () => {
  const shop = await here.site();
  const modal = `<div class="modal" tabindex="-1" style="display:none"><div class="modal-dialog"><div class="modal-content"><div class="modal-body"><label>Your code <input name="code"></label></div></div></div></div>`;
  const style = `<style>${await packageFile('bootstrap/dist/css/bootstrap.min.css')}</style>`;
  const john = await here.visitor();
  await john.visit(here.page(shop, { head: `${style}${scripts(await packageFile('bootstrap/dist/js/bootstrap.bundle.min.js'))}${snippetWith(here.url, shop.key)}`, body: `<h1>Shop</h1>${modal}` }));
  await john.page.evaluate(() => new Promise((shown) => {
    const element = document.querySelector('.modal');
    element.addEventListener('shown.bs.modal', shown);
    new window.bootstrap.Modal(element).show();
  }));
  await john.page.getByLabel('Your code').focus();
  await john.open();
  await john.composer.click();
  await john.page.keyboard.type('For the chat');
  assert.equal(await john.page.getByLabel('Your code').inputValue(), '');
  await john.page.keyboard.press('Enter');
  await john.hasTexts(['For the chat']);
  // Escape closes the chat; the modal stays open.
  await john.page.keyboard.press('Escape');
  await john.panel.waitFor({ state: 'hidden' });
  assert.equal(await john.page.getByLabel('Your code').isVisible(), true);
});

test('copy protection and shortcuts of the page do not affect the chat and receive no events from it', async () => {
  const shop = await here.site();
  const head = `<script>
    window.received = [];
    document.onmousedown = (event) => /INPUT|TEXTAREA/.test(event.target.tagName);
    document.onselectstart = document.oncontextmenu = document.oncopy = document.onpaste = document.ondragstart = () => false;
    for (const type of ['keydown', 'keypress', 'keyup', 'beforeinput', 'input', 'focusin', 'focusout', 'mousedown', 'mouseup', 'click', 'dblclick', 'contextmenu', 'pointerdown', 'pointerup', 'wheel', 'copy', 'paste', 'dragenter', 'dragover', 'drop'])
      document.addEventListener(type, (event) => event.target.localName === 'ocs-chat' && window.received.push(type));
  </script>${snippetWith(here.url, shop.key)}`;
  const john = await here.visitor({ permissions: ['clipboard-read', 'clipboard-write'] });
  await john.visit(here.page(shop, { head }));
  await john.open();
  await john.page.evaluate(() => (window.received.length = 0));
  await john.composer.click();
  await john.page.keyboard.type('Copied');
  await john.composer.dblclick();
  await john.page.keyboard.press('ControlOrMeta+C');
  await john.page.keyboard.press('End');
  await john.page.keyboard.press('ControlOrMeta+V');
  assert.equal(await john.composer.inputValue(), 'CopiedCopied');
  await john.page.mouse.wheel(0, 10);
  await john.composer.click({ button: 'right' });
  await john.composer.evaluate((field) => {
    for (const type of ['dragenter', 'dragover', 'drop']) field.dispatchEvent(new DragEvent(type, { bubbles: true, composed: true, cancelable: true, dataTransfer: new DataTransfer() }));
  });
  assert.deepEqual(await john.page.evaluate(() => window.received), []);
});

test('a drag that starts on the page and ends over the chat ends for the page', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.page.evaluate(() => {
    window.ended = [];
    for (const type of ['pointerup', 'mouseup']) addEventListener(type, () => window.ended.push(type));
  });
  await john.page.mouse.move(100, 300);
  await john.page.mouse.down();
  const box = await john.composer.boundingBox();
  await john.page.mouse.move(box.x + 20, box.y + 10, { steps: 4 });
  await john.page.mouse.up();
  assert.deepEqual(await john.page.evaluate(() => window.ended), ['pointerup', 'mouseup']);
});

/** The launcher's position, and whether a click in its centre reaches it. */
const launcherAt = (visitor) => visitor.launcher.evaluate((button) => {
  const box = button.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  return { right: Math.round(innerWidth - box.right), bottom: Math.round(innerHeight - box.bottom), ground: getComputedStyle(button).backgroundColor, reached: document.elementFromPoint(x, y)?.localName === 'ocs-chat' };
});

test("the page's class names, transforms and layers do not displace the chat", async () => {
  const shop = await here.site();
  const names = ['p', 'q', 'h', 'x', 'gap', 'tall', 'bg', 'ink', 'panel', 'text', 'bubble', 'line', 'focus', 'width', 'height', 'round', 'font'];
  const style = `${names.map((name) => `@property --${name}{syntax:'<number>';inherits:false;initial-value:0}`).join('')}
    html{transform:translateZ(0);min-height:3000px} ::backdrop{background:#f00} [popover]{inset:0;background:#f00}
    .banner{position:fixed;inset:auto 0 0;height:120px;z-index:2147483647;background:#fffbe6}`;
  const john = await here.visitor();
  await john.visit(here.page(shop, { head: `<style>${style}</style>${snippetWith(here.url, shop.key)}`, body: '<h1>Shop</h1><div class="banner">We use cookies</div>' }));
  assert.deepEqual(await launcherAt(john), { right: 20, bottom: 20, ground: 'rgb(37, 99, 235)', reached: true });
  await john.open();
  const head = await john.page.locator('ocs-chat .head').evaluate((element) => getComputedStyle(element).backgroundColor);
  assert.equal(head, 'rgb(37, 99, 235)');
  assert.equal((await john.panel.boundingBox()).width, 368);
  // After the page removes it, it comes back on top.
  await john.page.evaluate(() => document.querySelector('ocs-chat').remove());
  await eventually(async () => assert.equal((await launcherAt(john)).reached, true));
});

test('a site can move the launcher and set its z-index', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  const banner = '<div style="position:fixed;inset:auto 0 0;height:80px;z-index:1000;background:#fffbe6">We use cookies</div>';
  await john.visit(here.page(shop, { head: snippetWith(here.url, shop.key, { offset: { x: 40, y: 96 }, zIndex: 999 }), body: banner }));
  const { right, bottom, reached } = await launcherAt(john);
  assert.deepEqual({ right, bottom, reached }, { right: 40, bottom: 96, reached: true });
  await john.open();
  const box = await john.panel.boundingBox();
  assert.equal(Math.round(1200 - box.x - box.width), 40);
  assert.ok(box.y >= 0 && box.y + box.height <= 800 - 96 - 48, JSON.stringify(box));
  await john.page.addStyleTag({ content: 'div{top:0!important;height:auto!important}' });
  assert.equal((await launcherAt(john)).reached, false, 'the banner lies over it now');
});

test('a dialog of the page covers the chat', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop, { body: '<dialog style="width:100%;height:100%;max-width:none;max-height:none">Sign in</dialog>' }));
  await john.page.evaluate(() => document.querySelector('dialog').showModal());
  assert.equal((await launcherAt(john)).reached, false);
  await john.page.evaluate(() => document.querySelector('dialog').close());
  assert.equal((await launcherAt(john)).reached, true);
});

test('a chat left open is open on the next page, with its thread and without taking the focus', async () => {
  const shop = await here.site();
  const john = await here.visitor({ init: () => {
    window.shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.shift += entry.value))).observe({ type: 'layout-shift', buffered: true });
  } });
  const [first, second] = [here.page(shop), here.page(shop, { body: '<h1>Lamps</h1><label>Search <input autofocus></label>' })];
  await john.visit(first);
  await john.open();
  await john.write('I go on looking');
  await john.sent();
  await john.page.goto(second);
  await john.hasTexts(['I go on looking']);
  assert.equal(await john.panel.isVisible(), true);
  assert.equal(await john.page.evaluate(() => document.activeElement.localName), 'input');
  assert.equal(await john.page.evaluate(() => window.shift), 0);

  await john.composer.press('Escape');
  await john.panel.waitFor({ state: 'hidden' });
  await john.page.goto(first);
  await john.launcher.waitFor();
  await settled(john.page);
  assert.equal(await john.panel.isVisible(), false, 'closed, it stays closed');

  // Another tab is not affected.
  await john.open();
  const other = await here.visitor({ in: john });
  await other.visit(second);
  assert.equal(await other.launcher.getAttribute('aria-expanded'), 'false');
  assert.deepEqual(john.seen.faults, []);
});

test('an unknown visitor who closed the chat causes no requests on the next page', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.page.keyboard.press('Escape');
  await settled(john.page);
  john.seen.requests.length = 0;
  await john.visit(here.page(shop));
  await settled(john.page);
  assert.deepEqual(john.seen.requests.filter((request) => request.includes(here.url)), [`GET ${here.url}/api/widget.js?key=${shop.key}`]);
});

test('on a phone the next page is shown without the chat', async () => {
  const shop = await here.site();
  const john = await here.visitor({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await john.visit(here.page(shop));
  await john.open();
  await john.write('From my phone');
  await john.sent();
  await john.visit(here.page(shop));
  await settled(john.page);
  assert.equal(await john.launcher.getAttribute('aria-expanded'), 'false');
  assert.equal(await john.page.evaluate(() => document.body.inert), false);
});

for (const [language, spoken, says] of [['ar', 'en', 'Chat'], ['he', 'en', 'Chat'], ['de', 'en', 'Chat'], ['FR-ca', 'fr', 'Écrivez un message…'], ['ja', 'ja', 'チャット']]) {
  test(`on a page in ${language} the chat has the lang of its own texts: ${spoken}`, async () => {
    const shop = await here.site();
    const john = await here.visitor();
    await john.visit(here.page(shop, { lang: `${language}" dir="${/ar|he/.test(language) ? 'rtl' : 'ltr'}` }));
    await john.launcher.click();
    const panel = john.page.locator('ocs-chat .panel.open');
    await panel.waitFor();
    const marked = (element) => element.evaluate((node) => [node.closest('[lang]').lang.slice(0, 2), getComputedStyle(node).direction]);
    assert.deepEqual(await marked(john.launcher), [spoken, 'ltr']);
    assert.deepEqual(await marked(panel), [spoken, 'ltr']);
    const said = await panel.locator('textarea').getAttribute('placeholder');
    assert.ok([said, await john.launcher.innerText()].includes(says), `${said}`);
  });
}

test('the chat works fully in the oldest supported browser', async () => {
  const shop = await here.site();
  const john = await here.visitor({ init: () => {
    // Features that Firefox 113 lacks.
    for (const name of Object.getOwnPropertyNames(Element.prototype)) if (/^aria|^role$/.test(name)) delete Element.prototype[name];
    for (const name of ['popover', 'showPopover', 'hidePopover', 'togglePopover']) delete HTMLElement.prototype[name];
    DOMTokenList.prototype.supports = (name) => name !== 'modulepreload';
    delete Intl.Segmenter;
    delete Navigator.prototype.userActivation;
    delete window.CloseWatcher;
  } });
  await john.visit(here.page(shop));
  const { launcher } = john;
  assert.equal(await launcher.locator('svg').filter({ visible: true }).count(), 1);
  assert.equal(await launcher.getAttribute('aria-haspopup'), 'dialog');
  await talks(shop, john);
  assert.equal(await john.page.locator('ocs-chat [role=region]').count(), 1);
  assert.deepEqual(john.seen.faults, []);
});

test('in an older browser nothing is shown, and the browser console explains why', async () => {
  const shop = await here.site();
  const john = await here.visitor({ init: () => delete Document.prototype.adoptedStyleSheets });
  const said = john.page.waitForEvent('console', (line) => line.text().startsWith('OCS chat:'));
  await john.page.goto(here.page(shop));
  assert.match((await said).text(), /this browser is too old/);
  assert.equal(await chats(john), 0);
  assert.deepEqual([...john.seen.faults, ...john.seen.warnings], []);
});
