// The model and the merchants that come with the program, for errands that go as far as their question.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary } from '../clients/hub.mjs';

/** A `kontor demo` that goes on until it is stopped. */
class Going {
  /** Starts one and waits for what it says first: one JSON document. */
  static async start(args, env = {}) {
    const child = spawn(binary(), ['demo', ...args, '--port', '0', '--json'], {
      env: { PATH: process.env.PATH, HOME: tmpdir(), ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      text += chunk;
      try {
        return Object.assign(new Going(), { child, said: JSON.parse(text) });
      } catch {
        // The rest of the document is on its way.
      }
    }
    return assert.fail(`kontor demo ${args[0]} ended: ${text}`);
  }

  stop() {
    this.child.kill('SIGTERM');
  }
}

/** The model, and a configuration of the hub that names it. */
export async function model() {
  const going = await Going.start(['model']);
  const { url, model: name } = going.said;
  const folder = await mkdtemp(join(tmpdir(), 'kontor-browser-'));
  const config = join(folder, 'kontor.toml');
  const provider = `[[provider]]\nname = "demo"\nurl = "${url}"\nmodels = ["${name}"]\n`;
  await writeFile(config, `[outbound]\nallow = ["127.0.0.1/32"]\n${provider}`);
  const stop = () => (going.stop(), rm(folder, { recursive: true, force: true }));
  return { config, stop };
}

/** The merchants, made known to the hub. */
export function merchants(hub) {
  return Going.start(['merchants', '--register'], { KONTOR_REGISTRY: hub.url, KONTOR_TOKEN: hub.admin });
}
