// One real hub for a suite: the built binary on loopback with a data folder of its own.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const ADMIN_TOKEN = 'kontor-client-suite-administrator-0123456789abcdef';

/** The binary under test: KONTOR_BIN, else what the profile `ci` built. */
export function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? join(repository, 'target');
  const path = process.env.KONTOR_BIN ?? join(target, 'ci', 'kontor');
  assert.ok(existsSync(path), `no hub to test at ${path}: build it with \`cargo build --profile ci\` or set KONTOR_BIN`);
  return path;
}

/** A port that is free now; the public address must be known before the hub starts. */
function freePort() {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** A database of its own on the Postgres that KONTOR_TEST_POSTGRES names; nothing when the suite runs on SQLite. */
class Database {
  static async create() {
    const server = process.env.KONTOR_TEST_POSTGRES;
    if (!server) return undefined;
    const database = new Database();
    Object.assign(database, { server, name: `kontor_clients_${randomBytes(8).toString('hex')}` });
    await database.#run(`create database ${database.name}`);
    return database;
  }

  #run(sql) {
    return promisify(execFile)('psql', ['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--command', sql, this.server]);
  }

  /** Its address; the server's names another database as its path. */
  get address() {
    return this.server.replace(/^(\w+:\/\/[^/?]*)\/?[^?]*/, `$1/${this.name}`);
  }

  drop() {
    return this.#run(`drop database ${this.name} with (force)`);
  }
}

/** A running hub; `stop` ends it and removes its data. */
export class Hub {
  constructor(url, child, data, output, database) {
    Object.assign(this, { url, child, data, output, database, admin: ADMIN_TOKEN, binary: binary() });
  }

  /** Starts an empty hub and waits until it answers. */
  static start(...extra) {
    return Hub.startWithStarters('--no-starter', ...extra);
  }

  /** Starts a hub with the starter skills and waits until it answers. */
  static async startWithStarters(...extra) {
    const data = await mkdtemp(join(tmpdir(), 'kontor-clients-'));
    const database = await Database.create();
    const url = `http://127.0.0.1:${await freePort()}`;
    const args = ['up', '--data', join(data, 'data'), '--listen', url.slice('http://'.length), '--public-url', url];
    if (database) args.push('--database', database.address);
    const child = spawn(binary(), [...args, ...extra], {
      env: { PATH: process.env.PATH, HOME: data, KONTOR_ADMIN_TOKEN: ADMIN_TOKEN },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    const hub = new Hub(url, child, data, output, database);
    await hub.#ready();
    return hub;
  }

  async #ready() {
    for (const until = Date.now() + 60_000; Date.now() < until; await pause(25)) {
      assert.equal(this.child.exitCode, null, `the hub ended:\n${Buffer.concat(this.output)}`);
      const answer = await fetch(`${this.url}/healthz`).catch(() => undefined);
      if (answer?.ok) return;
    }
    assert.fail(`the hub did not answer within a minute:\n${Buffer.concat(this.output)}`);
  }

  /** Stops the hub and waits for it. */
  async stop() {
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.kill('SIGTERM');
    await Promise.race([ended, pause(10_000).then(() => this.child.kill('SIGKILL'))]);
    await this.database?.drop();
    await rm(this.data, { recursive: true, force: true });
  }

  /** A request to the hub; `token` is optional. */
  async fetch(path, { token, headers = {}, ...init } = {}) {
    const authorization = token ? { authorization: `Bearer ${token}` } : {};
    return fetch(new URL(path, this.url), { redirect: 'manual', ...init, headers: { ...authorization, ...headers } });
  }

  /** The JSON answer of a request that must succeed. */
  async json(path, options = {}) {
    const answer = await this.fetch(path, options);
    const text = await answer.text();
    assert.ok(answer.ok, `${options.method ?? 'GET'} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** Sends JSON and returns the JSON answer. */
  async post(path, body, { token = this.admin, method = 'POST' } = {}) {
    const headers = { 'content-type': 'application/json' };
    return this.json(path, { method, token, headers, body: JSON.stringify(body ?? {}) });
  }

  /** Makes a person with a publisher of the same handle and returns their token. */
  async person(handle, scopes = ['read', 'publish', 'admin']) {
    await this.post('/api/kontor/v1/people', { handle });
    const made = await this.post(`/api/kontor/v1/people/${handle}/tokens`, { label: 'suite', scopes });
    return { handle, token: made.secret };
  }

  /** Publishes as older clients do, in one form: quickly, for what a test needs before it begins. */
  async publish({ token }, slug, files, { version = '1.0.0', changelog = '', tags = ['latest'], ...more } = {}) {
    const form = new FormData();
    const displayName = slug.split('-').map((word) => word[0].toUpperCase() + word.slice(1)).join(' ');
    form.set('payload', JSON.stringify({ slug, displayName, version, changelog, acceptLicenseTerms: true, tags, ...more }));
    for (const [path, text] of Object.entries(files)) form.append('files', new Blob([text], { type: 'text/markdown' }), path);
    const made = await this.json('/api/v1/skills', { method: 'POST', token, body: form });
    await this.decided();
    return made;
  }

  /** Waits until everything that was published is scanned and decided. */
  async decided() {
    await this.eventually(async () => {
      const { pending } = await this.json('/api/kontor/v1/assessments/waiting', { token: this.admin });
      assert.equal(pending, 0, 'versions wait to be decided');
    }, 60_000);
  }

  /** Puts one of the presets in force and waits until the catalogue is judged by it. */
  async policy(name, judged = async () => {}) {
    const text = await readFile(join(repository, 'crates', 'access', 'policies', `${name}.cedar`), 'utf8');
    const set = await this.post('/api/kontor/v1/policy', { name, text }, { method: 'PUT' });
    assert.equal(set.name, name);
    await this.eventually(judged, 60_000);
  }

  /** What the ClawHub surface says of a skill. */
  async skill(owner, slug, token) {
    return this.json(`/api/v1/skills/${slug}?ownerHandle=${owner}`, { token });
  }

  /** Asks until `check` passes: the search index follows the database within a second. */
  async eventually(check, milliseconds = 10_000) {
    for (const until = Date.now() + milliseconds; ; await pause(50)) {
      try {
        return await check();
      } catch (error) {
        if (Date.now() > until) throw error;
      }
    }
  }
}
