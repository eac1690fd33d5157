// clawhub: who one is, and publishers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFile, rm } from 'node:fs/promises';
import { Desk } from './clients.mjs';
import { Hub } from './hub.mjs';

let hub, anna;
before(async () => {
  hub = await Hub.start();
  anna = await hub.person('anna');
});
after(() => hub.stop());

async function desk(t, options) {
  const opened = await Desk.open(hub, options);
  t.after(() => opened.close());
  return opened;
}

test('login with a token stores it, whoami names the person', async (t) => {
  const at = await desk(t);
  const login = await at.clawhub('login', '--token', anna.token);
  assert.match(login.text, /Logged in as @anna/);
  assert.deepEqual(JSON.parse(await readFile(at.config, 'utf8')), { registry: hub.url, token: anna.token });
  const whoami = await at.clawhub('whoami');
  assert.match(whoami.text, /anna/);
  assert.match((await at.clawhub('token')).stdout, new RegExp(anna.token));
  await at.clawhub('logout');
  await at.refused(/Not logged in/, 'clawhub', 'whoami');
});

test('a wrong token is refused in words', async (t) => {
  const at = await desk(t);
  await at.refused(/token/i, 'clawhub', 'login', '--token', 'kontor_nobody');
  const answer = await hub.fetch('/api/v1/whoami', { token: 'kontor_nobody' });
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('content-type'), /^text\/plain/);
});

test('login by device: the code is approved by a signed-in person', async (t) => {
  const at = await desk(t);
  let approved;
  const login = await at.ok('clawhub', 'login', '--label', 'laptop of anna', {
    watch: (text) => {
      const code = text.match(/enter code: (\S+)/)?.[1];
      if (code && !approved) approved = hub.post(`/api/kontor/v1/device-logins/${code}/approve`, {}, anna);
    },
  });
  await approved;
  assert.ok(login.text.includes(`${hub.url}/device`), login.text);
  assert.match(login.text, /Logged in as @anna/);
  const { token } = JSON.parse(await readFile(at.config, 'utf8'));
  assert.notEqual(token, anna.token);
  assert.equal((await hub.json('/api/v1/whoami', { token })).user.handle, 'anna');
});

test('login by device: a refusal is told', async (t) => {
  const at = await desk(t);
  let denied;
  const login = await at.run('clawhub', ['login'], {
    watch: (text) => {
      const code = text.match(/enter code: (\S+)/)?.[1];
      if (code && !denied) denied = hub.post(`/api/kontor/v1/device-logins/${code}/deny`, {}, anna);
    },
  });
  await denied;
  assert.notEqual(login.code, 0);
  assert.match(login.text, /Authorization denied/);
});

test('the site names the registry', async (t) => {
  const at = await desk(t);
  const known = await hub.json('/.well-known/clawhub.json');
  assert.equal(known.apiBase, hub.url);
  assert.equal(known.authBase, hub.url);
  await rm(at.config, { force: true });
  const login = await at.ok('clawhub', '--site', hub.url, 'login', '--token', anna.token, { env: { CLAWHUB_REGISTRY: '', CLAWHUB_SITE: '' } });
  assert.match(login.text, /Logged in as @anna/);
});

test('publisher create makes an organisation that its maker owns', async (t) => {
  const at = await desk(t, anna);
  const created = await at.clawhub('publisher', 'create', 'acme', '--display-name', 'Acme Tools', '--json');
  const answer = JSON.parse(created.stdout);
  assert.equal(answer.handle, 'acme');
  assert.equal(answer.created, true);
  const publisher = await hub.json('/api/kontor/v1/publishers/acme', { token: anna.token });
  assert.equal(publisher.name, 'Acme Tools');
  assert.equal(publisher.kind, 'organisation');
  await at.refused(/taken|exists/i, 'clawhub', 'publisher', 'create', 'acme');
  await at.refused(/handle/i, 'clawhub', 'publisher', 'create', 'no.dots');
});
