// A reviewer's task: a new version of an installed skill talks to a new host. By mouse, by keyboard alone, without JavaScript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Reader } from './browser.mjs';
import { Store } from './store.mjs';

const REASON = 'It fetches a script from a host that has nothing to do with meters.';
const HOST = 'collector.hub.example';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A hub of its own with a held version, and a reader who is signed in there. */
async function enter(t, options = {}, who = 'rita') {
  const store = await Store.open();
  t.after(() => store.close());
  await store.held();
  return { store, ...(await another(t, store, options, who)) };
}

async function another(t, store, options, who) {
  const reader = await Reader.enter(browser, store.hub, options);
  t.after(() => reader.leave());
  await reader.signIn(store[who]);
  return { reader, page: reader.page };
}

/** What stands where on the sheet, from its top. */
async function order(page) {
  const top = async (one) => (await one.first().boundingBox()).y;
  return {
    abilities: await top(page.getByRole('heading', { name: /What it may touch/ })),
    host: await top(page.locator('#touches').getByText(HOST)),
    text: await top(page.locator('#files').getByText(HOST)),
    decide: await top(page.getByRole('heading', { name: 'Decide' })),
  };
}

/** What the sheet and the inbox of who has the skill say when it is decided. */
async function known(t, store, { reader, page }) {
  await page.getByRole('status').getByText('Rejected').waitFor();
  const sheet = await page.getByRole('main').innerText();
  for (const text of [REASON, '1 of 1 who have it active were told', '0 have read it', '@bob']) {
    assert.ok(sheet.includes(text), `${text}: ${sheet}`);
  }
  await reader.sound('the sheet after the decision');
  const bob = await another(t, store, { script: reader.options.script }, 'bob');
  await bob.page.getByRole('link', { name: /Inbox 1/ }).click();
  await bob.page.getByRole('link', { name: '@anna/meter@1.1.0 was rejected' }).waitFor();
  assert.ok((await bob.page.getByRole('main').innerText()).includes(REASON));
  await bob.page.getByRole('button', { name: 'Mark all as read' }).click();
  await bob.page.getByRole('link', { name: 'Inbox', exact: true }).waitFor();
  await page.reload();
  await page.getByText('1 have read it').first().waitFor();
}

for (const script of [true, false]) {
  test(`by mouse, ${script ? 'with' : 'without'} JavaScript: see what changed, reject with a reason, see who knows`, async (t) => {
    const { store, reader, page } = await enter(t, { script });
    await page.getByRole('navigation').getByRole('link', { name: 'Reviews' }).click();
    await page.getByRole('link', { name: '@anna/meter@1.1.0' }).click();
    await page.getByRole('heading', { name: 'What it may touch since 1.0.0' }).waitFor();
    const { abilities, host, text } = await order(page);
    assert.ok(abilities < host && host < text, 'what it may touch comes before its text');
    assert.match(await page.locator('#holders').innerText(), /1 person: 1\.0\.0 × 1[^]*@bob/);
    await page.getByRole('button', { name: 'Reject' }).click();
    await page.getByRole('alert').getByText('Say why').first().waitFor();
    await page.getByLabel('Reason; the publisher reads it').fill(REASON);
    await page.getByRole('button', { name: 'Reject' }).click();
    if (script) await known(t, store, { reader, page });
    else {
      const sheet = await page.getByRole('main').innerText();
      assert.ok(sheet.includes('1 of 1 who have it active were told') && sheet.includes(REASON), sheet);
    }
  });
}

test('by keyboard alone: the same', async (t) => {
  const { store, reader, page } = await enter(t);
  const press = async (goal, most) => {
    await reader.tabTo(goal, most);
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  };
  await reader.open('/');
  await press(page.getByRole('navigation').getByRole('link', { name: 'Reviews' }));
  await press(page.getByRole('link', { name: '@anna/meter@1.1.0' }));
  await reader.tabTo(page.getByRole('link', { name: 'Decide' }), 40);
  await page.keyboard.press('Enter');
  await reader.tabTo(page.getByLabel('Reason; the publisher reads it'), 120);
  await page.keyboard.type(REASON);
  await press(page.getByRole('button', { name: 'Reject' }));
  await known(t, store, { reader, page });
});

test('in a narrow window what changed stands before the form', async (t) => {
  const { store, reader, page } = await enter(t, { width: 360 });
  await reader.open(store.review);
  const { abilities, text, decide } = await order(page);
  assert.ok(abilities < text && text < decide, 'content before what is beside it');
  await reader.open('/@anna/letters');
  const top = async (name) => (await page.getByRole('heading', { name }).first().boundingBox()).y;
  assert.ok((await top('What it may touch')) < (await top(/Use it|In your agents|Activate/)), 'the skill before its commands');
});

test('the second of two reviewers is told who was faster and keeps their text', async (t) => {
  const { store, reader, page } = await enter(t);
  const other = await another(t, store, {}, 'rita');
  await store.hub.post('/api/kontor/v1/people/bob', { administrator: true }, { method: 'PATCH' });
  const second = await another(t, store, {}, 'bob');
  await other.reader.leave();
  await reader.open(store.review);
  await second.reader.open(store.review);
  await page.getByLabel('Reason; the publisher reads it').fill(REASON);
  await page.getByRole('button', { name: 'Reject' }).click();
  await page.getByRole('status').getByText('Rejected').waitFor();
  const words = 'I find it harmless, for all I can see.';
  await second.page.getByLabel('Reason; the publisher reads it').fill(words);
  await second.page.getByRole('button', { name: 'Approve' }).click();
  await second.page.getByRole('alert').getByText('@rita has decided it already').waitFor();
  assert.equal(await second.page.getByLabel('Reason; the publisher reads it').inputValue(), words);
  assert.equal(await second.page.getByRole('button', { name: 'Approve' }).count(), 0);
});

test('a password is chosen, changed and signs in; a stolen session ends', async (t) => {
  const { store, reader, page } = await enter(t);
  await page.getByRole('heading', { name: 'Choose a password' }).waitFor();
  const password = 'meters are read at noon';
  await page.getByLabel(/New password/).fill(password);
  await page.getByLabel('The same again').fill(password);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: 'Change the password' }).waitFor();
  const thief = await Reader.enter(browser, store.hub);
  t.after(() => thief.leave());
  await thief.open('/login');
  await thief.page.getByLabel('Your name').or(thief.page.locator('#name')).first().fill('rita');
  await thief.page.locator('#password').fill(password);
  await thief.page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await thief.page.getByRole('navigation').getByText('@rita').first().waitFor();
  await reader.open('/account');
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await page.getByRole('heading', { name: 'Your account' }).waitFor();
  await thief.open('/account', 401);
  await thief.open('/console', 401);
  await reader.open('/account');
  await reader.sound('the account');
});
