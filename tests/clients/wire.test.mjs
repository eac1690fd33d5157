// What no client shows: headers, ranges, discovery documents, pages and the export, asked for directly.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { skill } from './clients.mjs';
import { Hub } from './hub.mjs';
import { unzip } from './zip.mjs';

let hub, anna, ben;
const text = skill('flat', { description: 'A skill of one file.', body: 'Line one.\n\n<script>alert(1)</script>\n\n![spy](https://spy.example/t.png) [out](https://out.example)' })['SKILL.md'];
const html = '<html><script>alert(document.cookie)</script></html>\n';
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const bytes = async (answer) => Buffer.from(await answer.arrayBuffer());

before(async () => {
  hub = await Hub.start();
  anna = await hub.person('anna');
  ben = await hub.person('ben');
  await hub.publish(anna, 'flat', { 'SKILL.md': text }, { changelog: 'the first' });
  await hub.publish(anna, 'deep', skill('deep', { 'assets/page.html': html, 'references/notes.md': '# Notes\n', 'b.bin': 'x'.repeat(5000) }));
  await hub.publish(anna, 'secret', skill('secret'));
  await hub.post('/api/kontor/v1/skills/anna/secret', { visibility: 'private' }, { token: anna.token, method: 'PATCH' });
});
after(async () => {
  await hub.stop();
});

test('a download is the same bytes every time, whole or in parts', async () => {
  const address = '/api/v1/download?slug=deep&ownerHandle=anna&version=1.0.0';
  const whole = await hub.fetch(address);
  assert.equal(whole.status, 200);
  assert.equal(whole.headers.get('content-type'), 'application/zip');
  assert.match(whole.headers.get('content-disposition'), /^attachment; filename="deep-1\.0\.0\.zip"$/);
  const archive = await bytes(whole);
  assert.equal(whole.headers.get('content-length'), String(archive.length));
  const again = await bytes(await hub.fetch('/api/v1/download?slug=deep'));
  assert.deepEqual(again, archive);
  assert.deepEqual(Object.keys(unzip(archive)).sort(), ['SKILL.md', '_meta.json', 'assets/page.html', 'b.bin', 'references/notes.md']);
  for (const [from, to] of [[0, 9], [4000, 5200], [archive.length - 300, archive.length - 1]]) {
    const part = await hub.fetch(address, { headers: { range: `bytes=${from}-${to}` } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes ${from}-${to}/${archive.length}`);
    assert.deepEqual(await bytes(part), archive.subarray(from, to + 1));
  }
  const etag = whole.headers.get('etag');
  const same = await hub.fetch(address, { headers: { 'if-none-match': etag } });
  assert.equal(same.status, 304);
  assert.equal((await bytes(same)).length, 0);
  const none = await hub.fetch(address, { headers: { range: `bytes=${archive.length}-` } });
  assert.equal(none.status, 416);
  const head = await hub.fetch(address, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), String(archive.length));
  assert.equal(head.headers.get('etag'), etag);
});

test('bytes that somebody published never act in a browser', async () => {
  const addresses = [
    '/api/v1/download?slug=deep',
    '/api/v1/skills/deep/file?path=assets/page.html',
    '/api/v1/skills/deep/file?path=SKILL.md',
    '/@anna/.well-known/skills/deep/assets/page.html',
  ];
  for (const address of addresses) {
    const answer = await hub.fetch(address);
    assert.equal(answer.status, 200, address);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', address);
    assert.match(answer.headers.get('content-security-policy'), /sandbox; default-src 'none'/, address);
    assert.ok(answer.headers.get('cross-origin-resource-policy'), address);
    assert.doesNotMatch(answer.headers.get('content-type'), /html|javascript|svg/, address);
    await bytes(answer);
  }
  const page = await hub.fetch('/api/v1/skills/deep/file?path=assets/page.html');
  assert.match(page.headers.get('content-disposition') ?? '', /^attachment/);
  assert.equal(await page.text(), html);
});

test('a discovery index names artifacts by the digest of their bytes', async () => {
  const answer = await hub.fetch('/@anna/.well-known/agent-skills/index.json');
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  assert.match(answer.headers.get('cache-control'), /max-age=\d+/);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
  const index = await answer.json();
  assert.equal(index.$schema, 'https://schemas.agentskills.io/discovery/0.2.0/schema.json');
  assert.deepEqual(index.skills.map(({ name, type }) => [name, type]), [['deep', 'archive'], ['flat', 'skill-md']]);
  for (const entry of index.skills) {
    const artifact = await fetch(new URL(entry.url, answer.url));
    assert.equal(artifact.status, 200, entry.url);
    assert.match(artifact.headers.get('cache-control'), /immutable/);
    assert.match(artifact.headers.get('content-type'), entry.type === 'archive' ? /^application\/zip/ : /^text\/markdown/);
    assert.equal(entry.digest, `sha256:${sha256(await bytes(artifact))}`);
    assert.equal(entry.version, '1.0.0');
    const head = await fetch(new URL(entry.url, answer.url), { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('etag'), artifact.headers.get('etag'));
  }
  const again = await hub.fetch('/@anna/.well-known/agent-skills/index.json', { headers: { 'if-none-match': answer.headers.get('etag') } });
  assert.equal(again.status, 304);
  const head = await hub.fetch('/@anna/.well-known/agent-skills/index.json', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal((await bytes(head)).length, 0);
});

test('each scope lists what it says and no more', async () => {
  const names = async (path, options) => (await hub.json(path, options)).skills.map((entry) => entry.name);
  const index = '.well-known/agent-skills/index.json';
  assert.deepEqual(await names(`/@anna/flat/${index}`), ['flat']);
  assert.deepEqual(await names(`/@anna/flat@1.0.0/${index}`), ['flat']);
  assert.deepEqual(await names(`/@anna@flat/${index}`), ['flat']);
  assert.deepEqual((await names(`/${index}`)).sort(), ['deep', 'flat']);
  for (const path of [`/@nobody/${index}`, `/@anna/nothing/${index}`, `/@anna/flat@9.0.0/${index}`, `/@anna/secret/${index}`, `/@anna@secret/${index}`]) {
    const answer = await hub.fetch(path);
    assert.equal(answer.status, 404, path);
  }
  const hidden = await hub.fetch(`/@anna/secret/${index}`);
  const unknown = await hub.fetch(`/@anna/nothing/${index}`);
  assert.equal(await hidden.text(), await unknown.text());
  const own = await hub.fetch(`/@anna/secret/${index}`, { token: anna.token });
  assert.equal(own.status, 200);
  assert.match(own.headers.get('cache-control'), /no-store/);
  assert.equal(own.headers.get('access-control-allow-origin'), null);
});

test('the older discovery document lists files', async () => {
  const { $schema, skills } = await hub.json('/@anna/.well-known/skills/index.json');
  assert.equal($schema, undefined);
  const deep = skills.find((entry) => entry.name === 'deep');
  assert.deepEqual(deep.files, ['SKILL.md', 'assets/page.html', 'b.bin', 'references/notes.md']);
  for (const file of deep.files) assert.equal((await hub.fetch(`/@anna/.well-known/skills/deep/${file}`)).status, 200, file);
  assert.equal((await hub.fetch('/@anna/.well-known/skills/deep/../../../../etc/passwd')).status, 404);
  assert.equal((await hub.json('/@anna/deep/.well-known/skills/index.json')).skills.length, 1);
  assert.equal((await hub.json('/.well-known/skills/index.json')).skills.length, 2);
});

test('the page of a skill shows it, and nothing in it acts', async () => {
  const answer = await hub.fetch('/@anna/flat', { headers: { accept: 'text/html' } });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-security-policy'), /default-src 'none'/);
  const page = await answer.text();
  assert.match(page, /A skill of one file\./);
  assert.match(page, new RegExp(`npx skills add ${hub.url}/@anna/flat`));
  assert.match(page, /clawhub --registry \S+ install @anna\/flat/);
  assert.match(page, /rel="nofollow noopener/);
  assert.doesNotMatch(page, /<script(?! type="module" src="\/assets\/scripts\/[a-z]+\.js"><\/script>)|<img/);
  assert.match(page, /the first/);
  assert.equal((await hub.fetch('/@anna/secret', { headers: { accept: 'text/html' } })).status, 404);
  assert.equal((await hub.fetch('/@nobody', { headers: { accept: 'text/html' } })).status, 404);
  assert.match(await (await hub.fetch('/@anna')).text(), /@anna\/flat/);
  assert.match(await (await hub.fetch('/')).text(), /role="search"/);
  assert.equal((await hub.fetch('/assets/pages.css')).status, 200);
});

test('the same address answers JSON to whoever asks for it', async () => {
  const answer = await hub.json('/@anna/flat', { headers: { accept: 'application/json' } });
  assert.equal(answer.ref, '@anna/flat');
});

test('the export brings what is public, page by page, with a manifest', async () => {
  const since = Date.now() - 3_600_000;
  const address = (more) => `/api/v1/skills/export?startDate=${since}&endDate=${Date.now() + 60_000}${more}`;
  assert.equal((await hub.fetch(address(''))).status, 401);
  const first = await hub.fetch(address('&limit=1'), { token: ben.token });
  assert.equal(first.status, 200);
  assert.equal(first.headers.get('x-has-more'), 'true');
  const cursor = first.headers.get('x-next-cursor');
  const second = await hub.fetch(address(`&limit=1&cursor=${encodeURIComponent(cursor)}`), { token: ben.token });
  assert.equal(second.headers.get('x-has-more'), 'false');
  const files = { ...unzip(await bytes(first)), ...unzip(await bytes(second)) };
  assert.equal(files['anna/flat/SKILL.md'].toString(), text);
  assert.equal(files['anna/deep/assets/page.html'].toString(), html);
  const manifest = JSON.parse(files['_manifest.json']);
  assert.equal(manifest.length, 1);
  assert.equal(manifest[0].publisher, 'anna');
  assert.ok(Object.keys(files).every((path) => !path.includes('secret')));
  assert.equal((await hub.fetch('/api/v1/skills/export?startDate=x&endDate=1', { token: ben.token })).status, 400);
});

test('an unknown address of the surface answers in plain words', async () => {
  const answer = await hub.fetch('/api/v1/no-such-thing');
  assert.equal(answer.status, 404);
  assert.match(answer.headers.get('content-type'), /^text\/plain/);
});
