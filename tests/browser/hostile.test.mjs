// Hostile texts in every field that somebody else fills in: the pages show them and do nothing else with them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hub } from '../clients/hub.mjs';
import { zip } from '../clients/zip.mjs';
import { launch, Reader } from './browser.mjs';
import { model } from './demo.mjs';
import { BROKEN, CORPUS, TURNED } from './corpus.mjs';

const ENTRIES = Object.entries(CORPUS);
const PLAIN = '---\nname: plain\ndescription: Plain. Use when asked.\n---\n# Plain\n\nText.\n';

let hub, browser, mind, anna;
before(async () => {
  mind = await model();
  [hub, browser] = await Promise.all([Hub.start('--config', mind.config), launch()]);
  anna = await hub.person('anna');
  await hub.policy('open');
});
after(async () => {
  await browser?.close();
  await hub?.stop();
  await mind?.stop();
});

async function enter(t, person) {
  const reader = await Reader.enter(browser, hub);
  t.after(() => reader.leave());
  if (person) await reader.signIn(person);
  return reader;
}

/** Publishes what a test needs; returns how the hub answered. */
async function send(slug, files, { person = anna, version = '1.0.0', changelog = '', ...more } = {}) {
  const form = new FormData();
  form.set('payload', JSON.stringify({ slug, version, changelog, acceptLicenseTerms: true, tags: ['latest'], ...more }));
  for (const [path, bytes] of Object.entries(files)) form.append('files', new Blob([bytes]), path);
  return hub.fetch('/api/v1/skills', { method: 'POST', token: person.token, body: form });
}

async function publish(slug, files, options) {
  const answer = await send(slug, files, options);
  assert.ok(answer.ok, `${slug}: ${answer.status} ${await answer.text()}`);
}

/** A skill that says the same in every field. JSON is YAML too. */
function saying(text) {
  const word = JSON.stringify(text);
  const front = ['name', 'description', 'license', 'compatibility', 'author', 'homepage', 'allowed-tools'].map((key) => `${key}: ${word}`);
  const metadata = ['description-zh', 'category', 'anything'].map((key) => `  ${key}: ${word}`);
  const body = `# ${text}\n\n${text}\n\n- ${text}\n\n| ${text.replaceAll('|', '\\|')} |\n|-|\n| x |\n\n\`\`\`${text.replaceAll('\n', ' ')}\n${text}\n\`\`\`\n`;
  return `---\n${front.join('\n')}\nkeywords: [${word}]\nmetadata:\n${metadata.join('\n')}\n---\n${body}`;
}

/** Runs in the page: what in it is not the hub's own. */
function inspect() {
  const faults = [];
  const ours = (address) => new URL(address, location.href).origin === location.origin;
  const never = ['iframe', 'frame', 'object', 'embed', 'style', 'base', 'math', 'applet', 'portal', 'foreignObject'];
  for (const one of document.querySelectorAll('*')) {
    const fault = (what) => faults.push(`${what}: ${one.outerHTML.slice(0, 160)}`);
    if (one.hasAttribute('data-probe') || one.id === 'probe') fault('an element of the text');
    if (never.includes(one.localName)) fault('an element that no page has');
    if (one.localName === 'script' && !(one.src && new URL(one.src).pathname.startsWith('/assets/') && ours(one.src))) fault('a script');
    if (one.localName === 'link' && !ours(one.href)) fault('a style of another host');
    if (one.localName === 'meta' && one.httpEquiv) fault('an instruction to the browser');
    if (one.localName === 'form' && !ours(one.action)) fault('a form for another host');
    for (const { name, value } of one.attributes) {
      if (/^on/i.test(name) || ['style', 'srcdoc', 'formaction', 'ping', 'is'].includes(name)) fault(`the attribute ${name}`);
      const isAddress = ['href', 'src', 'action', 'xlink:href', 'poster', 'data'].includes(name);
      const opensClient = one.closest('#use') && /^(cursor:\/\/anysphere\.cursor-deeplink\/mcp\/install\?name=kontor&config=|vscode:mcp\/install\?)[\w%]+$/.test(value);
      if (isAddress && !opensClient && !/^(https?|mailto):/.test(new URL(value, location.href).href)) fault(`the address ${value}`);
      if (name === 'href' && one.localName === 'a' && !ours(value) && !/nofollow.*noopener/.test(one.rel)) fault('a link that vouches');
    }
  }
  if ('probe' in globalThis) faults.push('a text ran');
  return faults;
}

/** The page is only what the hub made of it. */
async function harmless(reader, where) {
  reader.calm(where);
  assert.deepEqual(await reader.page.evaluate(inspect), [], where);
}

const folded = (text) => text.replace(/\s+/g, ' ').trim();

test('the inspection sees what it looks for', async (t) => {
  const reader = await enter(t);
  await reader.page.route('**/*', (route) => route.fulfill({ body: '', contentType: 'text/html' }));
  const acting = ENTRIES.filter(([, text]) => /<(script|img|svg|iframe|object|style|base|meta|form|a|details|div)[\s/>]/.test(text));
  assert.ok(acting.length > 15, `${acting.length} texts act`);
  for (const [name, text] of acting) {
    await reader.page.goto('/probe');
    await reader.page.evaluate((html) => document.write(`<body><main>${html}</main>`), text);
    assert.notDeepEqual(await reader.page.evaluate(inspect), [], name);
  }
});

test('texts in every field of a skill', async (t) => {
  const slug = (index) => `text-${index}`;
  for (const [index, [name, text]] of ENTRIES.entries()) {
    await publish(slug(index), { 'SKILL.md': saying(text) }, { changelog: text, categories: ['office'], topics: [folded(text).slice(0, 40)] })
      .catch((error) => assert.fail(`${name}: ${error.message}`));
  }
  await hub.decided();
  const reader = await enter(t, anna);
  for (const [index, [name, text]] of ENTRIES.entries()) {
    await t.test(name, async () => {
      await reader.open(`/@anna/${slug(index)}`);
      await harmless(reader, name);
      const told = folded(await reader.page.getByRole('main').evaluate((one) => one.textContent));
      const visible = folded(text);
      assert.ok(told.split(visible).length > 2, `${name}: the text itself is not shown\n${told.slice(0, 400)}`);
      await reader.open(`/@anna/${slug(index)}@1.0.0`);
      await harmless(reader, `${name}, its version`);
      await reader.open(`/?q=${encodeURIComponent(text)}`);
      await harmless(reader, `${name}, searched for`);
      assert.equal(await reader.page.getByRole('combobox').first().inputValue(), text.replaceAll('\n', ''), `${name}: what was searched for`);
    });
  }
  await reader.open('/@anna');
  await harmless(reader, 'the list of the publisher');
  await reader.open('/');
  await harmless(reader, 'the home');
});

test('texts in the names of files', async (t) => {
  const name = (text) => folded(text).replaceAll('/', '∕').replaceAll('\\', '').replace(/\p{Cc}/gu, '').slice(0, 180);
  const files = Object.fromEntries(ENTRIES.map(([, text]) => [`notes/${name(text)}.md`, 'Text.\n']));
  const path = '/api/kontor/v1/publishers/anna/skills?slug=names&version=1.0.0';
  const headers = { 'content-type': 'application/zip' };
  const answer = await hub.fetch(path, { method: 'POST', token: anna.token, headers, body: zip({ 'SKILL.md': PLAIN, ...files }) });
  assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
  await hub.decided();
  const reader = await enter(t, anna);
  await reader.open('/@anna/names');
  await harmless(reader, 'the list of files');
  const told = await reader.page.getByRole('main').evaluate((one) => one.textContent);
  for (const path of Object.keys(files)) assert.ok(told.includes(path), path);
  const links = reader.page.getByRole('main').getByRole('link', { name: /^notes\// });
  assert.equal(await links.count(), Object.keys(files).length);
  for (const address of await links.evaluateAll((all) => all.map((one) => one.href))) {
    assert.equal((await hub.fetch(address, { token: anna.token })).status, 200, address);
  }
});

test('files that are pages themselves run nothing', async (t) => {
  const page = '<!doctype html><body><script>probe=1;alert(1)</script><img src=x onerror="probe=1">';
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  const files = { 'page.html': page, 'picture.svg': svg, 'page.xhtml': page, 'script.js': 'alert(1)', 'text.md': page, 'broken.md': BROKEN };
  await publish('pages', { 'SKILL.md': PLAIN, ...files });
  await hub.decided();
  const reader = await enter(t, anna);
  await reader.open('/@anna/pages');
  const links = reader.page.getByRole('main').getByRole('link', { name: /^[a-z]+\.(html|svg|xhtml|js|md)$/ });
  const addresses = await links.evaluateAll((all) => all.map((one) => one.href));
  assert.equal(addresses.length, Object.keys(files).length);
  for (const address of addresses) {
    const answer = await hub.fetch(address, { token: anna.token });
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', address);
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/, address);
    assert.doesNotMatch(policy, /unsafe|data:|blob:|script-src (?!'self';)/, address);
    reader.faults.length = 0;
    await reader.page.goto(address).catch((error) => assert.match(error.message, /download/i, address));
    assert.equal(await reader.page.evaluate(() => 'probe' in globalThis), false, address);
    assert.deepEqual(reader.faults.filter((fault) => /dialog/.test(fault)), [], address);
  }
});

test('bytes that are no UTF-8', async (t) => {
  const files = { 'SKILL.md': Buffer.concat([Buffer.from(PLAIN), BROKEN, Buffer.from('\n')]) };
  const answer = await send('broken', files);
  assert.ok([200, 422].includes(answer.status), `${answer.status} ${await answer.text()}`);
  await hub.decided();
  const reader = await enter(t, anna);
  await reader.open('/@anna/broken', answer.ok ? 200 : 404);
  await harmless(reader, 'a text that is no UTF-8');
});

test('texts in the names of publishers, people and devices', async (t) => {
  const reader = await enter(t, anna);
  for (const [index, [what, text]] of ENTRIES.entries()) {
    const name = folded(text).replace(/\p{Cc}/gu, '').slice(0, 100);
    const handle = `maker-${index}`;
    const publisher = await hub.post('/api/kontor/v1/publishers', { handle, name }, anna);
    assert.equal(publisher.name, name.trim());
    await reader.open(`/@${handle}`);
    await harmless(reader, `${what} as a publisher`);
    assert.equal(await reader.page.getByRole('heading', { level: 1 }).textContent(), name.trim(), what);
    const body = JSON.stringify({ scope: 'read', label: text });
    const headers = { 'content-type': 'application/json' };
    const device = await hub.json('/api/cli/device/code', { method: 'POST', headers, body });
    await reader.open(`/device?code=${encodeURIComponent(text)}`);
    await harmless(reader, `${what} as a code`);
    await reader.open('/device');
    await reader.page.getByLabel('Code').fill(device.user_code);
    await reader.page.getByRole('button', { name: 'Continue' }).click();
    await reader.page.getByRole('button', { name: 'Deny' }).waitFor();
    await harmless(reader, `${what} as a device`);
    await reader.page.getByRole('button', { name: 'Deny' }).click();
    await reader.page.getByRole('heading', { name: 'Denied' }).waitFor();
    await harmless(reader, `${what} as a device that was turned away`);
  }
});

test('texts in an errand', async (t) => {
  const reader = await enter(t, anna);
  for (const [what, text] of ENTRIES.slice(0, 12)) {
    await reader.open('/errands');
    await reader.page.getByLabel('What do you want?').fill(`order tea ${folded(text)}`);
    await reader.page.getByRole('button', { name: 'Ask' }).click();
    await reader.page.waitForURL(/errands\/.+/);
    await harmless(reader, `${what} as an errand`);
  }
  await reader.open('/errands');
  await harmless(reader, 'the list of errands');
});

/** Runs in the page: characters that turn text round, and what of ours stands in their reach. */
function turned() {
  const faults = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!/[\u202a-\u202e\u2066-\u2069]/.test(node.data)) continue;
    let fence = node.parentElement;
    while (fence !== document.body && !/isolate|plaintext/.test(getComputedStyle(fence).unicodeBidi)) fence = fence.parentElement;
    if (fence.textContent.trim() !== node.data.trim()) faults.push(fence.outerHTML.slice(0, 240));
  }
  return faults;
}

test('a text that turns round what follows turns only itself', async (t) => {
  const word = JSON.stringify(TURNED);
  const text = `---\nname: ${word}\ndescription: ${word}\nlicense: ${word}\nkeywords: [${word}, plain]\n---\n# Text\n`;
  await publish('turned', { 'SKILL.md': text, [`notes/${TURNED}.md`]: 'Text.\n' }, { changelog: TURNED });
  await hub.post('/api/kontor/v1/publishers', { handle: 'turner', name: TURNED }, anna);
  await hub.decided();
  const reader = await enter(t, anna);
  for (const path of ['/@anna/turned', '/@turner', '/@anna', '/', `/?q=${encodeURIComponent(TURNED)}`]) {
    await reader.open(path);
    await harmless(reader, path);
    assert.deepEqual(await reader.page.evaluate(turned), [], path);
  }
  const body = JSON.stringify({ scope: 'read', label: TURNED });
  const device = await hub.json('/api/cli/device/code', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await reader.open('/device');
  await reader.page.getByLabel('Code').fill(device.user_code);
  await reader.page.getByRole('button', { name: 'Continue' }).click();
  await reader.page.getByRole('button', { name: 'Deny' }).waitFor();
  assert.deepEqual(await reader.page.evaluate(turned), [], 'a device');
});
