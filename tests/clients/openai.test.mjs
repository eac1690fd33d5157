// The official clients of OpenAI for Node and Python, unmodified, against a hub whose provider follows a script.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { library } from './clients.mjs';
import { Hub } from './hub.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const python = process.env.KONTOR_TEST_PYTHON;
if (!python) console.log('SKIPPED: KONTOR_TEST_PYTHON names no Python with the client of OpenAI (cargo xtask test brings it)');

/** A provider that answers by what it is asked: a tool call when there are tools, events when it is a stream. */
function provider() {
  const chunk = (delta, reason) => ({
    id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1700000000, model: 'scripted-1',
    choices: [{ index: 0, delta, finish_reason: reason ?? null }],
  });
  const usage = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 };
  return createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = JSON.parse(Buffer.concat(parts).toString());
    const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } };
    if (body.model === 'theirs-broken') return response.writeHead(500).end('{"error":{"message":"down","type":"x","code":null}}');
    if (body.stream) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const deltas = body.tools
        ? [{ role: 'assistant', tool_calls: [{ index: 0, ...call }] }]
        : [{ role: 'assistant', content: '' }, { content: 'Hel' }, { content: 'lo' }];
      response.write(': keep-alive\n\n');
      for (const delta of deltas) response.write(`data: ${JSON.stringify(chunk(delta))}\n\n`);
      response.write(`data: ${JSON.stringify(chunk({}, body.tools ? 'tool_calls' : 'stop'))}\n\n`);
      if (body.stream_options?.include_usage) response.write(`data: ${JSON.stringify({ ...chunk({}), choices: [], usage })}\n\n`);
      return response.end('data: [DONE]\n\n');
    }
    const message = body.tools
      ? { role: 'assistant', content: null, tool_calls: [call] }
      : { role: 'assistant', content: `Hello, ${body.x_own ?? 'you'}` };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({
      id: 'chatcmpl-1', object: 'chat.completion', created: 1700000000, model: 'scripted-1', usage,
      choices: [{ index: 0, message, logprobs: null, finish_reason: body.tools ? 'tool_calls' : 'stop' }],
    }));
  });
}

let server;
let folder;
let hub;
let token;

before(async () => {
  server = provider();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  folder = await mkdtemp(join(tmpdir(), 'kontor-openai-'));
  await writeFile(join(folder, 'provider.key'), 'sk-scripted\n', { mode: 0o600 });
  const settings = join(folder, 'kontor.toml');
  await writeFile(settings, `
[[provider]]
name = "scripted"
url = "http://127.0.0.1:${server.address().port}/v1"
key_file = "${join(folder, 'provider.key')}"
models = [
  { name = "small", upstream = "theirs-small", price = { currency = "USD", input = "1", output = "10" } },
  { name = "broken", upstream = "theirs-broken" },
]
`);
  hub = await Hub.start('--config', settings);
  ({ token } = await hub.person('anna', ['read', 'models']));
});

after(async () => {
  await hub?.stop();
  server?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

test('the client for Node', async () => {
  const { default: OpenAI } = await library('openai');
  const client = new OpenAI({ apiKey: token, baseURL: `${hub.url}/openai/v1`, maxRetries: 0 });
  const messages = [{ role: 'user', content: 'hello' }];
  const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }];

  const models = await client.models.list();
  assert.deepEqual(models.data.map((model) => model.id), ['small', 'broken']);
  assert.equal((await client.models.retrieve('small')).owned_by, 'scripted');

  const answer = await client.chat.completions.create({ model: 'small', messages, x_own: 'Ada' });
  assert.equal(answer.choices[0].message.content, 'Hello, Ada');
  assert.equal(answer.usage.total_tokens, 17);
  assert.ok(answer._request_id);

  const called = await client.chat.completions.create({ model: 'small', messages, tools });
  assert.deepEqual(JSON.parse(called.choices[0].message.tool_calls[0].function.arguments), { city: 'Paris' });

  let text = '';
  for await (const chunk of await client.chat.completions.create({ model: 'small', messages, stream: true })) {
    assert.equal(chunk.choices.length, 1, 'no chunk of use unless it was asked for');
    text += chunk.choices[0].delta.content ?? '';
  }
  assert.equal(text, 'Hello');
  const runner = client.chat.completions.stream({ model: 'small', messages, tools, stream_options: { include_usage: true } });
  const whole = await runner.finalChatCompletion();
  assert.equal(whole.choices[0].message.tool_calls[0].function.name, 'weather');
  assert.equal(whole.usage.total_tokens, 17);

  await assert.rejects(client.chat.completions.create({ model: 'none', messages }), (error) =>
    error instanceof OpenAI.NotFoundError && error.code === 'model_not_found' && error.param === 'model');
  await assert.rejects(client.chat.completions.create({ model: 'broken', messages }), (error) =>
    error instanceof OpenAI.InternalServerError && error.status === 502 && error.code === 'upstream_failed');
  const stranger = new OpenAI({ apiKey: 'wrong', baseURL: `${hub.url}/openai/v1`, maxRetries: 0 });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
});

test('the client for Python', { skip: !python }, async () => {
  const script = join(here, 'openai_client.py');
  const { stdout } = await promisify(execFile)(python, [script, `${hub.url}/openai/v1`, token], { env: { PATH: process.env.PATH, HOME: folder } });
  assert.deepEqual(JSON.parse(stdout), {
    models: ['small', 'broken'],
    text: 'Hello, Ada',
    tokens: 17,
    request: true,
    arguments: { city: 'Paris' },
    streamed: 'Hello',
    stream_tokens: 17,
    missing: ['NotFoundError', 404, 'model_not_found'],
    broken: ['InternalServerError', 502, 'upstream_failed'],
    stranger: ['AuthenticationError', 401, 'unauthenticated'],
  });
});

test('what both used is counted, and a spent budget is no reason to try again', async () => {
  const used = await hub.json('/api/kontor/v1/usage?by=model,person&model=small', { token: hub.admin });
  assert.equal(used.items.length, 1);
  assert.equal(used.items[0].person, 'anna');
  assert.equal(used.items[0].prompt_tokens, 12 * used.items[0].calls);
  await hub.post('/api/kontor/v1/budgets/person:anna', { limit: '0', currency: 'USD' }, { method: 'PUT' });
  const { default: OpenAI } = await library('openai');
  let asked = 0;
  const counting = (...request) => {
    asked += 1;
    return fetch(...request);
  };
  const client = new OpenAI({ apiKey: token, baseURL: `${hub.url}/openai/v1`, fetch: counting });
  await assert.rejects(client.chat.completions.create({ model: 'small', messages: [{ role: 'user', content: 'x' }] }), (error) =>
    error.status === 402 && error.code === 'budget_spent');
  assert.equal(asked, 1);
});
