// MCP: the official SDKs for TypeScript of both generations, the Inspector's command line and the conformance scenarios.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Desk, library, skill } from './clients.mjs';
import { Hub } from './hub.mjs';

let hub, anna, desk, first, second;
const form = 'Name: ____\n技能\n';
const sha256 = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

before(async () => {
  hub = await Hub.start();
  anna = await hub.person('anna');
  desk = await Desk.open(hub, anna);
  first = { ...(await library('@modelcontextprotocol/sdk/client/index.js')), ...(await library('@modelcontextprotocol/sdk/client/streamableHttp.js')), ...(await library('@modelcontextprotocol/sdk/client/stdio.js')) };
  second = { ...(await library('@modelcontextprotocol/client')), ...(await library('@modelcontextprotocol/client/stdio')) };
  await hub.publish(anna, 'pdf-tables', skill('pdf-tables', { description: 'Extracts tables from PDF files. Use it for invoices.', 'references/how.md': form, 'templates/eu/invoice.md': '# EU\n' }));
  await hub.publish(anna, 'secret', skill('secret', { body: 'The secret text.' }));
  await hub.post('/api/kontor/v1/skills/anna/secret', { visibility: 'private' }, { token: anna.token, method: 'PATCH' });
  await hub.eventually(async () => {
    const { items } = await hub.json('/api/kontor/v1/search?q=tables');
    assert.equal(items.length, 1);
  });
});
after(async () => {
  await desk.close();
  await hub.stop();
});

const address = (query = '') => new URL(`/mcp${query}`, hub.url);
const headers = (token) => (token ? { requestInit: { headers: { authorization: `Bearer ${token}` } } } : {});

/** What every client must be able to do, whichever way it came. */
async function useTools(client, token) {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ['search_skills', 'get_skill', 'list_skill_files', 'read_skill_file']);
  const found = await client.callTool({ name: 'search_skills', arguments: { query: 'tables from invoices' } });
  assert.equal(found.structuredContent.skills[0].skill, '@anna/pdf-tables');
  const got = await client.callTool({ name: 'get_skill', arguments: { skill: '@anna/pdf-tables' } });
  assert.match(got.content[0].text, /# pdf-tables/);
  const file = await client.callTool({ name: 'read_skill_file', arguments: { skill: '@anna/pdf-tables', path: 'references/how.md' } });
  assert.equal(file.structuredContent.text, form);
  const files = await client.callTool({ name: 'list_skill_files', arguments: { skill: '@anna/pdf-tables' } });
  assert.equal(files.structuredContent.total, 3);
  const secret = await client.callTool({ name: 'get_skill', arguments: { skill: '@anna/secret' } });
  assert.equal(Boolean(secret.isError), !token, JSON.stringify(secret));
  const { resources } = await client.listResources();
  assert.deepEqual(resources.map((one) => one.name).sort(), token ? ['pdf-tables', 'secret'] : ['pdf-tables']);
  const read = await client.readResource({ uri: 'skill://anna/pdf-tables/references/how.md' });
  assert.equal(read.contents[0].text, form);
}

for (const token of ['nobody', 'anna']) {
  test(`the SDK of the first generation over HTTP as ${token}`, async () => {
    const { Client, StreamableHTTPClientTransport } = first;
    const client = new Client({ name: 'suite', version: '1' });
    const secret = token === 'anna' ? anna.token : undefined;
    await client.connect(new StreamableHTTPClientTransport(address(), headers(secret)));
    assert.equal(client.getServerVersion().name, 'kontor');
    assert.ok(client.getServerCapabilities().resources);
    await client.ping();
    await useTools(client, secret);
    await client.close();
  });

  test(`the SDK of the second generation, without a handshake, as ${token}`, async () => {
    const { Client, StreamableHTTPClientTransport } = second;
    const client = new Client({ name: 'suite', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    const secret = token === 'anna' ? anna.token : undefined;
    await client.connect(new StreamableHTTPClientTransport(address(), headers(secret)));
    assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28');
    await useTools(client, secret);
    await client.close();
  });
}

test('a wrong token is refused', async () => {
  const { Client, StreamableHTTPClientTransport } = first;
  const client = new Client({ name: 'suite', version: '1' });
  await assert.rejects(client.connect(new StreamableHTTPClientTransport(address(), headers('kontor_nobody'))), /401|Unauthorized|unauthenticated|token/i);
});

test('only the tools that the address names are listed and called', async () => {
  const { Client, StreamableHTTPClientTransport } = first;
  const client = new Client({ name: 'suite', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(address('?tools=search_skills'), headers(anna.token)));
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ['search_skills']);
  await assert.rejects(client.callTool({ name: 'get_skill', arguments: { skill: '@anna/secret' } }), /not allowed/);
  await client.close();
});

for (const [generation, sdk] of [['first', () => first], ['second', () => second]]) {
  test(`the SDK of the ${generation} generation through \`kontor mcp\``, async () => {
    const { Client, StdioClientTransport } = sdk();
    const client = new Client({ name: 'suite', version: '1' }, generation === 'second' ? { versionNegotiation: { mode: 'auto' } } : {});
    const env = { PATH: process.env.PATH, HOME: desk.home, KONTOR_TOKEN: anna.token };
    await client.connect(new StdioClientTransport({ command: hub.binary, args: ['mcp', '--registry', hub.url], env, stderr: 'pipe' }));
    await useTools(client, anna.token);
    await client.close();
  });
}

const python = process.env.KONTOR_TEST_PYTHON;
if (!python) console.log('SKIPPED: KONTOR_TEST_PYTHON names no Python with the MCP SDK (cargo xtask test brings it)');

for (const [way, args] of [
  ['as nobody', () => [`${hub.url}/mcp`]],
  ['as anna', () => [`${hub.url}/mcp`, anna.token]],
  ['through `kontor mcp`', () => ['--stdio', hub.binary, 'mcp', '--registry', hub.url]],
]) {
  test(`the SDK for Python ${way}`, { skip: !python }, async () => {
    const script = join(import.meta.dirname, 'mcp_client.py');
    const { stdout } = await promisify(execFile)(python, [script, ...args()], { env: { PATH: process.env.PATH, HOME: desk.home } });
    assert.deepEqual(JSON.parse(stdout), {
      version: '2026-07-28',
      tools: ['search_skills', 'get_skill', 'list_skill_files', 'read_skill_file'],
      skill: '@anna/pdf-tables',
      text: form,
      missing: true,
      resources: way === 'as anna' ? ['pdf-tables', 'secret'] : ['pdf-tables'],
      read: form,
    });
  });
}

/** The Inspector's answer as JSON. */
async function inspect(...args) {
  const result = await desk.ok('inspector', '--cli', `${hub.url}/mcp`, '--transport', 'http', ...args);
  return JSON.parse(result.stdout);
}

test('the Inspector lists, calls and reads', async () => {
  const { tools } = await inspect('--method', 'tools/list', '--strict');
  assert.equal(tools.length, 4);
  const found = await inspect('--method', 'tools/call', '--tool-name', 'search_skills', '--tool-arg', 'query=tables');
  assert.equal(found.structuredContent.skills[0].skill, '@anna/pdf-tables');
  const { resources } = await inspect('--method', 'resources/list');
  assert.deepEqual(resources.map((one) => one.uri), ['skill://anna/pdf-tables/SKILL.md']);
  const read = await inspect('--method', 'resources/read', '--uri', 'skill://anna/pdf-tables/references/how.md');
  assert.equal(read.contents[0].text, form);
});

test('the Inspector finds skills as the extension has them, and every digest true', async () => {
  const checked = await desk.ok('inspector', '--cli', `${hub.url}/mcp`, '--transport', 'http', '--method', 'skills/list', '--verify');
  assert.match(checked.text, /Verified 1 skill and 3 files: no conformance errors/);
  const { skills } = await inspect('--method', 'skills/list');
  const [entry] = skills;
  assert.equal(entry.uri, 'skill://anna/pdf-tables/SKILL.md');
  assert.equal(entry.frontmatter.name, 'pdf-tables');
  const how = entry.resources.find((one) => one.uri.endsWith('/how.md'));
  assert.deepEqual([how.digest, how.size], [sha256(form), Buffer.byteLength(form)]);
  const got = await inspect('--method', 'skills/get', '--uri', entry.uri);
  assert.deepEqual(got.skill.resources, entry.resources);
  const folder = await inspect('--method', 'resources/directory/read', '--uri', 'skill://anna/pdf-tables/templates');
  assert.deepEqual(folder.resources.map((one) => [one.name, one.mimeType]), [['eu', 'inode/directory']]);
});

test('the SDK takes skills over MCP and checks every file of them', async () => {
  const { Client, StreamableHTTPClientTransport } = second;
  const { SkillsClient } = await library('@modelcontextprotocol/client/ext/skills');
  const client = new Client({ name: 'suite', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(address(), headers(anna.token)));
  const host = new SkillsClient(client);
  assert.ok(host.supported && host.directoryRead);
  const { skills } = await host.list();
  assert.deepEqual(skills.map((one) => one.frontmatter.name).sort(), ['pdf-tables', 'secret']);
  for (const entry of skills) {
    for (const file of entry.resources) {
      const read = await host.read(entry, file.uri);
      assert.equal(read.verified, true, file.uri);
    }
  }
  const { skill: got } = await host.get('skill://anna/pdf-tables/SKILL.md');
  assert.equal((await host.read(got, 'references/how.md')).text, form);
  await assert.rejects(host.get('skill://anna/nothing/SKILL.md'), { code: -32602 });
  await client.close();
});

test('OpenClaw knows the hub that `kontor connect` wrote into its settings', async () => {
  await desk.kontor('connect', 'openclaw', '--registry', hub.url);
  const listed = await desk.openclaw('mcp', 'list');
  assert.match(listed.text, /kontor/);
  await desk.kontor('connect', 'openclaw', '--undo');
  await assert.rejects(stat(join(desk.home, '.openclaw', 'openclaw.json')));
});

test('the settings of Claude Code come back as they were', async () => {
  const before = '{\n  "numStartups": 1\n}';
  await desk.write('../home', { '.claude.json': before });
  await desk.kontor('connect', 'claude', '--registry', hub.url);
  const { mcpServers } = JSON.parse(await readFile(join(desk.home, '.claude.json'), 'utf8'));
  assert.deepEqual(mcpServers.kontor.args, ['mcp', '--registry', hub.url]);
  await desk.kontor('connect', 'claude', '--undo');
  assert.equal(await readFile(join(desk.home, '.claude.json'), 'utf8'), before);
});
