// The keyboard alone: nothing here touches a mouse.
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

async function enter(t, options) {
  const reader = await Reader.enter(browser, store.hub, options);
  t.after(() => reader.leave());
  return reader;
}

/** The part of the page that changes. */
const main = (reader) => reader.page.getByRole('main');

/** Presses a key that leads to another page, and waits until that stands. */
async function lead(reader, key, address) {
  await Promise.all([reader.page.waitForURL(address), reader.page.keyboard.press(key)]);
}

for (const [language, skip] of [['en', 'Skip to the content'], ['zh', '跳到正文']]) {
  test(`the first stop leads past the header (${language})`, async (t) => {
    const reader = await enter(t, { language, width: 360 });
    await reader.open('/@kontor');
    const link = reader.page.getByRole('link', { name: skip });
    await reader.tabTo(link, 1);
    await reader.page.keyboard.press('Enter');
    assert.ok(await main(reader).evaluate((one) => one === document.activeElement), 'the content has the keyboard');
    await reader.page.keyboard.press('Tab');
    const inside = await main(reader).evaluate((one) => one.contains(document.activeElement));
    assert.ok(inside, 'the next stop is in the content');
    reader.calm();
  });
}

test('search, and reach a skill, its files and an older version', async (t) => {
  const reader = await enter(t);
  await reader.open('/');
  await reader.tabTo(reader.page.getByRole('combobox').first());
  await reader.page.keyboard.type('meeting minutes');
  await lead(reader, 'Enter', /q=meeting/);
  await reader.tabTo(main(reader).getByRole('link', { name: 'meeting-minutes' }).first());
  await lead(reader, 'Enter', '**/@kontor/meeting-minutes');
  assert.match(await reader.page.getByRole('heading', { level: 1 }).innerText(), /meeting.minutes/i);
  await reader.open('/@anna/strained');
  await reader.tabTo(main(reader).getByRole('link', { name: '1.0.0', exact: true }), 200);
  await lead(reader, 'Enter', '**/@anna/strained@1.0.0');
  await reader.sound();
});

test('what scrolls sideways scrolls by keyboard', async (t) => {
  const reader = await enter(t, { width: 360 });
  await reader.open('/@anna/strained');
  const code = main(reader).locator('pre', { hasText: 'a-command' });
  await reader.tabTo(code, 200);
  await reader.page.keyboard.press('ArrowRight');
  await reader.page.keyboard.press('ArrowRight');
  await reader.page.waitForFunction((one) => one.scrollLeft > 0, await code.elementHandle());
});

test('choose the other language and stay on the page', async (t) => {
  const reader = await enter(t);
  await reader.open('/@kontor');
  await reader.tabTo(reader.page.getByRole('link', { name: '中文' }));
  await Promise.all([reader.page.waitForEvent('load'), reader.page.keyboard.press('Enter')]);
  assert.equal(await reader.page.locator('html').getAttribute('lang'), 'zh-Hans');
  assert.equal(new URL(reader.page.url()).pathname, '/@kontor');
});

test('sign in by a one-time link, let a device in, and sign out', async (t) => {
  const reader = await enter(t);
  await reader.open(await store.link());
  await reader.tabTo(main(reader).getByRole('button', { name: 'Sign in' }));
  await Promise.all([reader.page.waitForEvent('load'), reader.page.keyboard.press('Enter')]);
  await reader.page.getByRole('navigation').getByText('@anna').first().waitFor();
  const device = await store.device();
  await reader.open('/device');
  await reader.tabTo(reader.page.getByLabel('Code'));
  await reader.page.keyboard.type(device.user_code);
  await Promise.all([reader.page.waitForEvent('load'), reader.page.keyboard.press('Enter')]);
  await reader.page.getByRole('heading', { name: /laptop of anna/ }).waitFor();
  await reader.sound('the second step of letting a device in');
  await reader.tabTo(main(reader).getByRole('button', { name: 'Approve' }));
  await Promise.all([reader.page.waitForEvent('load'), reader.page.keyboard.press('Enter')]);
  await reader.page.getByRole('heading', { name: 'Approved' }).waitFor();
  const body = JSON.stringify({ device_code: device.device_code, grant_type: 'urn:ietf:params:oauth:grant-type:device_code' });
  const headers = { 'content-type': 'application/json' };
  const told = await store.hub.json('/api/cli/device/token', { method: 'POST', headers, body });
  assert.match(told.access_token, /\S/);
  await reader.open('/device');
  await reader.tabTo(main(reader).getByRole('button', { name: 'Sign out' }));
  await Promise.all([reader.page.waitForEvent('load'), reader.page.keyboard.press('Enter')]);
  await reader.page.getByRole('navigation').getByRole('link', { name: 'Sign in' }).waitFor();
});

test('a wrong code is said where the keyboard is', async (t) => {
  const reader = await enter(t);
  await reader.signIn(store.anna);
  await reader.open('/device');
  await reader.tabTo(reader.page.getByLabel('Code'));
  await reader.page.keyboard.type('WRNG-CODE');
  await Promise.all([reader.page.waitForEvent('load'), reader.page.keyboard.press('Enter')]);
  await reader.page.getByRole('alert').waitFor();
  const field = reader.page.getByLabel('Code');
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  assert.equal(await field.inputValue(), 'WRNG-CODE', 'what was typed stays');
  await reader.sound('the page that says a code is wrong');
});

test('ask for an errand and cancel it or see its end', async (t) => {
  const reader = await enter(t);
  await reader.signIn(store.anna);
  await reader.open('/errands');
  await reader.tabTo(reader.page.getByLabel('What do you want?'));
  await reader.page.keyboard.type('order me a coffee to the office');
  await lead(reader, 'Enter', /errands\/.+/);
  await reader.page.getByRole('heading', { name: /order me a coffee/ }).waitFor();
});
