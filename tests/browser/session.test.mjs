// A session that was stolen, and requests that another site makes in somebody's name.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { launch, Reader } from './browser.mjs';
import { Store } from './store.mjs';

let store, browser, site;
before(async () => {
  [store, browser, site] = await Promise.all([Store.open(), launch(), foreignSite()]);
});
after(async () => {
  await browser?.close();
  await store?.close();
  site?.close();
});

/** A site of somebody else on this machine: every page of it is one form, which sends itself. */
async function foreignSite() {
  const server = createServer((request, response) => {
    const asked = new URL(request.url, 'http://site.example');
    const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
    const { action, ...fields } = Object.fromEntries(asked.searchParams);
    const inputs = Object.entries(fields).map(([name, value]) => `<input name="${escaped(name)}" value="${escaped(value)}">`);
    response.setHeader('content-type', 'text/html');
    response.end(`<form method="post" action="${escaped(action ?? '')}">${inputs.join('')}</form><script>document.forms[0].submit()</script>`);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

async function enter(t) {
  const reader = await Reader.enter(browser, store.hub);
  t.after(() => reader.leave());
  await reader.signIn(store.anna);
  return reader;
}

/** The cookie of the session as a request carries it. */
async function cookieOf(reader) {
  const [{ name, value }] = (await reader.context.cookies()).filter((cookie) => !/language/.test(cookie.name));
  return `${name}=${value}`;
}

/** The token that the hub puts into the forms of this session. */
async function formToken(reader) {
  await reader.open('/device');
  return reader.page.locator('input[name=form]').first().getAttribute('value');
}

/** Lets the foreign site send a form to the hub, and returns how the hub answered. */
async function forged(reader, host, action, fields) {
  const query = new URLSearchParams({ action: `${store.hub.url}${action}`, ...fields });
  const answered = reader.page.waitForResponse((response) => response.url() === `${store.hub.url}${action}`);
  await reader.page.goto(`http://${host}:${site.address().port}/?${query}`, { waitUntil: 'commit' });
  const response = await answered;
  await reader.page.waitForLoadState('load');
  const sent = await response.request().allHeaders();
  return { status: response.status(), method: response.request().method(), cookie: sent.cookie };
}

test('no script and no other site gets at the cookie', async (t) => {
  const reader = await enter(t);
  const cookies = await reader.context.cookies();
  const session = cookies.filter((cookie) => !/language/.test(cookie.name));
  assert.equal(session.length, 1);
  assert.deepEqual([session[0].httpOnly, session[0].sameSite], [true, 'Lax']);
  assert.ok(!(await reader.page.evaluate(() => document.cookie)).includes(session[0].value));
});

test('a stolen cookie works until its owner signs out, and never again', async (t) => {
  const owner = await enter(t);
  const thief = await Reader.enter(browser, store.hub);
  t.after(() => thief.leave());
  await thief.context.addCookies(await owner.context.cookies());
  await thief.open('/device');
  assert.equal(await thief.page.getByLabel('Code').count(), 1, 'it is the session');
  const cookie = await cookieOf(thief);
  const read = () => store.hub.fetch('/errands', { headers: { cookie, accept: 'text/html' } }).then((answer) => answer.text());
  assert.match(await read(), /What do you want/, 'the cookie alone is enough');
  const token = await thief.page.locator('input[name=form]').first().getAttribute('value');
  await owner.open('/device');
  await owner.page.getByRole('button', { name: 'Sign out' }).click();
  await owner.page.getByRole('navigation').getByRole('link', { name: 'Sign in' }).waitFor();
  await thief.open('/device');
  assert.equal(await thief.page.getByLabel('Code').count(), 0);
  await thief.page.getByRole('navigation').getByRole('link', { name: 'Sign in' }).waitFor();
  assert.doesNotMatch(await read(), /What do you want/);
  const body = new URLSearchParams({ form: token, request: 'stolen' });
  const posted = await store.hub.fetch('/errands', { method: 'POST', headers: { cookie, origin: store.hub.url, accept: 'text/html' }, body });
  assert.equal(posted.status, 401);
});

// On 127.0.0.1 the other site is, to the browser, the same site at another port, so the cookie goes along.
for (const [host, carries] of [['127.0.0.1', true], ['localhost', false]]) {
  test(`forms that a page on ${host} sends are refused`, async (t) => {
    const reader = await enter(t);
    const form = await formToken(reader);
    const device = await store.device();
    const { url } = await store.hub.post('/api/kontor/v1/login-links', { person: 'anna' });
    const attempts = [
      ['/errands', { form, request: 'forged' }],
      ['/device', { form, code: device.user_code, step: 'approve' }],
      ['/logout', { form }],
      ['/login', { code: new URL(url).searchParams.get('code') }],
    ];
    for (const [action, fields] of attempts) {
      const answer = await forged(reader, host, action, fields);
      assert.deepEqual([answer.method, answer.status], ['POST', 403], action);
      assert.equal(/kontor/.test(answer.cookie ?? ''), carries, `${action}: the attempt is as strong as it can be`);
    }
    await reader.open('/errands');
    assert.equal(await reader.page.getByText('forged').count(), 0);
    await reader.open('/device');
    assert.equal(await reader.page.getByLabel('Code').count(), 1, 'still signed in');
    const body = JSON.stringify({ device_code: device.device_code });
    const headers = { 'content-type': 'application/json' };
    const told = await store.hub.fetch('/api/cli/device/token', { method: 'POST', headers, body });
    assert.equal((await told.json()).error, 'authorization_pending');
    await reader.open(url.slice(store.hub.url.length));
  });
}
