// skills add, find, update over the discovery documents.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Desk, skill } from './clients.mjs';
import { Hub } from './hub.mjs';

let hub, anna, author, at;
const flat = skill('haiku', { description: 'Writes a haiku about anything.', body: 'One.' });
const deep = skill('tables', { description: 'Extracts tables.', body: 'One.', 'scripts/run.py': 'print(1)\n', 'references/a.md': 'a\n' });
const add = (desk, path, ...more) => desk.skills('add', `${hub.url}${path}`, '--agent', 'claude-code', '--yes', '--copy', ...more);
const place = ['.claude', 'skills'];

before(async () => {
  hub = await Hub.start();
  anna = await hub.person('anna');
  author = await Desk.open(hub, anna);
  await author.write('haiku', flat);
  await author.write('tables', deep);
  await author.clawhub('publish', 'haiku', '--version', '1.0.0');
  await author.clawhub('publish', 'tables', '--version', '1.0.0');
  await hub.eventually(async () => assert.equal((await hub.json('/api/search?q=haiku')).skills.length, 1));
});
after(async () => {
  await author.close();
  await hub.stop();
});
test.beforeEach(async () => {
  at = await Desk.open(hub);
});
test.afterEach(() => at.close());

test('add of one skill fetches only that skill', async () => {
  await add(at, '/@anna/haiku');
  assert.deepEqual(await at.files(...place), ['haiku/SKILL.md']);
  assert.equal(await at.read(...place, 'haiku', 'SKILL.md'), flat['SKILL.md']);
  const lock = await at.readJson('skills-lock.json');
  assert.match(lock.skills.haiku.wellKnownDigest, /^sha256:[0-9a-f]{64}$/);
});

test('add of a skill with more files brings all of them', async () => {
  await add(at, '/@anna/tables');
  assert.deepEqual(await at.files(...place, 'tables'), ['SKILL.md', 'references/a.md', 'scripts/run.py']);
});

test('add of a publisher brings all or the chosen ones', async () => {
  const list = await at.skills('add', `${hub.url}/@anna`, '--list');
  assert.match(list.text, /haiku[\s\S]*tables/);
  await add(at, '/@anna', '--skill', 'tables');
  assert.deepEqual(await at.files(...place), ['tables/SKILL.md', 'tables/references/a.md', 'tables/scripts/run.py']);
});

test('add of one version stays on it', async () => {
  await author.write('haiku', skill('haiku', { description: 'Writes a haiku about anything.', body: 'Two.' }));
  await author.clawhub('publish', 'haiku', '--version', '1.1.0');
  await add(at, '/@anna/haiku@1.0.0');
  assert.match(await at.read(...place, 'haiku', 'SKILL.md'), /One\./);
  const pinned = await at.skills('update', '--project', '--yes');
  assert.doesNotMatch(pinned.text, /✗/);
  assert.match(await at.read(...place, 'haiku', 'SKILL.md'), /One\./);
});

test('find prints what add takes', async () => {
  const found = await at.skills('find', 'haiku');
  const source = found.stdout.match(/(https?:\S+@\S+)/)?.[1];
  assert.equal(source, `${hub.url}/@anna@haiku`);
  await at.skills('add', source, '--agent', 'claude-code', '--yes', '--copy');
  assert.deepEqual(await at.files(...place), ['haiku/SKILL.md']);
  assert.match((await at.skills('find', 'zzzqqq')).text, /No skills found/);
});

test('update brings what changed, by digest', async () => {
  await add(at, '/@anna/tables');
  await author.write('tables', { 'scripts/run.py': 'print(2)\n' });
  await author.clawhub('publish', 'tables', '--version', '1.1.0');
  await at.skills('update', '--project', '--yes');
  assert.equal(await at.read(...place, 'tables', 'scripts', 'run.py'), 'print(2)\n');
  const current = await at.skills('update', '--project', '--yes');
  assert.doesNotMatch(current.text, /Updated tables/);
});

test('a scope that is empty never falls back to everything', async () => {
  await at.refused(/Not falling back|No .*skills/i, 'skills', 'add', `${hub.url}/@nobody/nothing`, '--yes', '--agent', 'claude-code');
});
