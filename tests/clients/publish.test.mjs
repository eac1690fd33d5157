// clawhub: publish, sync, and what older versions of it send.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Desk, skill } from './clients.mjs';
import { Hub } from './hub.mjs';

let hub, anna, ben, at;
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

before(async () => {
  hub = await Hub.start();
  anna = await hub.person('anna');
  ben = await hub.person('ben');
  at = await Desk.open(hub, anna);
});
after(async () => {
  await at.close();
  await hub.stop();
});

/** Publishes as the client does, but with everything in reach. */
async function upload(person, path, text, sent = text) {
  const ticket = await hub.post('/api/v1/skills/-/upload-url', { path, size: text.length, sha256: sha256(text), contentType: 'text/markdown' }, person);
  const stored = await hub.fetch(ticket.uploadUrl, { method: 'POST', token: person.token, headers: { 'content-type': 'text/markdown' }, body: sent });
  return { ticket, stored };
}

test('publish takes the next version by itself and knows what is there already', async () => {
  await at.write('notes', skill('notes', { '.hidden': 'left out by the client\n', 'assets/logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n' }));
  const made = JSON.parse((await at.clawhub('publish', 'notes', '--json', '--categories', 'office', '--topics', 'writing,minutes')).stdout);
  assert.equal(made.status, 'pending-publication', 'the client knows that it is decided later');
  assert.equal(made.version, '1.0.0');
  const again = JSON.parse((await at.clawhub('publish', 'notes', '--json')).stdout);
  assert.equal(again.status, 'unchanged');
  await at.write('notes', { 'references/more.md': 'more\n' });
  const next = JSON.parse((await at.clawhub('publish', 'notes', '--json', '--changelog', 'more')).stdout);
  assert.equal(next.version, '1.0.1');
  const shown = await hub.skill('anna', 'notes');
  assert.equal(shown.latestVersion.version, '1.0.1');
  assert.equal(shown.skill.displayName, 'Notes');
  assert.deepEqual(shown.skill.tags, { latest: '1.0.1' });
  const { version } = await hub.json('/api/v1/skills/notes/versions/1.0.1?ownerHandle=anna');
  assert.deepEqual(version.files.map((file) => file.path), ['SKILL.md', 'assets/logo.svg', 'references/more.md']);
});

test('the fingerprint of the hub is the fingerprint of the client', async () => {
  await at.write('letters', skill('letters', { 'Zebra.md': 'z\n', '_under.md': 'u\n', 'alpha.md': 'a\n', 'references/ä.md': 'ä\n', 'b-c.md': 'bc\n', 'b_c.md': 'bc\n', 'bc.md': 'bc\n' }));
  const made = JSON.parse((await at.clawhub('publish', 'letters', '--json')).stdout);
  const { match } = await hub.json(`/api/v1/resolve?slug=letters&ownerHandle=anna&hash=${made.fingerprint}`);
  assert.deepEqual(match, { version: '1.0.0' });
  const none = await hub.json(`/api/v1/resolve?slug=letters&ownerHandle=anna&hash=${'0'.repeat(64)}`);
  assert.deepEqual(none.match, null);
  assert.deepEqual(none.latestVersion, { version: '1.0.0' });
  assert.equal((await hub.fetch('/api/v1/resolve?slug=letters&hash=short')).status, 400);
});

test('publishing again is safe, other bytes under a taken version are refused', async () => {
  await at.write('ledger', skill('ledger'));
  await at.clawhub('publish', 'ledger', '--version', '2.0.0');
  await at.clawhub('publish', 'ledger', '--version', '2.0.0');
  await at.write('ledger', skill('ledger', { body: 'Changed.' }));
  await at.refused(/2\.0\.0/, 'clawhub', 'publish', 'ledger', '--version', '2.0.0');
  const { items } = await hub.json('/api/v1/skills/ledger/versions');
  assert.deepEqual(items.map((item) => item.version), ['2.0.0']);
});

test('publish for an organisation, never for one that is not ours', async () => {
  await at.clawhub('publisher', 'create', 'acme');
  await at.write('invoice', skill('invoice'));
  await at.clawhub('publish', 'invoice', '--owner', 'acme');
  assert.equal((await hub.skill('acme', 'invoice')).owner.handle, 'acme');
  await at.refused(/publisher|Permission/i, 'clawhub', 'publish', 'invoice', '--owner', 'ben');
  assert.equal((await hub.fetch('/api/v1/skills/invoice?ownerHandle=ben')).status, 404);
});

test('where the bytes came from is kept', async () => {
  await at.write('sourced', skill('sourced'));
  await at.clawhub('publish', 'sourced', '--source-repo', 'acme/skills', '--source-commit', 'a'.repeat(40), '--source-path', 'skills/sourced');
  const { provenance } = await hub.json('/api/v1/skills/sourced/verify?ownerHandle=anna');
  assert.equal(provenance.repo, 'acme/skills');
  assert.equal(provenance.commit, 'a'.repeat(40));
  assert.equal(provenance.source, 'declared-by-publisher');
});

test('sync publishes what is new or changed, and nothing else', async (t) => {
  const folder = await Desk.open(hub, ben);
  t.after(() => folder.close());
  await folder.write('skills/one', skill('one'));
  await folder.write('skills/two', skill('two'));
  const plan = JSON.parse((await folder.clawhub('sync', '--all', '--dry-run', '--json')).stdout);
  assert.equal(plan.summary.wouldPublish, 2);
  const done = JSON.parse((await folder.clawhub('sync', '--all', '--json')).stdout);
  assert.equal(done.summary.submitted, 2);
  await folder.write('skills/two', skill('two', { body: 'More.' }));
  const again = JSON.parse((await folder.clawhub('sync', '--all', '--json', '--bump', 'minor', '--changelog', 'more')).stdout);
  assert.deepEqual([again.summary.submitted, again.summary.alreadySynced], [1, 1]);
  assert.equal((await hub.skill('ben', 'two')).latestVersion.version, '1.1.0');
  assert.equal((await hub.skill('ben', 'one')).latestVersion.version, '1.0.0');
});

test('the multipart form of older clients makes the same version', async () => {
  const files = skill('both-ways', { 'references/a.md': 'a\n' });
  const form = new FormData();
  form.set('payload', JSON.stringify({ slug: 'both-ways', displayName: 'Both Ways', version: '1.0.0', changelog: 'by form', acceptLicenseTerms: true, tags: ['latest'] }));
  for (const [path, text] of Object.entries(files)) form.append('files', new Blob([text], { type: 'text/markdown' }), path);
  const published = await hub.json('/api/v1/skills', { method: 'POST', token: anna.token, body: form });
  assert.equal(published.ok, true);
  assert.equal(published.publicationStatus, 'pending', 'it is acknowledged at once and decided later');
  await hub.decided();
  await at.write('both-ways', files);
  const again = JSON.parse((await at.clawhub('publish', 'both-ways', '--json')).stdout);
  assert.equal(again.status, 'unchanged');
  const repeated = JSON.parse((await at.clawhub('publish', 'both-ways', '--json', '--version', '1.0.0')).stdout);
  assert.equal(repeated.versionId, published.versionId, 'the same bytes through both forms are one version');
});

test('an upload ticket takes only the bytes it was made for, from its person', async () => {
  const text = skill('ticket')['SKILL.md'];
  const wrong = await upload(anna, 'SKILL.md', text, `${text}more`);
  assert.equal(wrong.stored.status, 400);
  const good = await upload(anna, 'SKILL.md', text);
  assert.equal(good.stored.status, 200);
  const { storageId } = await good.stored.json();
  const stranger = await hub.fetch(good.ticket.uploadUrl, { method: 'POST', token: ben.token, body: text });
  assert.equal(stranger.status, 404);
  const file = { path: 'SKILL.md', size: text.length, sha256: sha256(text), contentType: 'text/markdown', storageId, uploadTicket: good.ticket.uploadTicket };
  const body = { slug: 'ticket', displayName: 'Ticket', version: '1.0.0', changelog: '', acceptLicenseTerms: true, tags: ['latest'], files: [file] };
  const send = (token, change) => hub.fetch('/api/v1/skills', { method: 'POST', token, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...body, ...change }) });
  assert.equal((await send(ben.token, {})).status, 404, 'another person has no such ticket');
  assert.equal((await send(anna.token, { files: [{ ...file, path: 'OTHER.md' }] })).status, 400, 'it is not for another path');
  assert.equal((await send(anna.token, { files: [{ ...file, uploadTicket: 'made-up' }] })).status, 404, 'nor a made-up ticket');
  assert.equal((await send(anna.token, {})).status, 200);
  assert.equal((await send(anna.token, {})).status, 200, 'the same request again succeeds');
});

test("a ticket for somebody else's bytes is not met by their being here", async () => {
  const known = skill('ticket')['SKILL.md'];
  const claim = await hub.post('/api/v1/skills/-/upload-url', { path: 'SKILL.md', size: known.length, sha256: sha256(known) }, ben);
  const file = { path: 'SKILL.md', size: known.length, sha256: sha256(known), storageId: 'never-sent', uploadTicket: claim.uploadTicket };
  const answer = await hub.fetch('/api/v1/skills', {
    method: 'POST', token: ben.token, headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ slug: 'stolen', displayName: 'Stolen', version: '1.0.0', changelog: '', acceptLicenseTerms: true, files: [file] }),
  });
  assert.equal(answer.status, 400);
  assert.equal((await hub.fetch('/api/v1/skills/stolen?ownerHandle=ben')).status, 404);
});

test('a folder that is no skill is refused with the reason', async () => {
  const form = new FormData();
  form.set('payload', JSON.stringify({ slug: 'empty', displayName: 'Empty', version: '1.0.0', changelog: '' }));
  form.append('files', new Blob(['hello'], { type: 'text/plain' }), 'README.md');
  const answer = await hub.fetch('/api/v1/skills', { method: 'POST', token: anna.token, body: form });
  assert.equal(answer.status, 422);
  assert.match(await answer.text(), /SKILL\.md/);
  const anonymous = await hub.fetch('/api/v1/skills', { method: 'POST', body: form });
  assert.equal(anonymous.status, 401);
});
