// An author looks after a skill: sees it used, withdraws a version, moves a tag, takes a member in, makes a token and ends it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hub } from '../clients/hub.mjs';
import { launch, Reader } from './browser.mjs';

const TEXT = '---\nname: meter\ndescription: Reads a meter. Use when somebody asks for a reading.\n---\n\nRead the meter.\n';

let hub, anna, browser;
before(async () => {
  [hub, browser] = await Promise.all([Hub.start(), launch()]);
  anna = await hub.person('anna', ['read', 'publish', 'run', 'admin']);
  await hub.person('bob', ['read']);
  await hub.post('/api/kontor/v1/publishers', { handle: 'works' }, { token: anna.token });
});
after(async () => {
  await browser?.close();
  await hub?.stop();
});

const main = (reader) => reader.page.getByRole('main');
const button = (reader, name) => main(reader).getByRole('button', { name, exact: true });

/** A skill of the organisation with two versions, of which one was fetched. */
async function skill(slug) {
  const files = { 'SKILL.md': TEXT.replace('name: meter', `name: ${slug}`) };
  const works = { ownerHandle: 'works', changelog: 'News.' };
  await hub.publish(anna, slug, files, works);
  await hub.publish(anna, slug, { ...files, 'more.md': 'More.\n' }, { ...works, version: '1.1.0' });
  await hub.decided();
  return `/manage/works/skills/${slug}`;
}

async function enter(t, options) {
  const reader = await Reader.enter(browser, hub, options);
  t.after(() => reader.leave());
  return reader;
}

/** Opens what a summary hides, and presses what stands in it, in the way of this reader. */
const BY_MOUSE = {
  press: (reader, goal) => goal.click(),
  write: (reader, field, text) => field.fill(text),
};
const BY_KEYBOARD = {
  async press(reader, goal) {
    await reader.tabTo(goal);
    await reader.page.keyboard.press('Enter');
  },
  async write(reader, field, text) {
    await reader.tabTo(field);
    await reader.page.keyboard.press('ControlOrMeta+a');
    await reader.page.keyboard.type(text);
  },
};

/** From withdrawing a version to ending a token. */
async function walk(t, reader, by, place) {
  const { page } = reader;
  const slug = place.split('/').at(-1);
  await reader.signIn(anna);
  await reader.open('/@works');
  await by.press(reader, main(reader).getByRole('link', { name: 'Look after these skills' }));
  await page.waitForURL('**/manage/works');
  await by.press(reader, main(reader).getByRole('link', { name: slug, exact: true }));
  await page.waitForURL(`**${place}`);
  await main(reader).getByRole('heading', { name: 'How it is used' }).waitFor();

  await by.press(reader, main(reader).locator('summary', { hasText: 'Withdraw' }).first());
  await by.write(reader, main(reader).getByLabel('Why; users read it').first(), 'It reads wrong.');
  await by.press(reader, button(reader, 'Withdraw 1.1.0'));
  await main(reader).getByText('It reads wrong.').waitFor();
  await reader.open(place);
  await by.press(reader, button(reader, 'Offer again 1.1.0'));
  await main(reader).getByText('It reads wrong.').waitFor({ state: 'detached' });

  await reader.open(place);
  await by.write(reader, main(reader).getByLabel('Tag: a new one, or one to move'), 'stable');
  await by.press(reader, button(reader, 'Set the tag'));
  await main(reader).getByText('stable → 1.1.0').waitFor();

  await reader.open('/manage/works/members');
  await by.write(reader, main(reader).getByLabel('Their name on this hub'), 'bob');
  await by.press(reader, button(reader, 'Save'));
  await main(reader).getByRole('link', { name: '@bob' }).waitFor();
  await reader.open('/manage/works/members');
  await by.press(reader, main(reader).locator('summary[aria-label="Remove @bob"]'));
  await by.press(reader, button(reader, 'Remove @bob'));
  await main(reader).getByRole('link', { name: '@bob' }).waitFor({ state: 'detached' });

  await reader.open('/account/tokens');
  await by.write(reader, main(reader).getByLabel('What it is for'), `for ${slug}`);
  await by.press(reader, button(reader, 'Make it'));
  const secret = (await main(reader).getByRole('status').locator('code').innerText()).trim();
  const asks = () => hub.fetch('/api/kontor/v1/whoami', { token: secret });
  assert.equal((await asks()).status, 200);
  assert.ok(!page.url().includes(secret), 'no address carries it');
  await reader.open('/account/tokens');
  assert.ok(!(await page.content()).includes(secret), 'it was shown once');
  await by.press(reader, main(reader).locator(`summary[aria-label="Revoke for ${slug}"]`));
  await by.press(reader, button(reader, 'Revoke this token').first());
  await main(reader).getByText('revoked').first().waitFor();
  assert.equal((await asks()).status, 401);
  reader.calm();
}

test('by mouse', async (t) => walk(t, await enter(t), BY_MOUSE, await skill('by-mouse')));

test('by keyboard alone', async (t) => walk(t, await enter(t), BY_KEYBOARD, await skill('by-keyboard')));

test('without scripts, in a narrow window', async (t) => {
  await walk(t, await enter(t, { script: false, width: 360 }), BY_MOUSE, await skill('without-scripts'));
});

test('use is drawn, with its numbers in a table, for everybody in both themes and languages', async (t) => {
  const place = await skill('drawn');
  const fetched = await hub.fetch('/api/v1/download?slug=drawn&ownerHandle=works&version=1.0.0');
  assert.equal(fetched.status, 200);
  await fetched.arrayBuffer();
  const reader = await enter(t);
  await hub.eventually(async () => {
    await reader.open('/@works/drawn');
    assert.equal(await main(reader).getByRole('img', { name: /1 download and 0 installs in 30 days/ }).count(), 1);
  }, 30_000);
  await main(reader).getByText('The numbers').click();
  assert.equal(await main(reader).locator('#used tbody tr').count(), 1);
  for (const options of [{ dark: true, width: 360 }, { language: 'zh', width: 1280 }]) {
    const other = await enter(t, options);
    await other.signIn(anna);
    await other.open(place);
    await other.sound(`use ${JSON.stringify(options)}`);
    await main(other).locator('figure.chart summary').click();
    await other.shoot('manage', `use-${options.language ?? 'en'}-${options.width}`);
  }
});
