// Reads a ZIP archive of stored or deflated files, for looking into what the hub sends, and writes one of stored files.
import assert from 'node:assert/strict';
import { crc32, inflateRawSync } from 'node:zlib';

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

/** An archive of these files, as they are: names that a form would rewrite are kept. */
export function zip(files) {
  const [bodies, directory] = [[], []];
  let at = 0;
  for (const [path, text] of Object.entries(files)) {
    const [name, bytes] = [Buffer.from(path), Buffer.from(text)];
    const facts = Buffer.alloc(26);
    // Version 2.0, names in UTF-8, stored, at the first moment that the format knows.
    [20, 0x800, 0, 0, 0x21].forEach((value, index) => facts.writeUInt16LE(value, 2 * index));
    [crc32(bytes), bytes.length, bytes.length].forEach((value, index) => facts.writeUInt32LE(value, 10 + 4 * index));
    facts.writeUInt16LE(name.length, 22);
    bodies.push(Buffer.from('PK\x03\x04'), facts, name, bytes);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), facts, tail, name);
    at += 4 + facts.length + name.length + bytes.length;
  }
  const end = Buffer.alloc(18);
  const [count, length] = [Object.keys(files).length, Buffer.concat(directory).length];
  [0, 0, count, count].forEach((value, index) => end.writeUInt16LE(value, 2 * index));
  [length, at].forEach((value, index) => end.writeUInt32LE(value, 8 + 4 * index));
  return Buffer.concat([...bodies, ...directory, Buffer.from('PK\x05\x06'), end]);
}
