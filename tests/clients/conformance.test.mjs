// The conformance suite of the protocol: on a hub what a hub has, the rest on fixtures behind the same front.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { Desk, skill } from './clients.mjs';
import { Hub } from './hub.mjs';

let hub, desk;
const servers = new Map();

before(async () => {
  hub = await Hub.start();
  const anna = await hub.person('anna');
  desk = await Desk.open(hub, anna);
  await hub.publish(anna, 'pdf-tables', skill('pdf-tables', { description: 'Extracts tables from PDF files.' }));
  servers.set('hub', { address: `${hub.url}/mcp` });
  servers.set('fixtures', await fixtures());
  servers.set('sessions', await fixtures('--sessions'));
});
after(async () => {
  for (const { child } of servers.values()) child?.stdin.end();
  await desk.close();
  await hub.stop();
});

/** The server of fixtures, which is built beside the hub and no part of it. */
async function fixtures(...args) {
  const program = process.env.KONTOR_MCP_FIXTURES ?? join(dirname(hub.binary), 'mcp-fixtures');
  assert.ok(existsSync(program), `no server of fixtures at ${program}: build it with \`cargo test --no-run --profile ci --workspace\``);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const address of createInterface({ input: child.stdout })) return { child, address };
  assert.fail('the server of fixtures said no address');
}

/** Runs one scenario against one of the servers. */
async function scenario(server, name, passed = /Passed: (\d+)\/\1, 0 failed, 0 warnings/) {
  const { address } = servers.get(server);
  const result = await desk.ok('conformance', 'server', '--url', address, '--scenario', name, '-o', join(desk.work, 'conformance'));
  assert.match(result.text, passed, result.text);
}

for (const name of ['server-initialize', 'ping', 'tools-list', 'resources-list', 'dns-rebinding-protection']) {
  test(`conformance of the hub: ${name}`, () => scenario('hub', name));
}

// These look at sessions and streams, which this server does without; what applies to it must hold all the same.
for (const name of ['server-sse-multiple-streams', 'server-sse-polling']) {
  test(`conformance of the hub: ${name}`, () => scenario('hub', name, /Passed: (\d+)\/\1, 0 failed/));
}

// Tools, prompts and resources that no hub has, through its front and its transport.
for (const name of [
  'server-initialize', 'ping', 'dns-rebinding-protection', 'logging-set-level', 'completion-complete',
  'tools-list', 'tools-call-simple-text', 'tools-call-image', 'tools-call-audio', 'tools-call-embedded-resource',
  'tools-call-mixed-content', 'tools-call-with-logging', 'tools-call-error', 'tools-call-with-progress', 'json-schema-2020-12',
  'resources-list', 'resources-read-text', 'resources-read-binary', 'resources-templates-read', 'resources-subscribe',
  'resources-unsubscribe', 'prompts-list', 'prompts-get-simple', 'prompts-get-with-args', 'prompts-get-embedded-resource',
  'prompts-get-with-image',
]) {
  test(`conformance of fixtures: ${name}`, () => scenario('fixtures', name));
}

// A server that asks its client something within a call needs a session in these revisions, and the hub has none.
for (const name of [
  'tools-call-sampling', 'tools-call-elicitation', 'elicitation-sep1034-defaults', 'elicitation-sep1330-enums',
  'server-sse-multiple-streams', 'server-sse-polling',
]) {
  test(`conformance of fixtures with sessions: ${name}`, () => scenario('sessions', name, /Passed: (\d+)\/\1, 0 failed/));
}

test('no fixture is part of the hub', async () => {
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  const { result } = await hub.post('/mcp', list, { token: undefined });
  assert.deepEqual(result.tools.filter((tool) => tool.name.startsWith('test_')), []);
});
