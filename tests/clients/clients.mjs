// The real clients, each run in a home of its own.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const modules = process.env.KONTOR_CLIENTS
  ?? join(process.env.CARGO_TARGET_DIR ?? join(repository, 'target'), 'tools', 'clients', 'node_modules');

const CLIENTS = {
  clawhub: 'clawhub/bin/clawdhub.js',
  conformance: '@modelcontextprotocol/conformance/dist/index.js',
  inspector: '@modelcontextprotocol/inspector/clients/launcher/build/index.js',
  openclaw: 'openclaw/openclaw.mjs',
  skills: 'skills/bin/cli.mjs',
};

// The clients are run as they are. These settings of the engine only make their start cheaper: `clawhub` compiles the checks of
// its schemas anew each time unless code may not be made from strings, and all of them make garbage at first.
const ENGINE = ['--disallow-code-generation-from-strings', '--max-semi-space-size=64'];

const plain = (text) => text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replace(/\u001b\]8;[^\u0007\u001b]*(\u0007|\u001b\\)/g, '');

// They make the checks of schemas from strings and would be refused.
const MAKES_CODE = ['conformance', 'inspector'];

/** A library out of those that are installed. */
export function library(name) {
  return import(createRequire(join(modules, 'index.js')).resolve(name));
}

/** Where one person works: a home, a working folder and the settings of the clients in it. */
export class Desk {
  constructor(root, hub, token) {
    Object.assign(this, { root, hub, token, home: join(root, 'home'), work: join(root, 'work') });
  }

  /** A desk that knows the hub, signed in when a token is given. */
  static async open(hub, { token } = {}) {
    const root = await mkdtemp(join(tmpdir(), 'kontor-desk-'));
    const desk = new Desk(root, hub, token);
    await mkdir(join(desk.home, '.config', 'clawhub'), { recursive: true });
    await mkdir(desk.work, { recursive: true });
    if (token) await writeFile(desk.config, JSON.stringify({ registry: hub.url, token }));
    return desk;
  }

  get config() {
    return join(this.home, '.config', 'clawhub', 'config.json');
  }

  async close() {
    await rm(this.root, { recursive: true, force: true });
  }

  #environment(client) {
    const shared = {
      PATH: process.env.PATH,
      HOME: this.home,
      XDG_CONFIG_HOME: join(this.home, '.config'),
      TERM: 'dumb',
      NO_COLOR: '1',
      CI: '1',
    };
    switch (client) {
      case 'clawhub': return { ...shared, CLAWHUB_REGISTRY: this.hub.url, CLAWHUB_SITE: this.hub.url };
      case 'openclaw': return { ...shared, OPENCLAW_CLAWHUB_URL: this.hub.url };
      // Its telemetry goes to its maker's host, not to the registry; a test sends nothing there.
      default: return { ...shared, SKILLS_API_URL: this.hub.url, DISABLE_TELEMETRY: '1' };
    }
  }

  /** Runs a client to its end. `watch` sees everything printed so far, for clients that wait for something. */
  run(client, args, { env = {}, watch, cwd = this.work } = {}) {
    return new Promise((done, failed) => {
      const child = spawn(process.execPath, [...(MAKES_CODE.includes(client) ? [] : ENGINE), join(modules, CLIENTS[client]), ...args], {
        cwd,
        env: { ...this.#environment(client), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const deadline = setTimeout(() => child.kill('SIGKILL'), 120_000);
      let stdout = '';
      let text = '';
      const note = (chunk) => {
        text += chunk;
        watch?.(plain(text));
      };
      child.stdout.setEncoding('utf8').on('data', (chunk) => { stdout += chunk; note(chunk); });
      child.stderr.setEncoding('utf8').on('data', note);
      child.once('error', failed);
      child.once('close', (code) => {
        clearTimeout(deadline);
        done({ code, stdout: plain(stdout), text: plain(text), line: `${client} ${args.join(' ')}` });
      });
    });
  }

  /** Runs a client that must succeed. */
  async ok(client, ...args) {
    const options = typeof args.at(-1) === 'object' ? args.pop() : {};
    const result = await this.run(client, args, options);
    assert.equal(result.code, 0, `${result.line}\n${result.text}`);
    // What was published is there for others once it is decided.
    if (client === 'clawhub' && ['publish', 'sync'].includes(args[0])) await this.hub.decided();
    return result;
  }

  /** Runs a client that must fail, and say why in words that match. */
  async refused(why, client, ...args) {
    const result = await this.run(client, args);
    assert.notEqual(result.code, 0, `${result.line} should have failed\n${result.text}`);
    assert.match(result.text, why);
    return result;
  }

  /** Runs the command of the hub's own program, which must succeed. */
  async kontor(...args) {
    const env = { PATH: process.env.PATH, HOME: this.home, KONTOR_CONFIG_HOME: join(this.home, '.config', 'kontor') };
    return promisify(execFile)(this.hub.binary, args, { cwd: this.work, env });
  }

  clawhub(...args) {
    return this.ok('clawhub', ...args);
  }

  openclaw(...args) {
    return this.ok('openclaw', ...args);
  }

  skills(...args) {
    return this.ok('skills', ...args);
  }

  /** Writes files below the working folder. */
  async write(folder, files) {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.work, folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    return join(this.work, folder);
  }

  async read(...path) {
    return readFile(join(this.work, ...path), 'utf8');
  }

  async readJson(...path) {
    return JSON.parse(await this.read(...path));
  }

  /** The files below a folder, sorted, without what a client notes for itself. */
  async files(...path) {
    const folder = join(this.work, ...path);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).filter((name) => !name.startsWith('.clawhub/')).sort();
  }
}

/** The files of a small skill. */
export function skill(name, { description = `Does ${name} well. Use it when ${name} is wanted.`, body = '', ...files } = {}) {
  return { 'SKILL.md': `---\nname: ${name}\ndescription: ${description}\n---\n\n# ${name}\n\n${body}\n`, ...files };
}
