// Reads a ZIP archive of stored or deflated files, for looking into what the hub sends.
import assert from 'node:assert/strict';
import { inflateRawSync } from 'node:zlib';

/** Path → bytes of every file in the archive. */
export function unzip(archive) {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  assert.ok(end >= 0, 'no end of a ZIP archive');
  const files = {};
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    assert.equal(archive.readUInt32LE(at), 0x02014b50, 'a broken directory');
    const [method, packed] = [archive.readUInt16LE(at + 10), archive.readUInt32LE(at + 20)];
    const [name, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
    const local = archive.readUInt32LE(at + 42);
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const bytes = archive.subarray(start, start + packed);
    files[archive.toString('utf8', at + 46, at + 46 + name)] = method === 0 ? bytes : inflateRawSync(bytes);
    at += 46 + name + extra + comment;
  }
  return files;
}
