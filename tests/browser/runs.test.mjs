// A person with a job: find a skill, try it on its page, let the agents have it, and take it back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CORPUS } from './corpus.mjs';
import { launch, Reader } from './browser.mjs';
import { Store } from './store.mjs';

const SPOKEN = 'Priya: We go with vendor B.\nTom: I will sign the contract tomorrow.\n';
const END = 60_000;

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
  await reader.signIn(store.anna);
  return { reader, page: reader.page };
}

/** The names of the tools that Anna's agents see. */
async function tools() {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const text = await (await store.hub.fetch('/mcp', { method: 'POST', token: store.anna.token, headers, body })).text();
  return [...text.matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name);
}

/** Waits until the run before us is over: its page says so by itself with scripts, and when asked without. */
async function ended(page, script) {
  const result = page.getByRole('heading', { name: 'Result' });
  if (script) return result.waitFor({ timeout: END });
  for (const until = Date.now() + END; Date.now() < until; ) {
    if (await result.count()) return undefined;
    await page.getByRole('link', { name: 'Look again' }).click();
  }
  return assert.fail('the run does not end');
}

for (const script of [true, false]) {
  test(`find, try, activate and revoke (${script ? 'with' : 'without'} scripts)`, async (t) => {
    const { reader, page } = await enter(t, { script });
    await reader.open('/');
    await page.getByRole('search').first().locator('input').fill('turn this transcript into minutes');
    await page.getByRole('main').getByRole('button', { name: 'Search' }).click();
    await page.getByRole('main').getByRole('link', { name: 'meeting-minutes' }).first().click();
    await page.getByRole('link', { name: 'Try it' }).first().click();
    await page.getByLabel('transcript').first().fill(SPOKEN);
    await page.getByRole('button', { name: 'Run it' }).click();
    await page.waitForURL('**/runs/*');
    await ended(page, script);
    const told = await page.getByRole('main').innerText();
    for (const text of ['it ended well', 'sign the contract', 'Receipt', 'kontor receipt verify']) assert.ok(told.includes(text), `${text}: ${told}`);
    if (script) await reader.sound('a run that is over');
    await reader.open('/runs');
    assert.equal(await page.getByRole('main').getByRole('link', { name: /meeting-minutes/ }).count() > 0, true);
    await reader.open('/@kontor/meeting-minutes');
    await page.getByRole('button', { name: 'Activate', exact: true }).click();
    await page.getByRole('button', { name: 'Deactivate' }).waitFor();
    assert.ok((await tools()).some((name) => /extract/.test(name)), 'agents see its tool');
    await page.getByRole('button', { name: 'Deactivate' }).click();
    await page.getByRole('button', { name: 'Activate', exact: true }).waitFor();
    assert.ok(!(await tools()).some((name) => /extract/.test(name)), 'agents see it no more');
  });
}

test('by keyboard alone: try with the sample and read the result', async (t) => {
  const { reader, page } = await enter(t, { width: 360 });
  await reader.open('/@kontor/meeting-minutes/try');
  await reader.sound('the form');
  await reader.tabTo(page.getByRole('button', { name: 'Run it' }), 60);
  await Promise.all([page.waitForURL('**/runs/*'), page.keyboard.press('Enter')]);
  await ended(page, true);
  await reader.sound('its run');
});

test('what a program says is shown as text, while it runs and after', async (t) => {
  const { reader, page } = await enter(t);
  const lines = Object.values(CORPUS);
  const program = `import json, sys, time\nfor line in json.loads(open(sys.path[0] + "/lines.json").read()):\n    print(line, flush=True)\n    time.sleep(0.01)\n`;
  await store.hub.publish(store.anna, 'talker', {
    'SKILL.md': '---\nname: talker\ndescription: Says its lines. Use when a log is looked at.\n---\n# Talker\n',
    'scripts/talk.py': program,
    'scripts/lines.json': JSON.stringify(lines),
  });
  await store.hub.decided();
  await reader.open('/@anna/talker/try');
  await page.getByRole('button', { name: 'Run it' }).click();
  await page.waitForURL('**/runs/*');
  await ended(page, true);
  assert.equal(await page.evaluate(() => 'probe' in globalThis), false);
  assert.equal(await page.locator('[data-probe]').count(), 0);
  assert.ok((await page.locator('#log').innerText()).includes('<script data-probe>'), 'the log shows it');
  await reader.sound('a hostile log');
});
