/** @import { ModelSpec } from '../core/manifest.js' */
/** @import { Precision, Runtime, SelfTest } from './engine.js' */
/** @import { Check } from './rows.js' */
/** @import { Swapper } from './swapper.js' */
import { EngineError } from './errors.js';
import { fetchBytes } from './files.js';
import { toUnit } from './tensors.js';

const MOST = 64; // samples; an export writes three

/**
 * A golden sample: an input with PyTorch's answer.
 *
 * @typedef {object} Sample
 * @property {Uint8Array} target aligned face, RGB
 * @property {Float32Array} embedding
 * @property {Float32Array} image the swapped face in 0..1
 * @property {Float32Array | null} target_embedding the identity of `target`
 */

/** Least PSNR of the worst sample against PyTorch, in dB, as in `export/proof/parity.py`. */
const BAR_DB = { fp32: 60, int8: 30 };
/** Least cosine of the identity encoder's answer with PyTorch's. */
const BAR_COSINE = 0.999;

/**
 * Read the golden samples of a bundle.
 *
 * @param {string} url of the bundle, with a slash at its end
 * @returns {Promise<Sample[]>} at least one
 * @throws {EngineError} `not-found` or `bad-manifest`
 */
export async function readGolden(url) {
  const text = new TextDecoder().decode(await fetchBytes(`${url}golden/index.json`));
  try {
    const { schema, samples } = JSON.parse(text);
    if (schema !== 1 || !samples.length) throw new RangeError(`schema ${schema}`);
    return await Promise.all(
      samples.slice(0, MOST).map((/** @type {any} */ sample) => readSample(url, sample)),
    );
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(
      'bad-manifest',
      'golden/ holds no readable samples. Export the bundle again, without --no-parity.',
    );
  }
}

/**
 * How near the loaded models come to PyTorch: the worst sample's figures, and the mean PSNR.
 *
 * @param {Swapper} swapper
 * @param {Sample[]} samples
 * @returns {Promise<Check>}
 * @throws {EngineError} `runtime`
 */
export async function check(swapper, samples) {
  /** @type {{ psnr: number, maxAbs: number }[]} */
  const scores = [];
  /** @type {number[]} */
  const cosines = [];
  for (const sample of samples) {
    const raw = await swapper.generate(sample.target, sample.embedding);
    scores.push(difference(toUnit(raw, swapper.spec.outputs[0]), sample.image));
    if (sample.target_embedding && swapper.canEmbed) {
      cosines.push(cosine(await swapper.embed(sample.target), sample.target_embedding));
    }
  }
  const psnrs = scores.map(({ psnr }) => psnr);
  return {
    psnr_db: Math.min(...psnrs),
    max_abs: Math.max(...scores.map(({ maxAbs }) => maxAbs)),
    identity_cosine: cosines.length ? Math.min(...cosines) : null,
    mean_psnr_db: psnrs.reduce((sum, psnr) => sum + psnr, 0) / psnrs.length,
  };
}

/**
 * Hold what `check` found against the bars.
 *
 * @param {Check} found
 * @param {Precision} precision of the generator
 * @param {Runtime} runtime
 * @returns {SelfTest}
 */
export function judge({ psnr_db, identity_cosine }, precision, runtime) {
  const bar_db = BAR_DB[precision];
  const psnr = psnr_db ?? 0;
  const near = psnr >= bar_db;
  const same = identity_cosine === null || identity_cosine >= BAR_COSINE;
  const text =
    `self-test ${psnr.toFixed(1)} dB on ${runtime}` +
    (near ? '' : `, expected at least ${bar_db} dB`) +
    (same ? '' : `; identity ${identity_cosine?.toFixed(4)}, expected at least ${BAR_COSINE}`);
  return { passed: near && same, psnr_db: psnr, bar_db, identity_cosine, runtime, text };
}

/**
 * Hold a single sample against the bar.
 *
 * @param {Swapper} swapper
 * @param {Sample} sample
 * @param {Precision} precision of the generator
 * @throws {EngineError} `runtime`
 */
export async function expectNear(swapper, sample, precision) {
  const { psnr_db } = await check(swapper, [{ ...sample, target_embedding: null }]);
  if ((psnr_db ?? 0) >= BAR_DB[precision]) return;
  const found = `a golden sample gives ${psnr_db?.toFixed(1)} dB`;
  throw new EngineError('runtime', `${found}; expected at least ${BAR_DB[precision]} dB.`);
}

/**
 * PSNR in dB with peak 1, at most 200; 0 where values are not finite.
 *
 * @param {Float32Array} found
 * @param {Float32Array} wanted
 */
function difference(found, wanted) {
  let [squares, maxAbs] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const away = Math.abs(found[i] - wanted[i]);
    squares += away * away;
    if (away > maxAbs) maxAbs = away;
  }
  if (found.length !== wanted.length || !Number.isFinite(squares)) return { psnr: 0, maxAbs: 1 };
  return { psnr: Math.min(10 * Math.log10(wanted.length / squares), 200), maxAbs };
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function cosine(a, b) {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < b.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return dot / Math.sqrt(aa * bb);
}

/**
 * @param {string} url
 * @param {any} sample
 * @returns {Promise<Sample>}
 */
async function readSample(url, sample) {
  const read = async (/** @type {any} */ entry, /** @type {string} */ dtype) => {
    const name = String(entry.file).replace(/^.*[/\\]/, '');
    const bytes = await fetchBytes(`${url}golden/${encodeURIComponent(name)}`);
    const size = entry.shape.reduce((/** @type {number} */ n, /** @type {number} */ m) => n * m, 1);
    if (entry.dtype !== dtype || bytes.length !== size * (dtype === 'uint8' ? 1 : 4)) {
      throw new RangeError(name);
    }
    return dtype === 'uint8' ? bytes : new Float32Array(bytes.buffer);
  };
  return {
    target: /** @type {Uint8Array} */ (await read(sample.target, 'uint8')),
    embedding: /** @type {Float32Array} */ (await read(sample.embedding, 'float32')),
    image: /** @type {Float32Array} */ (await read(sample.image, 'float32')),
    target_embedding: sample.target_embedding
      ? /** @type {Float32Array} */ (await read(sample.target_embedding, 'float32'))
      : null,
  };
}
