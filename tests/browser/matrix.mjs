// Every page, in every theme and width, in one language.
import { after, before, test } from 'node:test';
import { launch, Reader } from './browser.mjs';
import { Store } from './store.mjs';

const WIDTHS = [360, 1280, 1920];
/** From this width on only tables grow: the pages that have them are looked at. */
const WIDE = 1920;

/** Declares the tests of one language. */
export async function matrix(language) {
  let store, browser, pages, own, ofTheConsole;
  before(async () => {
    [store, browser] = await Promise.all([Store.open(), launch()]);
    await store.searchable();
    await store.held();
    [pages, own, ofTheConsole] = [await store.pages(), await store.ownPages(), store.consolePages()];
  });
  after(async () => {
    await browser?.close();
    await store?.close();
  });

  for (const dark of [false, true]) {
    for (const width of WIDTHS) {
      const folder = `${language}-${dark ? 'dark' : 'light'}-${width}`;
      test(`every page is sound in ${folder}`, async (t) => {
        const reader = await Reader.enter(browser, store.hub, { language, dark, width });
        t.after(() => reader.leave());
        const look = (page) => t.test(`${folder}: ${page.name}`, async () => {
          await reader.open(page.path, page.status);
          await reader.sound(`${folder}: ${page.path}`);
          await reader.shoot(folder, page.name);
        });
        if (width < WIDE) {
          for (const page of pages) await look(page);
          await reader.signIn(store.anna);
          for (const page of own) await look(page);
        }
        await reader.context.clearCookies({ name: /session/ });
        await reader.signIn(store.rita);
        for (const page of ofTheConsole) await look(page);
      });
    }
  }
}
