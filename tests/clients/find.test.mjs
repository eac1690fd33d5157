// clawhub: search, explore, inspect.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Desk, skill } from './clients.mjs';
import { Hub } from './hub.mjs';

let hub, anna, ben, at, guest;
const manual = '# How\n\nRead the table first.\n';

before(async () => {
  hub = await Hub.start();
  anna = await hub.person('anna');
  ben = await hub.person('ben');
  at = await Desk.open(hub, anna);
  guest = await Desk.open(hub);
  const tables = skill('pdf-tables', { description: 'Extracts tables from PDF files. Use it for invoices.', 'references/how.md': manual });
  await hub.publish(anna, 'pdf-tables', tables, { changelog: 'first' });
  await hub.publish(anna, 'pdf-tables', { ...tables, 'scripts/run.py': 'print(1)\n' }, { version: '1.1.0', changelog: 'with a script', tags: ['latest', 'stable'] });
  await hub.publish(anna, 'pdf-forms', skill('pdf-forms', { description: 'Fills PDF forms from a table of answers.' }));
  await hub.publish(ben, 'weather', skill('weather', { description: 'Tells the weather of tomorrow for a city.\nlicense: Apache-2.0' }));
  await hub.publish(ben, 'pdf-forms', skill('pdf-forms', { description: 'Another way to fill forms.' }));
  await hub.post('/api/v1/stars/weather?ownerHandle=ben', {}, ben);
  await hub.eventually(async () => {
    const { results } = await hub.json('/api/v1/search?q=pdf');
    assert.equal(results.length, 3);
  });
});
after(async () => {
  await at.close();
  await guest.close();
  await hub.stop();
});

test('search by words', async () => {
  const found = await guest.clawhub('search', 'tables from invoices');
  const first = found.stdout.split('\n')[0];
  assert.match(first, /pdf-tables v1\.1\.0\s+@anna/);
  const limited = await guest.clawhub('search', 'pdf', '--limit', '1');
  assert.equal(limited.stdout.trim().split('\n').length, 1);
});

test('search for exactly one slug', async () => {
  const found = await guest.clawhub('search', 'pdf-forms', '--exact');
  const lines = found.stdout.trim().split('\n');
  assert.equal(lines.length, 2, found.text);
  assert.ok(lines.every((line) => line.startsWith('pdf-forms ')), found.text);
  assert.equal((await hub.json('/api/v1/search?q=pdf-form&mode=exact')).results.length, 0);
  const wrong = await hub.fetch('/api/v1/search?q=pdf&mode=psychic');
  assert.equal(wrong.status, 400);
});

test('search by the beginning of a slug, page by page', async () => {
  const first = await guest.clawhub('search', 'pdf-', '--prefix', '--limit', '2');
  const cursor = first.stdout.match(/Next cursor: (\S+)/)?.[1];
  assert.ok(cursor, first.text);
  const second = await guest.clawhub('search', 'pdf-', '--prefix', '--limit', '2', '--cursor', cursor);
  const slugs = (first.stdout + second.stdout).match(/^pdf-\w+/gm);
  assert.deepEqual(slugs, ['pdf-forms', 'pdf-forms', 'pdf-tables']);
  assert.doesNotMatch(second.stdout, /Next cursor/);
  assert.match((await guest.clawhub('search', 'zzz', '--prefix')).stdout, /No skills found/);
});

test('explore with each sort', async () => {
  const slugs = async (sort) => {
    const shown = await guest.clawhub('explore', '--sort', sort, '--json', '--limit', '200');
    const { items, nextCursor } = JSON.parse(shown.stdout);
    assert.equal(nextCursor, null);
    assert.equal(items.length, 4);
    return items.map((item) => `${item.owner.handle}/${item.slug}`);
  };
  assert.deepEqual(await slugs('newest'), ['ben/pdf-forms', 'ben/weather', 'anna/pdf-forms', 'anna/pdf-tables']);
  assert.equal((await slugs('rating'))[0], 'ben/weather');
  for (const sort of ['updated', 'downloads', 'installs', 'trending']) await slugs(sort);
  assert.match((await guest.clawhub('explore')).stdout, /pdf-tables\s+v1\.1\.0/);
  assert.equal((await hub.fetch('/api/v1/skills?sort=beauty')).status, 400);
});

test('a licence that the client does not know does not break it', async () => {
  assert.equal((await hub.json('/api/kontor/v1/skills/ben/weather')).license, 'Apache-2.0');
  assert.match((await guest.clawhub('inspect', 'weather', '--versions')).stdout, /@ben · v1\.0\.0/);
  const { latestVersion } = await hub.skill('ben', 'weather');
  assert.equal(latestVersion.license ?? null, null);
});

test('explore never sends null for a missing version', async () => {
  const { items } = await hub.json('/api/v1/skills?limit=200');
  for (const item of items) {
    assert.equal(typeof item.createdAt, 'number');
    assert.equal(item.latestVersion.license ?? null, null);
    assert.ok(!('metadata' in item) || item.metadata === null || Array.isArray(item.metadata.setup));
  }
});

test('inspect shows the skill, its versions, its files and one file', async () => {
  const plain = await guest.clawhub('inspect', '@anna/pdf-tables');
  assert.match(plain.stdout, /@anna · v1\.1\.0 · latest=1\.1\.0, stable=1\.1\.0/);
  const versions = await guest.clawhub('inspect', 'pdf-tables', '--versions', '--json');
  assert.deepEqual(JSON.parse(versions.stdout).versions.map(({ version, changelog }) => [version, changelog]), [
    ['1.1.0', 'with a script'],
    ['1.0.0', 'first'],
  ]);
  const files = await guest.clawhub('inspect', 'pdf-tables', '--files', '--json');
  const listed = JSON.parse(files.stdout).version.files;
  assert.deepEqual(listed.map((file) => file.path), ['SKILL.md', 'references/how.md', 'scripts/run.py']);
  assert.equal(listed[1].size, manual.length);
  assert.equal(listed[1].sha256, createHash('sha256').update(manual).digest('hex'));
  const old = await guest.clawhub('inspect', 'pdf-tables', '--version', '1.0.0', '--files', '--json');
  assert.equal(JSON.parse(old.stdout).version.files.length, 2);
  const tagged = await guest.clawhub('inspect', 'pdf-tables', '--tag', 'stable', '--json');
  assert.equal(JSON.parse(tagged.stdout).version.version, '1.1.0');
  const file = await guest.clawhub('inspect', 'pdf-tables', '--file', 'references/how.md');
  assert.equal(file.stdout, manual);
  const missing = await hub.fetch('/api/v1/skills/pdf-tables/file?path=nothing.md');
  assert.equal(missing.status, 404);
});

test('inspect with a token asks for the moderation, which tells the verdict', async () => {
  const shown = JSON.parse((await at.clawhub('inspect', 'pdf-tables', '--json')).stdout);
  assert.equal(shown.moderation.verdict, 'clean');
  assert.equal(shown.moderation.isSuspicious, false);
  assert.equal(shown.moderation.isMalwareBlocked, false);
});

test('a slug of two publishers must be qualified', async () => {
  const refused = await guest.refused(/clawhub install @anna\/pdf-forms/, 'clawhub', 'inspect', 'pdf-forms');
  assert.match(refused.text, /clawhub install @ben\/pdf-forms/);
  const answer = await hub.fetch('/api/v1/skills/pdf-forms');
  assert.equal(answer.status, 409);
  const ambiguous = await answer.json();
  assert.equal(ambiguous.code, 'AMBIGUOUS_SKILL_SLUG');
  assert.deepEqual(ambiguous.matches.map(({ ref, url }) => [ref, url]), [
    ['@anna/pdf-forms', `${hub.url}/@anna/pdf-forms`],
    ['@ben/pdf-forms', `${hub.url}/@ben/pdf-forms`],
  ]);
  assert.match((await guest.clawhub('inspect', '@ben/pdf-forms')).stdout, /Another way to fill forms/);
});

test('an unknown skill is not found, in words', async () => {
  await guest.refused(/Skill not found/, 'clawhub', 'inspect', 'no-such-skill');
  const answer = await hub.fetch('/api/v1/skills/no-such-skill');
  assert.equal(answer.status, 404);
  assert.equal(await answer.text(), 'Skill not found');
  assert.match(answer.headers.get('content-type'), /^text\/plain/);
});
