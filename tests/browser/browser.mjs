// Chromium, and readers who look at a hub's pages with it: each remembers what went wrong on the way.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? resolve(here, '..', '..', 'target');
const modules = process.env.KONTOR_BROWSER ?? join(target, 'tools', 'browser', 'node_modules');
const program = process.env.KONTOR_CHROMIUM ?? '/usr/bin/chromium';
const installed = createRequire(join(modules, 'from-here.js'));
const { chromium } = installed('playwright-core');
const axe = readFileSync(installed.resolve('axe-core/axe.min.js'), 'utf8');

/** Where screenshots are kept for whoever wants to look. */
export const shots = process.env.KONTOR_BROWSER_SHOTS ?? join(target, 'browser');

/** The languages of the pages: what a browser asks for, and what the page then calls itself. */
export const LANGUAGES = { en: { locale: 'en-GB', tag: 'en' }, zh: { locale: 'zh-CN', tag: 'zh-Hans' } };

/** Starts the browser with the fonts of this folder. */
export function launch() {
  assert.ok(existsSync(program), `no Chromium at ${program}: install the package chromium or set KONTOR_CHROMIUM`);
  const env = { ...process.env, FONTCONFIG_FILE: join(here, 'fonts.conf') };
  return chromium.launch({ executablePath: program, env, args: ['--font-render-hinting=none'] });
}

/** Runs in the page before its own scripts: what moves, and what a hostile text would set. */
function watch() {
  globalThis.seenToMove = [];
  const name = (node) => (node?.nodeType === 1 ? node.outerHTML : String(node?.textContent)).slice(0, 80);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      globalThis.seenToMove.push({ value: entry.value, what: entry.sources.map((source) => name(source.node)) });
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

/** Runs in the page when it stands: what can be seen of it from inside. */
function look() {
  const root = document.documentElement;
  const wide = [...document.querySelectorAll('body *')].filter((one) => {
    const clipped = one.closest('pre, .skip, [tabindex="0"]');
    return !clipped && one.getBoundingClientRect().right > root.clientWidth + 1;
  });
  return {
    lang: root.lang,
    title: document.title,
    over: root.scrollWidth - root.clientWidth,
    wide: wide.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)),
    ground: getComputedStyle(document.body).backgroundColor,
    headings: document.querySelectorAll('h1').length,
    moved: globalThis.seenToMove,
  };
}

/** How light a colour is that the browser computed, from 0 to 1. */
function lightness(colour) {
  const [red, green, blue] = colour.match(/[\d.]+/g).map(Number);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/** Somebody at a browser of their own, with one page open. */
export class Reader {
  constructor(hub, context, page, options) {
    Object.assign(this, { hub, context, page, options, faults: [], sent: [] });
    page.on('console', (message) => this.#said(message));
    page.on('pageerror', (error) => this.faults.push(`a script failed: ${error}`));
    page.on('requestfailed', (request) => this.#failed(request));
    page.on('response', (response) => this.#answered(response));
    page.on('request', (request) => this.#asked(request));
    page.on('dialog', (dialog) => {
      this.faults.push(`a dialog opened: ${dialog.message()}`);
      dialog.dismiss();
    });
  }

  /** Opens a browser window for a reader with these habits; `script: false` is one without JavaScript. */
  static async enter(browser, hub, options = {}) {
    const habits = { language: 'en', dark: false, width: 1280, height: 800, script: true, ...options };
    const context = await browser.newContext({
      baseURL: hub.url,
      locale: LANGUAGES[habits.language].locale,
      colorScheme: habits.dark ? 'dark' : 'light',
      viewport: { width: habits.width, height: habits.height },
      javaScriptEnabled: habits.script,
      deviceScaleFactor: 1,
    });
    context.setDefaultTimeout(10_000);
    if (habits.script) await context.addInitScript(watch);
    return new Reader(hub, context, await context.newPage(), habits);
  }

  #said(message) {
    if (!['error', 'warning'].includes(message.type())) return;
    // The browser notes the status of the page itself; whoever opened it says which it must be.
    if (message.location().url === this.page.url() && /status of \d+/.test(message.text())) return;
    this.faults.push(`the console says: ${message.text()} (${message.location().url})`);
  }

  #failed(request) {
    const why = request.failure()?.errorText;
    // The next page was asked for before this one had everything.
    if (why !== 'net::ERR_ABORTED') this.faults.push(`${request.url()} failed: ${why}`);
  }

  #asked(request) {
    if (!request.url().startsWith(`${this.hub.url}/`)) this.faults.push(`it asked another host: ${request.url()}`);
  }

  #answered(response) {
    const isPage = response.request().isNavigationRequest();
    if (response.status() >= 400 && !isPage) this.faults.push(`${response.url()} answered ${response.status()}`);
  }

  /** Opens a page, which must answer so, and forgets what went wrong before. */
  async open(path, status = 200) {
    this.faults.length = 0;
    const response = await this.page.goto(path, { waitUntil: 'load' });
    assert.equal(response.status(), status, path);
    return response;
  }

  /** Signs in through a one-time link of the hub, as people do. */
  async signIn(person) {
    const { url } = await this.hub.post('/api/kontor/v1/login-links', { person: person.handle });
    await this.open(url);
    await this.page.getByRole('main').getByRole('button').click();
    await this.page.getByRole('navigation').getByText(`@${person.handle}`).first().waitFor();
  }

  /** Nothing was reported, asked elsewhere or run that should not have been. */
  calm(where = this.page.url()) {
    assert.deepEqual(this.faults, [], where);
  }

  /** The page before us is sound: for the eye, for assistive technology, in its language and in its theme. */
  async sound(where = this.page.url()) {
    // Two frames: what would move has moved.
    await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const seen = await this.page.evaluate(look);
    assert.equal(seen.lang, LANGUAGES[this.options.language].tag, `${where}: its language`);
    assert.match(seen.title, /\S/, `${where}: its title`);
    assert.equal(seen.headings, 1, `${where}: one heading of the first level`);
    assert.deepEqual([seen.over, seen.wide], [0, []], `${where}: it is wider than the window`);
    assert.deepEqual(seen.moved, [], `${where}: something moved after it was shown`);
    const light = lightness(seen.ground);
    assert.ok(this.options.dark ? light < 0.25 : light > 0.75, `${where}: ${seen.ground} in the wrong theme`);
    this.calm(where);
    await this.#accessible(where);
  }

  async #accessible(where) {
    await this.page.evaluate(axe);
    const broken = await this.page.evaluate(async () => {
      const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
      const options = { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] };
      const { violations } = await globalThis.axe.run(document, options);
      return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((node) => node.html.slice(0, 200)) }));
    });
    assert.deepEqual(broken, [], `${where}: axe`);
  }

  /** Presses Tab until the keyboard stands on `goal`; each stop on the way must be in sight and marked. */
  async tabTo(goal, most = 80) {
    for (let stops = 0; stops < most; stops += 1) {
      await this.page.keyboard.press('Tab');
      const stop = await this.page.evaluate(() => {
        const one = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        const { top, bottom, left, right } = one.getBoundingClientRect();
        const inSight = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
        return { html: one.outerHTML.slice(0, 120), marked: outlineStyle !== 'none' && outlineWidth !== '0px', inSight };
      });
      assert.ok(!stop.html.startsWith('<body'), `the keyboard left the page before ${goal}`);
      assert.ok(stop.marked && stop.inSight, `where the keyboard stands is not seen: ${stop.html}`);
      if (await goal.evaluate((one) => one === document.activeElement)) return;
    }
    assert.fail(`the keyboard does not reach ${goal}`);
  }

  /** Keeps a picture of the whole page. */
  async shoot(folder, name) {
    const place = join(shots, folder);
    await mkdir(place, { recursive: true });
    await this.page.screenshot({ path: join(place, `${name}.png`), fullPage: true });
  }

  leave() {
    return this.context.close();
  }
}
