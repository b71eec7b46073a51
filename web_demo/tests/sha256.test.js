import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { sha256, sha256InScript } from '../engine/sha256.js';

test('SHA-256 without the browser’s help is that of others', async () => {
  const bytes = Uint8Array.from({ length: 100_003 }, (_, i) => (i * i * 31 + (i >> 5)) & 255);
  const lengths = [...Array(131).keys(), bytes.length];
  for (const length of lengths) {
    const part = bytes.subarray(3, 3 + length);
    const wanted = createHash('sha256').update(part).digest('hex');
    assert.equal(sha256InScript(part), wanted, `${length} bytes`);
    assert.equal(await sha256(part), wanted);
  }
});
