// What assistive technology is told of a page, kept as files. KONTOR_UPDATE_SNAPSHOTS=1 writes them anew.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LANGUAGES, launch, Reader } from './browser.mjs';
import { Store } from './store.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'snapshots');
const PAGES = { home: '/', skill: '/@anna/letters', 'sign-in': '/login' };

let store, browser;
before(async () => {
  [store, browser] = await Promise.all([Store.open(), launch()]);
});
after(async () => {
  await browser?.close();
  await store?.close();
});

/** Without what differs from run to run and from version to version. */
function steady(outline) {
  const text = outline.replaceAll(store.hub.url, 'https://hub.example');
  const digests = text.replace(/\b[0-9a-f]{64}\b/g, 'DIGEST');
  const days = digests.replace(/\b\d{4}-\d{2}-\d{2}\b/g, 'DAY').replace(/\d{4}年\d{1,2}月\d{1,2}日/g, 'DAY');
  return `${days.replace(/\b\d+(\.\d+)? (B|KiB|kB|KB)\b/g, 'SIZE')}\n`;
}

for (const language of Object.keys(LANGUAGES)) {
  for (const [name, path] of Object.entries(PAGES)) {
    const file = `${name}.${language}.yml`;
    test(`the outline of ${file} is as it was agreed`, async (t) => {
      const reader = await Reader.enter(browser, store.hub, { language });
      t.after(() => reader.leave());
      await reader.open(path);
      const outline = steady(await reader.page.locator('body').ariaSnapshot());
      if (process.env.KONTOR_UPDATE_SNAPSHOTS) {
        await mkdir(folder, { recursive: true });
        await writeFile(join(folder, file), outline);
      }
      assert.equal(outline, await readFile(join(folder, file), 'utf8'), 'KONTOR_UPDATE_SNAPSHOTS=1 writes it anew');
    });
  }
}

test('no outline is kept of a page that is no longer looked at', async () => {
  const known = Object.keys(LANGUAGES).flatMap((language) => Object.keys(PAGES).map((name) => `${name}.${language}.yml`));
  assert.deepEqual((await readdir(folder)).sort(), known.sort());
});
