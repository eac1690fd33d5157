// The pictures of the README: taken from a hub with the starter skills, into the folder that is named.
import assert from 'node:assert/strict';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Hub } from '../clients/hub.mjs';
import { launch, Reader } from './browser.mjs';

const folder = process.argv[2];
assert.ok(folder, 'name the folder for the pictures');
/** A picture of a README is fetched by everybody who reads it. */
const MOST_BYTES = 150_000;
const PAGES = { home: '/', skill: '/@kontor/meeting-minutes' };

await mkdir(folder, { recursive: true });
const [hub, browser] = await Promise.all([Hub.startWithStarters(), launch()]);
try {
  for (const language of ['en', 'zh']) {
    const reader = await Reader.enter(browser, hub, { language, width: 1024, height: 680 });
    for (const [name, path] of Object.entries(PAGES)) {
      await reader.open(path);
      await reader.sound(path);
      const place = join(folder, `${name}.${language}.png`);
      await reader.page.screenshot({ path: place });
      const { size } = await stat(place);
      assert.ok(size < MOST_BYTES, `${place} has ${size} bytes; ${MOST_BYTES} is the limit`);
      console.log(`${place}: ${size} bytes`);
    }
    await reader.leave();
  }
} finally {
  await browser.close();
  await hub.stop();
}
