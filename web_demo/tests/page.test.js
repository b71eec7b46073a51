import assert from 'node:assert/strict';
import test from 'node:test';
import { PageError, wordsOf } from '../page/faults.js';
import { kindOf, sizeOf } from '../page/filekinds.js';
import { badgeHeight, xmpPacket } from '../page/label.js';
import { linesOf, requestOf } from '../page/measuring.js';
import { crc32, jpegWithXmp, pngWithXmp } from '../page/metadata.js';
import { Session } from '../page/session.js';
import { Engine } from './fake-engine.js';

const bytes = (/** @type {string} */ text) => Uint8Array.from(Buffer.from(text, 'latin1'));
const PNG = bytes('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x2e\xe0\0\0\x01\x02\x08\x02\0\0\0CRC!restof');
const JFIF = bytes('\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\x01\x02\x2e\xe0rest');

test('a file’s kind is told by its content', () => {
  const cases = {
    '': 'empty',
    'hello, world': 'text',
    '\0\x01\x02': 'unknown',
    '\xff\xd8\xff': 'jpeg',
    '\0\0\0\x18ftypheic': 'heif',
    '\0\0\0\x18ftypavif': 'avif',
    '\0\0\0\x18ftypisom': 'film',
    '\x1a\x45\xdf\xa3': 'film',
    'RIFF\0\0\0\0AVI ': 'film',
    'RIFF\0\0\0\0WEBPVP8 ': 'webp',
    GIF89a: 'gif',
    '\x93NUMPY': 'npy',
  };
  for (const [head, kind] of Object.entries(cases)) assert.equal(kindOf(bytes(head)), kind);
  assert.equal(kindOf(PNG), 'png');
});

test('width and height are read from headers, and never guessed', () => {
  assert.deepEqual(sizeOf(PNG), { width: 12000, height: 258 });
  assert.deepEqual(sizeOf(JFIF), { width: 12000, height: 258 });
  const vp8x = bytes('RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\xdf\x2e\0\x01\x01\0');
  assert.deepEqual(sizeOf(vp8x), { width: 12000, height: 258 });
  assert.deepEqual(sizeOf(bytes('GIF89a\xe0\x2e\x02\x01')), { width: 12000, height: 258 });
  for (const whole of [PNG, JFIF, vp8x]) {
    for (let end = 0; end < 18; end++) sizeOf(whole.slice(0, end)); // must not throw
  }
  assert.equal(sizeOf(JFIF.slice(0, 12)), null);
  assert.equal(sizeOf(bytes('hello')), null);
});

test('PNG: the packet goes into an iTXt chunk behind the header, the rest stays', () => {
  const made = pngWithXmp(PNG, bytes('<x/>'));
  assert.deepEqual(made.slice(0, 33), PNG.slice(0, 33));
  assert.deepEqual(made.slice(-6), PNG.slice(-6));
  const chunk = made.slice(33, -6);
  const view = new DataView(chunk.buffer);
  assert.equal(view.getUint32(0), chunk.length - 12);
  assert.equal(Buffer.from(chunk.slice(4, -4)).toString(), 'iTXtXML:com.adobe.xmp\0\0\0\0\0<x/>');
  assert.equal(view.getUint32(chunk.length - 4), crc32(chunk.slice(4, -4)));
  assert.throws(() => pngWithXmp(JFIF, bytes('')), /no PNG/);
});

test('CRC-32 is that of the PNG specification', () => {
  assert.equal(crc32(bytes('IEND')), 0xae426082);
});

test('JPEG: the packet goes into an APP1 segment behind JFIF, the rest stays', () => {
  const made = jpegWithXmp(JFIF, bytes('<x/>'));
  assert.deepEqual(made.slice(0, 8), JFIF.slice(0, 8));
  assert.equal(
    Buffer.from(made.slice(8, -JFIF.length + 8)).toString('latin1'),
    '\xff\xe1\0\x23http://ns.adobe.com/xap/1.0/\0<x/>',
  );
  assert.deepEqual(made.slice(-JFIF.length + 8), JFIF.slice(8));
  assert.throws(() => jpegWithXmp(PNG, bytes('')), /no JPEG/);
  assert.throws(() => jpegWithXmp(JFIF, new Uint8Array(65_600)), /65,504/);
});

test('the packet states IPTC’s digital source type', () => {
  assert.match(new TextDecoder().decode(xmpPacket()), /compositeWithTrainedAlgorithmicMedia</);
});

test('the badge can be read in small pictures, and grows with large ones', () => {
  assert.equal(badgeHeight(100, 100), 14);
  assert.equal(badgeHeight(2000, 1000), 35);
});

test('errors say what to do; those that nobody foresaw say so', () => {
  assert.match(wordsOf(new PageError('too-many-pixels', '9')), /has 9 pixels.*smaller/);
  const known = Object.assign(new Error('The picture shows no face'), { code: 'no-face' });
  assert.equal(wordsOf(known), 'The picture shows no face.');
  assert.match(wordsOf(new TypeError('x is undefined')), /should not.*x is undefined\./);
});

test('the link of --device web is read, and nonsense in it is passed over', () => {
  const { token, runs, options } = requestOf(
    '?measure=ab-c&runs=7&warmup=2&threads=3&precisions=int8',
  );
  assert.deepEqual([token, runs], ['ab-c', 7]);
  assert.deepEqual(options, { precisions: ['int8'], threads: 3, warmup: 2 });
  const nonsense = requestOf('?runs=-1&threads=x&warmup=1e9&precisions=fp64,');
  assert.deepEqual(nonsense, { token: '', runs: null, options: {} });
});

test('the page states the self-test’s result with its bar', async () => {
  const session = new Session(/** @type {any} */ (Engine), 'bundle/');
  const settings = /** @type {const} */ ({ runtime: 'wasm', threads: 1 });
  const int8 = await session.open({ ...settings, precision: 'int8' }, () => {});
  assert.match(int8.words, /38\.2 dB on wasm, the bar is 30 dB: passed/);
  const fp32 = await session.open({ ...settings, precision: 'fp32' }, () => {});
  assert.match(fp32.words, /137\.1 dB on wasm, the bar is 60 dB: passed/);
});

test('rows are JSON lines', () => {
  assert.equal(linesOf(/** @type {any} */ ([{ a: 1 }, { a: 2 }])), '{"a":1}\n{"a":2}\n');
});
