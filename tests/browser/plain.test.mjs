// JavaScript off: everything is read, and every plain form works.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Reader } from './browser.mjs';
import { Store } from './store.mjs';

let store, browser;
before(async () => {
  [store, browser] = await Promise.all([Store.open(), launch()]);
  await store.searchable();
});
after(async () => {
  await browser?.close();
  await store?.close();
});

async function enter(t, options = { script: false }) {
  const reader = await Reader.enter(browser, store.hub, options);
  t.after(() => reader.leave());
  return reader;
}

const heading = (reader) => reader.page.getByRole('heading', { level: 1 }).innerText();

/** What can be read and followed: headings, and where links lead. */
async function readable(reader) {
  const headings = await reader.page.getByRole('heading').allInnerTexts();
  const links = await reader.page.getByRole('link').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
  // A one-time link differs from visit to visit in nothing that is read.
  return { headings, links: [...new Set(links)].sort() };
}

test('scripts really are off', async (t) => {
  const reader = await enter(t);
  await reader.page.setContent('<p>before</p><script>document.querySelector("p").textContent = "after"</script>');
  assert.equal(await reader.page.locator('p').innerText(), 'before');
});

test('every page reads the same as with scripts', async (t) => {
  const [without, with_] = [await enter(t), await enter(t, { script: true })];
  for (const { path, status } of await store.pages()) {
    await Promise.all([without.open(path, status), with_.open(path, status)]);
    const [plain, rich] = [await readable(without), await readable(with_)];
    assert.deepEqual(plain.headings, rich.headings, path);
    const missing = rich.links.filter((link) => !plain.links.includes(link));
    assert.deepEqual(missing, [], `${path}: links that only scripts make`);
    without.calm(path);
  }
});

test('search leads to a skill, and from there to its files and versions', async (t) => {
  const reader = await enter(t);
  const { page } = reader;
  await reader.open('/');
  await page.getByRole('searchbox').first().fill('business letters');
  await page.getByRole('button', { name: 'Search' }).first().click();
  await page.waitForURL(/q=business\+letters/);
  await page.getByRole('main').getByRole('link', { name: 'Letters', exact: true }).first().click();
  await page.waitForURL('**/@anna/letters');
  assert.equal(await heading(reader), 'Letters');
  assert.match(await page.getByRole('main').innerText(), /Never invent an address/);
  await page.getByRole('link', { name: 'what for' }).click();
  await page.waitForURL(/references(%2F|\/)forms\.md/);
  assert.match(await page.locator('body').innerText(), /# Forms|Forms/);
  await reader.open('/@anna/strained');
  await page.getByRole('main').getByRole('link', { name: '1.0.0', exact: true }).click();
  await page.waitForURL('**/@anna/strained@1.0.0');
  reader.calm();
});

test('the language is chosen and stays chosen', async (t) => {
  const reader = await enter(t);
  const { page } = reader;
  const language = () => page.locator('html').getAttribute('lang');
  await reader.open('/?q=letters');
  assert.equal(await language(), 'en');
  await page.getByRole('link', { name: '中文' }).click();
  await page.getByRole('link', { name: 'English' }).waitFor();
  assert.deepEqual([await language(), new URL(page.url()).search], ['zh-Hans', '?q=letters']);
  await reader.open('/@anna/letters');
  assert.equal(await language(), 'zh-Hans');
  assert.match(await page.getByRole('main').innerText(), /撰写商务信函/, 'the description is in the chosen language');
  await page.getByRole('link', { name: 'English' }).click();
  await page.getByRole('link', { name: '中文' }).waitFor();
  assert.equal(await language(), 'en');
  reader.calm();
});

test('a one-time link signs in once, and the session ends on request', async (t) => {
  const reader = await enter(t);
  const { page } = reader;
  const link = await store.link();
  await reader.open(link);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation').getByText('@anna').first().waitFor();
  await reader.open(link, 410);
  await reader.open('/device');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Sign in' }).waitFor();
  await reader.open('/device');
  assert.equal(await page.getByLabel('Code').count(), 0, 'nothing is approved by who is signed out');
});

test('a device is let in or turned away', async (t) => {
  const reader = await enter(t);
  const { page } = reader;
  await reader.signIn(store.anna);
  for (const [button, outcome, answer] of [['Approve', 'Approved', 'access_token'], ['Deny', 'Denied', 'error']]) {
    const device = await store.device(`a device to ${button}`);
    await reader.open('/device');
    await page.getByLabel('Code').fill(device.user_code);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: `a device to ${button}` }).waitFor();
    await page.getByRole('button', { name: button }).click();
    await page.getByRole('heading', { name: outcome }).waitFor();
    const body = JSON.stringify({ device_code: device.device_code });
    const headers = { 'content-type': 'application/json' };
    const told = await store.hub.fetch('/api/cli/device/token', { method: 'POST', headers, body });
    assert.ok(answer in (await told.json()), outcome);
  }
});

test('an errand is asked for and followed', async (t) => {
  const reader = await enter(t);
  const { page } = reader;
  await reader.signIn(store.anna);
  await reader.open('/errands');
  await page.getByLabel('What do you want?').fill('order me a tea to the office');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.waitForURL(/errands\/.+/);
  assert.match(await heading(reader), /order me a tea/);
  await reader.open('/errands');
  await page.getByRole('link', { name: /order me a tea/ }).waitFor();
});
