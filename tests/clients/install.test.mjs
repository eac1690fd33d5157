// clawhub: install, update, list, telemetry.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Desk, skill } from './clients.mjs';
import { Hub } from './hub.mjs';

let hub, anna, ben, at;
const first = skill('tables', { body: 'One.', 'scripts/run.py': 'print(1)\n', 'references/a.md': 'a\n' });
const second = skill('tables', { body: 'Two.', 'scripts/run.py': 'print(2)\n', 'references/a.md': 'a\n' });

before(async () => {
  hub = await Hub.start();
  anna = await hub.person('anna');
  ben = await hub.person('ben');
  await hub.publish(anna, 'tables', first);
});
beforeEach(async (t) => {
  at = await Desk.open(hub);
  t.after?.(() => at.close());
});
after(async () => {
  await hub.stop();
});

test('install by slug writes the files, the lock and where they came from', async () => {
  await at.clawhub('install', 'tables');
  assert.deepEqual(await at.files('skills', 'tables'), ['SKILL.md', '_meta.json', 'references/a.md', 'scripts/run.py']);
  assert.equal(await at.read('skills', 'tables', 'SKILL.md'), first['SKILL.md']);
  const meta = await at.readJson('skills', 'tables', '_meta.json');
  assert.equal(meta.slug, 'tables');
  assert.equal(meta.version, '1.0.0');
  assert.equal(typeof meta.publishedAt, 'number');
  const lock = await at.readJson('.clawhub', 'lock.json');
  assert.equal(lock.skills.tables.version, '1.0.0');
  assert.equal(lock.skills.tables.ownerHandle, 'anna');
  const origin = await at.readJson('skills', 'tables', '.clawhub', 'origin.json');
  assert.equal(origin.registry, hub.url);
  assert.match(origin.fingerprint, /^[0-9a-f]{64}$/);
  assert.match((await at.clawhub('list')).stdout, /^tables {2}1\.0\.0/m);
  await at.refused(/Already installed/, 'clawhub', 'install', 'tables');
  await rm(join(at.work, 'skills', 'tables', 'SKILL.md'));
  await at.clawhub('install', 'tables', '--force');
  assert.equal(await at.read('skills', 'tables', 'SKILL.md'), first['SKILL.md']);
});

test('install by owner and slug, and by version', async () => {
  await hub.publish(anna, 'tables', second, { version: '1.1.0' });
  await at.clawhub('install', '@anna/tables');
  assert.match(await at.read('skills', '@anna', 'tables', 'SKILL.md'), /Two\./);
  await at.clawhub('install', 'tables', '--version', '1.0.0');
  assert.match(await at.read('skills', 'tables', 'SKILL.md'), /One\./);
  assert.equal((await at.readJson('.clawhub', 'lock.json')).skills.tables.version, '1.0.0');
  await at.refused(/not found/i, 'clawhub', 'install', 'tables', '--version', '9.9.9', '--force');
  await at.refused(/Skill not found/, 'clawhub', 'install', 'nothing-here');
  await at.refused(/Skill not found/, 'clawhub', 'install', '@ben/tables');
});

test('update brings the next version, and leaves what is current or changed here', async () => {
  await at.clawhub('install', 'tables', '--version', '1.0.0');
  assert.match((await at.clawhub('update', 'tables')).text, /Updated tables -> v1\.1\.0/);
  assert.equal(await at.read('skills', 'tables', 'scripts', 'run.py'), second['scripts/run.py']);
  assert.match((await at.clawhub('update', '--all')).text, /up to date/);
  await at.write(join('skills', 'tables'), { 'SKILL.md': 'mine\n' });
  assert.match((await at.clawhub('--no-input', 'update', '--all')).text, /local changes/);
  assert.equal(await at.read('skills', 'tables', 'SKILL.md'), 'mine\n');
  await at.clawhub('update', 'tables', '--force');
  assert.equal(await at.read('skills', 'tables', 'SKILL.md'), second['SKILL.md']);
  await at.clawhub('update', 'tables', '--version', '1.0.0');
  assert.match(await at.read('skills', 'tables', 'SKILL.md'), /One\./);
});

test('update knows a version by its fingerprint alone', async () => {
  await at.write(join('skills', 'tables'), first);
  await at.write('.clawhub', { 'lock.json': JSON.stringify({ version: 1, skills: { tables: { version: null, installedAt: 1 } } }) });
  await at.clawhub('update', 'tables');
  assert.equal((await at.readJson('.clawhub', 'lock.json')).skills.tables.version, '1.1.0');
  assert.match(await at.read('skills', 'tables', 'SKILL.md'), /Two\./);
});

test('a skill whose versions were all withdrawn cannot be installed, in words', async () => {
  await hub.publish(anna, 'withdrawn', skill('withdrawn'));
  await hub.post('/api/v1/skills/withdrawn/versions/1.0.0', { version: '1.0.0', ownerHandle: 'anna' }, { token: anna.token, method: 'DELETE' });
  await at.refused(/withdrawn|no version|not found/i, 'clawhub', 'install', '@anna/withdrawn');
});

test('a signed-in install is counted', async (t) => {
  const signed = await Desk.open(hub, ben);
  t.after(() => signed.close());
  const { skill: before } = await hub.skill('anna', 'tables');
  await signed.clawhub('install', 'tables');
  await hub.eventually(async () => {
    const { skill: now } = await hub.skill('anna', 'tables');
    assert.equal(now.stats.installs, before.stats.installs + 1);
    assert.ok(now.stats.downloads > before.stats.downloads);
  });
});

test('a private skill installs for its owner and does not exist for others', async (t) => {
  const owner = await Desk.open(hub, anna);
  t.after(() => owner.close());
  await hub.publish(anna, 'secret-plan', skill('secret-plan'));
  await hub.post('/api/kontor/v1/skills/anna/secret-plan', { visibility: 'private' }, { token: anna.token, method: 'PATCH' });
  await owner.clawhub('install', 'secret-plan');
  assert.ok((await owner.files('skills', 'secret-plan')).includes('SKILL.md'));
  await at.refused(/Skill not found/, 'clawhub', 'install', '@anna/secret-plan');
  const stranger = await Desk.open(hub, ben);
  t.after(() => stranger.close());
  await stranger.refused(/Skill not found/, 'clawhub', 'install', 'secret-plan');
  const download = await hub.fetch('/api/v1/download?slug=secret-plan', { token: anna.token });
  assert.match(download.headers.get('cache-control'), /no-store/);
  assert.equal(download.headers.get('access-control-allow-origin'), null);
});
