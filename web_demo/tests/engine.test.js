import assert from 'node:assert/strict';
import test from 'node:test';
import { anchors, decodeBoxes } from '../core/blazeface.js';
import { Pyramid } from '../core/warp.js';
import { generatorOf } from '../engine/bundle.js';
import { fromUserAgent } from '../engine/device.js';
import { check, expectNear, judge } from '../engine/golden.js';
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

test('browsers that also name another are named by their own name', () => {
  const webkit = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
  const blink = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0';
  const iphone = `Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) ${webkit}`;
  const phone = `Mozilla/5.0 (Linux; Android 15; K) ${blink} Mobile Safari/537.36`;
  const desktop = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${blink} Safari/537.36`;
  for (const [text, browser] of [
    [`${desktop} Edg/140.0.3485.54`, 'Edge 140.0.3485.54'],
    [`${phone} EdgA/140.0.3485.71`, 'Edge 140.0.3485.71'],
    [`${iphone} Version/18.0 EdgiOS/140.0 Mobile/15E148 Safari/605.1.15`, 'Edge 140.0'],
    [`${iphone} CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1`, 'CriOS 140.0.7339.39'],
    [`${iphone} FxiOS/143.0 Mobile/15E148 Safari/605.1.15`, 'FxiOS 143.0'],
    [desktop, 'Chrome 140.0.0.0'],
  ]) {
    assert.equal(fromUserAgent(text).browser, browser);
  }
});

/**
 * A generator whose pictures are as far from the golden ones as `psnrs` say, and these.
 *
 * @param {number[]} psnrs in dB
 */
function golden(psnrs) {
  const samples = psnrs.map(() => ({
    target: new Uint8Array(12),
    embedding: new Float32Array(2),
    image: new Float32Array(12),
    target_embedding: null,
  }));
  const answer = (/** @type {Uint8Array} */ asked) => {
    const psnr = psnrs[samples.findIndex(({ target }) => target === asked)];
    return new Float32Array(12).fill(10 ** (-psnr / 20));
  };
  const swapper = /** @type {any} */ ({ spec: { outputs: [FLOAT] }, generate: answer });
  return { swapper, samples };
}

test('the self-test holds the worst sample against the bar of the export', async () => {
  const cases = /** @type {const} */ ([
    ['int8', [30.5, 36, 40], true],
    ['int8', [29.5, 45, 45], false],
    ['fp32', [60.5, 61], true],
    ['fp32', [59.5, 90], false],
  ]);
  for (const [precision, psnrs, passed] of cases) {
    const { swapper, samples } = golden([...psnrs]);
    const result = judge(await check(swapper, samples), precision, 'wasm');
    assert.equal(result.passed, passed, `${precision}: ${psnrs}`);
    const bar = precision === 'fp32' ? '60 dB' : '30 dB';
    assert.equal(result.text.includes(`expected at least ${bar}`), !passed, result.text);
  }
});

test('a single sample, as on WebGPU, is held against the same bar', async () => {
  for (const [precision, psnr, passes] of /** @type {const} */ ([
    ['int8', 30.5, true],
    ['int8', 29.5, false],
    ['fp32', 59.5, false],
  ])) {
    const { swapper, samples } = golden([psnr]);
    const compared = expectNear(swapper, samples[0], precision);
    if (passes) await compared;
    else await assert.rejects(compared, { code: 'runtime', message: /expected at least \d+ dB/ });
  }
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
