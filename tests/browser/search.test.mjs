// Suggestions while one types: by mouse, by keyboard, and a plain field without JavaScript.
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

const field = (reader) => reader.page.getByRole('search').getByRole('combobox').first();
const offers = (reader) => reader.page.getByRole('listbox').getByRole('option');

/** Types, and waits until the letters skill is offered. */
async function type(reader, text) {
  await reader.page.keyboard.type(text);
  await offers(reader).filter({ hasText: '@anna/letters' }).waitFor();
}

for (const [language, width] of [['en', 1280], ['zh', 360]]) {
  for (const dark of [false, true]) {
    test(`what is typed is continued, and nothing moves (${language}, ${width}, ${dark ? 'dark' : 'light'})`, async (t) => {
      const reader = await enter(t, { language, width, dark });
      for (const path of ['/', '/@anna/strained']) {
        await reader.open(path);
        await field(reader).click();
        await type(reader, 'lettr');
        assert.equal(await field(reader).getAttribute('aria-expanded'), 'true');
        await reader.page.keyboard.press('ArrowDown');
        await reader.sound(`${path} with suggestions`);
        await reader.shoot('search', `${path === '/' ? 'home' : 'skill'}-${language}-${width}-${dark ? 'dark' : 'light'}`);
      }
    });
  }
}

test('by mouse: a suggestion leads to its skill', async (t) => {
  const reader = await enter(t);
  await reader.open('/');
  await field(reader).click();
  await type(reader, 'let');
  await Promise.all([reader.page.waitForURL('**/@anna/letters'), offers(reader).filter({ hasText: '@anna/letters' }).click()]);
  reader.calm();
});

test('by keyboard: down, around, escape, enter', async (t) => {
  const reader = await enter(t);
  await reader.open('/');
  await reader.tabTo(field(reader));
  await type(reader, 'letters');
  const count = await offers(reader).count();
  const chosen = () => reader.page.getByRole('option', { selected: true }).count();
  assert.equal(await chosen(), 0, 'nothing is chosen before somebody chooses');
  for (let step = 0; step < count; step += 1) await reader.page.keyboard.press('ArrowDown');
  assert.equal(await chosen(), 1);
  await reader.page.keyboard.press('ArrowDown');
  assert.equal(await chosen(), 0, 'after the last the field has it again');
  await reader.page.keyboard.press('Escape');
  await reader.page.getByRole('listbox').waitFor({ state: 'hidden' });
  assert.equal(await field(reader).inputValue(), 'letters', 'what was typed stays');
  await reader.page.keyboard.press('Backspace');
  await offers(reader).first().waitFor();
  await reader.page.keyboard.press('ArrowDown');
  const active = await field(reader).getAttribute('aria-activedescendant');
  const place = await reader.page.locator(`#${active} small`).innerText();
  await Promise.all([reader.page.waitForURL(`**/${place}`), reader.page.keyboard.press('Enter')]);
  reader.calm();
});

test('Enter without a choice searches as ever, and Tab leaves', async (t) => {
  const reader = await enter(t);
  await reader.open('/');
  await reader.tabTo(field(reader));
  await type(reader, 'letters');
  await reader.page.keyboard.press('Tab');
  await reader.page.getByRole('listbox').waitFor({ state: 'hidden' });
  await reader.page.keyboard.press('Shift+Tab');
  await Promise.all([reader.page.waitForURL(/\?q=letters$/), reader.page.keyboard.press('Enter')]);
  await reader.page.getByRole('main').getByRole('link', { name: 'letters' }).first().waitFor();
  await reader.sound();
});

test('only the last of what is typed is asked for', async (t) => {
  const reader = await enter(t);
  await reader.open('/');
  const asked = [];
  reader.page.on('request', (request) => request.url().includes('/suggestions') && asked.push(new URL(request.url()).search));
  await field(reader).click();
  await type(reader, 'letters');
  assert.ok(asked.length < 'letters'.length && asked.at(-1) === '?q=letters', asked.join(' '));
});

test('a name that would act is shown as text', async (t) => {
  const reader = await enter(t);
  await reader.page.route('**/suggestions?*', (route) => route.fulfill({ json: [{ name: '<img src=x onerror=alert(1)>', whose: '@a/<b>', address: '/@anna/letters' }] }));
  await reader.open('/');
  await field(reader).click();
  await reader.page.keyboard.type('x');
  await offers(reader).filter({ hasText: '<img src=x onerror=alert(1)>' }).waitFor();
  assert.equal(await reader.page.locator('.suggestions img, .suggestions b').count(), 0);
  reader.calm();
});

test('without JavaScript it is a plain field', async (t) => {
  const reader = await enter(t, { script: false });
  await reader.open('/');
  assert.equal(await reader.page.getByRole('combobox').count(), 0);
  await reader.page.getByRole('searchbox').fill('business letters');
  await Promise.all([reader.page.waitForURL(/q=business/), reader.page.keyboard.press('Enter')]);
  await reader.page.getByRole('main').getByRole('link', { name: 'letters' }).first().waitFor();
});
