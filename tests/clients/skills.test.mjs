// skills add, find, update over the discovery documents.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Desk, skill } from './clients.mjs';
import { Hub } from './hub.mjs';

let hub, anna, at;
const flat = skill('haiku', { description: 'Writes a haiku about anything.', body: 'One.' });
const deep = skill('tables', { description: 'Extracts tables.', body: 'One.', 'scripts/run.py': 'print(1)\n', 'references/a.md': 'a\n' });
const add = (desk, path, ...more) => desk.skills('add', `${hub.url}${path}`, '--agent', 'claude-code', '--yes', '--copy', ...more);
const place = ['.claude', 'skills'];

before(async () => {
  hub = await Hub.start();
  anna = await hub.person('anna');
  await hub.publish(anna, 'haiku', flat);
  await hub.publish(anna, 'tables', deep);
  await hub.eventually(async () => assert.equal((await hub.json('/api/search?q=haiku')).skills.length, 1));
});
after(async () => {
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
  await hub.publish(anna, 'haiku', skill('haiku', { description: 'Writes a haiku about anything.', body: 'Two.' }), { version: '1.1.0' });
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
  await hub.publish(anna, 'tables', { ...deep, 'scripts/run.py': 'print(2)\n' }, { version: '1.1.0' });
  await at.skills('update', '--project', '--yes');
  assert.equal(await at.read(...place, 'tables', 'scripts', 'run.py'), 'print(2)\n');
  const current = await at.skills('update', '--project', '--yes');
  assert.doesNotMatch(current.text, /Updated tables/);
});

test('update of global installs goes by the digest too, and tells what is gone', async () => {
  const global = ['--global', '--agent', 'claude-code', '--yes', '--copy'];
  await hub.publish(anna, 'fleeting', skill('fleeting', { body: 'One.' }));
  await at.skills('add', `${hub.url}/@anna/fleeting`, ...global);
  const home = (...path) => readFile(join(at.home, '.claude', 'skills', ...path), 'utf8');
  assert.match(await home('fleeting', 'SKILL.md'), /One\./);
  await hub.publish(anna, 'fleeting', skill('fleeting', { body: 'Two.' }), { version: '1.1.0' });
  await at.skills('update', '--global', '--yes');
  assert.match(await home('fleeting', 'SKILL.md'), /Two\./);
  await hub.post('/api/v1/skills/fleeting', { ownerHandle: 'anna' }, { token: anna.token, method: 'DELETE' });
  const gone = await at.run('skills', ['update', '--global', '--yes']);
  assert.doesNotMatch(gone.text, /Updated fleeting/);
  assert.match(await home('fleeting', 'SKILL.md'), /Two\./);
});

test('the whole hub can be listed, and find can be narrowed to a publisher', async () => {
  assert.match((await at.skills('add', hub.url, '--list')).text, /haiku[\s\S]*tables/);
  const of = async (owner) => (await hub.json(`/api/search?q=haiku&owner=${owner}`)).skills.map((found) => found.name);
  assert.deepEqual(await of('anna'), ['haiku']);
  assert.deepEqual(await of('nobody'), []);
});

test('a client that finds only the older document installs from it, and updates', async (t) => {
  // In front of the hub stands something that knows the older form only.
  const older = createServer(async (request, response) => {
    const answer = request.url.includes('/agent-skills/') ? undefined : await hub.fetch(request.url);
    response.writeHead(answer?.status ?? 404, { 'content-type': answer?.headers.get('content-type') ?? 'text/plain' });
    response.end(answer ? Buffer.from(await answer.arrayBuffer()) : 'Not found');
  });
  await new Promise((done) => older.listen(0, '127.0.0.1', done));
  t.after(() => older.close());
  const address = `http://127.0.0.1:${older.address().port}/@anna/older`;
  const files = skill('older', { body: 'One.', 'references/a.md': 'a\n' });
  await hub.publish(anna, 'older', files);
  await at.skills('add', address, '--agent', 'claude-code', '--yes', '--copy');
  assert.deepEqual(await at.files(...place, 'older'), ['SKILL.md', 'references/a.md']);
  await hub.publish(anna, 'older', { ...files, 'references/a.md': 'b\n' }, { version: '1.1.0' });
  await at.skills('update', '--project', '--yes');
  assert.equal(await at.read(...place, 'older', 'references', 'a.md'), 'b\n');
});

test('a scope that is empty never falls back to everything', async () => {
  await at.refused(/Not falling back|No .*skills/i, 'skills', 'add', `${hub.url}/@nobody/nothing`, '--yes', '--agent', 'claude-code');
});
