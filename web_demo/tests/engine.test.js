import assert from 'node:assert/strict';
import test from 'node:test';
import { anchors, decodeBoxes } from '../core/blazeface.js';
import { Pyramid } from '../core/warp.js';
import { generatorOf } from '../engine/bundle.js';
import { fromUserAgent } from '../engine/device.js';
import { readEmbedding } from '../engine/npy.js';
import { toPicture, toTensor } from '../engine/tensors.js';
import { Tracker } from '../engine/tracking.js';
import { tiles } from '../engine/views.js';
import { points, vectors } from './vectors.js';

/**
 * An `.npy` file, version 1, as numpy writes it.
 *
 * @param {string} descr
 * @param {string} shape
 * @param {ArrayBufferView<ArrayBuffer>} values
 */
function npy(descr, shape, values) {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
  const start = Buffer.concat([
    Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0]),
    Buffer.from(`${header}\n`),
  ]);
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Uint8Array.from(Buffer.concat([start, bytes])).buffer;
}

test('an identity is read from floats of any size, and brought to unit norm', () => {
  const half = new Uint16Array([0x4200, 0x4400]); // 3, 4
  const files = [
    npy('<f4', '(2,)', new Float32Array([3, 4])),
    npy('<f8', '(1, 2)', new Float64Array([3, 4])),
    npy('<f2', '(2,)', half),
  ];
  for (const file of files) {
    const [x, y] = readEmbedding(file, 2);
    assert.ok(Math.abs(x - 0.6) < 1e-6 && Math.abs(y - 0.8) < 1e-6);
  }
});

test('other files are refused as identities', () => {
  const floats = new Float32Array([3, 4]);
  const files = [
    new ArrayBuffer(3),
    npy('<f4', '(3,)', floats),
    npy('<f4', '(2, 1)', floats),
    npy('<i4', '(2,)', new Int32Array(2)),
    npy('<f4', '(2,)', new Float32Array(1)),
    npy('<f4', '(2,)', new Float32Array(2)),
    npy('<f4', '(2,)', new Float32Array([NaN, 1])),
  ];
  for (const file of files) {
    assert.throws(() => readEmbedding(file, 2), { name: 'EngineError', code: 'bad-picture' });
  }
});

/** @type {any} */
const FLOAT = { name: 'image', layout: 'NHWC', dtype: 'float32', range: [0, 1] };

test('pictures become tensors and come back', () => {
  const levels = Uint8Array.from({ length: 256 }, (_, i) => i);
  const signed = { ...FLOAT, range: [-1, 1] };
  for (const spec of [FLOAT, signed, { ...FLOAT, dtype: 'uint8', range: [0, 255] }]) {
    assert.deepEqual(toPicture(toTensor(levels, spec), spec), levels);
  }
});

test('values that are not finite are refused', () => {
  for (const value of [NaN, Infinity]) {
    assert.throws(() => toPicture(new Float32Array([0, value]), FLOAT), { code: 'not-finite' });
  }
});

test('tiles cover the picture, none reaches beyond it', () => {
  for (const views of tiles({ width: 900, height: 500 }, 20)) {
    const side = 1 / views[0][0];
    const lefts = views.map((view) => 0.5 - view[2] * side);
    const tops = views.map((view) => 0.5 - view[5] * side);
    assert.ok(Math.abs(Math.min(...lefts)) < 1e-6 && Math.abs(Math.min(...tops)) < 1e-6);
    assert.ok(Math.abs(Math.max(...lefts) + side - Math.max(900, side)) < 1e-6);
    assert.ok(Math.abs(Math.max(...tops) + side - Math.max(500, side)) < 1e-6);
  }
});

/**
 * How many faces a tracker has in each of 12 frames, where one is seen in the first three.
 *
 * @param {number} fps
 */
async function tracked(fps) {
  const [{ mesh: file }] = vectors('portraits').cases;
  const face = { mesh: points(file), score: 1 };
  let seen = true;
  /** @type {any} */
  const detector = {
    find: async () => (seen ? [face] : []),
    glance: async () => (seen ? [face] : []),
    track: async () => (seen ? face : null),
  };
  const tracker = new Tracker(detector);
  const frame = new Pyramid({ data: new Uint8Array(64 * 36 * 3), width: 64, height: 36 });
  const counts = [];
  for (let i = 0; i < 12; i++) {
    seen = i < 3;
    counts.push((await tracker.step(frame, i / fps)).length);
  }
  return counts;
}

test('a face that is lost keeps its pose for five frames, or half a second', async () => {
  assert.deepEqual(await tracked(25), [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
  assert.deepEqual(await tracked(4), [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(await tracked(1), [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test('scores that are not numbers are no faces', () => {
  const boxes = new Float32Array(896 * 16).fill(NaN);
  const logits = new Float32Array(896).fill(NaN);
  assert.deepEqual(decodeBoxes(boxes, logits, anchors(128), [1, 0, 0, 0, 1, 0]), []);
});

test('browsers without client hints are named by their user agent', () => {
  const iphone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like ' +
    'Gecko) Version/18.2 Mobile/15E148 Safari/604.1';
  assert.deepEqual(fromUserAgent(iphone), { os: 'iOS 18.2', browser: 'Safari 18.2' });
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
  assert.deepEqual(fromUserAgent(firefox), { os: 'Linux', browser: 'Firefox 140.0' });
});

test('a bundle without the precision asked for runs in the other one, and says so', () => {
  const generator = (/** @type {string} */ precision) => ({
    model: 'generator', format: 'tflite', precision, inputs: [{}, {}],
  }); // prettier-ignore
  const manifest = (/** @type {string[]} */ ...precisions) =>
    /** @type {any} */ ({ models: precisions.map(generator) });
  const asked = generatorOf(manifest('fp32', 'int8'), 'int8');
  assert.deepEqual([asked.spec.precision, asked.reason], ['int8', null]);
  const other = generatorOf(manifest('fp32', 'fp16'), 'int8');
  assert.equal(other.spec.precision, 'fp32');
  assert.match(other.reason ?? '', /no TFLite generator in int8, so fp32 runs/);
  assert.throws(() => generatorOf(manifest('fp16'), 'int8'), { code: 'not-found' });
});
