// What a first visit costs, and what the browser may not do on it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { LANGUAGES, launch, Reader } from './browser.mjs';
import { Store } from './store.mjs';

/** The most bytes over the wire of a core page with all that belongs to it, and of the scripts among them. */
const MOST = { all: 100_000, script: 30_000 };

let store, browser;
before(async () => {
  [store, browser] = await Promise.all([Store.open(), launch()]);
  await store.searchable();
});
after(async () => {
  await browser?.close();
  await store?.close();
});

/** What the network carried for one page in a browser that has nothing kept. */
async function carried(language, path) {
  const reader = await Reader.enter(browser, store.hub, { language });
  const network = await reader.context.newCDPSession(reader.page);
  await network.send('Network.enable');
  const types = new Map();
  const bytes = { all: 0, script: 0, requests: 0 };
  let under = 0;
  network.on('Network.requestWillBeSent', () => (under += 1));
  network.on('Network.responseReceived', ({ requestId, type }) => types.set(requestId, type));
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    under -= 1;
    bytes.requests += 1;
    bytes.all += encodedDataLength;
    if (types.get(requestId) === 'Script') bytes.script += encodedDataLength;
  });
  await reader.open(path);
  while (under > 0) await pause(20);
  reader.calm(path);
  await reader.leave();
  return bytes;
}

for (const language of Object.keys(LANGUAGES)) {
  test(`core pages are small on a first visit (${language})`, async (t) => {
    for (const page of (await store.pages()).filter((page) => page.core)) {
      const bytes = await carried(language, page.path);
      t.diagnostic(`${page.name}: ${bytes.all} bytes in ${bytes.requests} requests, ${bytes.script} of script`);
      assert.ok(bytes.requests >= 2, `${page.path}: nothing was counted`);
      assert.ok(bytes.all < MOST.all, `${page.path}: ${bytes.all} bytes`);
      assert.ok(bytes.script < MOST.script, `${page.path}: ${bytes.script} bytes of script`);
    }
  });
}

test('every page says what a browser may do on it, and that is little', async () => {
  for (const page of await store.pages()) {
    const answer = await store.hub.fetch(page.path, { headers: { accept: 'text/html' } });
    const policy = Object.fromEntries((answer.headers.get('content-security-policy') ?? '').split(';').map((part) => {
      const [name, ...sources] = part.trim().split(/\s+/);
      return [name, sources];
    }));
    const own = (name) => (policy[name] ?? []).every((source) => source === "'self'" || source === "'none'" || /^'nonce-/.test(source));
    assert.deepEqual(policy['default-src'], ["'none'"], page.path);
    assert.deepEqual(policy['base-uri'], ["'none'"], page.path);
    assert.deepEqual(policy['frame-ancestors'], ["'none'"], page.path);
    assert.deepEqual(policy['form-action'], ["'self'"], page.path);
    for (const name of Object.keys(policy)) assert.ok(own(name), `${page.path}: ${name} ${policy[name]}`);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', page.path);
    assert.equal(answer.headers.get('referrer-policy'), 'same-origin', page.path);
    assert.equal(answer.headers.get('content-language'), 'en', page.path);
  }
});
