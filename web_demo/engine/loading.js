/** @import { Facts, OpenOptions, Precision, Progress, Runtime } from './engine.js' */
/** @import { Bundle } from './bundle.js' */
/** @import { ModelSpec } from '../core/manifest.js' */
/** @import { Opened } from './swapper.js' */
import { encoderOf, generatorOf, generators, loadFiles, readBundle } from './bundle.js';
import { Detector } from './detector.js';
import { BlazeFace, FaceMesh } from './facemodels.js';
import { BAR_DB, check, readGolden } from './golden.js';
import { LoadedModel, startRuntime } from './runtime.js';
import { Swapper } from './swapper.js';

/** @typedef {Required<Omit<OpenOptions, 'onProgress'>>} Options */

/**
 * Load and compile the models of a bundle.
 *
 * @param {Options} options
 * @param {(progress: Progress) => void} tell
 */
export async function load(options, tell) {
  const bundle = await readBundle(options.bundleUrl);
  const spec = generatorOf(bundle.manifest, options.precision);
  const encoderSpec = encoderOf(bundle.manifest);
  const files = await loadFiles(bundle.url, filesOf(bundle, spec, encoderSpec), tell);
  const { threads, reason } = await startRuntime(options.threads);
  const compile = (/** @type {string} */ name, /** @type {Runtime} */ runtime = 'wasm') =>
    LoadedModel.compile(files[name], name, { runtime, threads });
  const detector = new Detector(
    new BlazeFace(await compile('near')),
    new BlazeFace(await compile('far')),
    new FaceMesh(await compile('mesh')),
  );
  const encoder = encoderSpec && { model: await compile('encoder'), spec: encoderSpec };
  const compiled = performance.now();
  const open = async (/** @type {Runtime} */ runtime) => {
    const generator = { model: await compile('generator', runtime), spec };
    return new Swapper(bundle.manifest, generator, encoder ?? null);
  };
  const { swapper, runtime, why } = await generatorOn(options, bundle, open);
  const load_ms = performance.now() - compiled;
  /** @type {Facts} */
  const facts = {
    name: bundle.manifest.name,
    notice: bundle.manifest.notice,
    precision: options.precision,
    model: {
      name: spec.model, file: spec.file, sha256: spec.sha256, format: spec.format,
      precision: spec.precision, bytes: spec.bytes,
    }, // prettier-ignore
    runtime_requested: options.runtime,
    runtime_used: runtime,
    runtime_reason: why,
    threads_requested: options.threads,
    threads_used: threads,
    threads_reason: reason,
    generators: generators(bundle.manifest)
      .filter(({ precision }) => precision === options.precision)
      .map(({ file }) => file),
    precisions: precisionsOf(bundle),
    size: swapper.size,
  };
  return { bundle, swapper, detector, facts, load_ms };
}

/**
 * The generator on the runtime that was asked for, or on wasm with the reason why.
 *
 * @param {Options} options
 * @param {Bundle} bundle
 * @param {(runtime: Runtime) => Promise<Swapper>} open
 * @returns {Promise<{ swapper: Swapper, runtime: Runtime, why: string | null }>}
 */
async function generatorOn({ runtime, precision }, bundle, open) {
  if (runtime === 'wasm') return { swapper: await open('wasm'), runtime, why: null };
  let why;
  try {
    const swapper = await open('webgpu');
    why = await whyNot(swapper, bundle, BAR_DB[precision]);
    if (!why) return { swapper, runtime, why: null };
    swapper.close();
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  return { swapper: await open('wasm'), runtime: 'wasm', why: `WebGPU is not used: ${why}` };
}

/**
 * Why the generator must not be used on WebGPU: some browsers compute something else there.
 *
 * @param {Swapper} swapper
 * @param {Bundle} bundle
 * @param {number} barDb
 * @returns {Promise<string | null>}
 */
async function whyNot(swapper, bundle, barDb) {
  if (!swapper.complete) return 'it does not compute all of the model.';
  const [first] = await readGolden(bundle.url);
  const { psnr_db } = await check(swapper, [{ ...first, target_embedding: null }]);
  if ((psnr_db ?? 0) >= barDb) return null;
  return `a golden sample gives ${psnr_db?.toFixed(1)} dB; expected at least ${barDb} dB.`;
}

/**
 * @param {Bundle} bundle
 * @param {ModelSpec} generator
 * @param {ModelSpec | undefined} encoder
 */
function filesOf({ detectors }, generator, encoder) {
  /** @type {Record<string, { file: string, bytes: number, sha256: string }>} */
  const files = { generator };
  if (encoder) files.encoder = encoder;
  for (const listed of detectors) {
    files[listed.name] = { ...listed, file: `detectors/${listed.file}` };
  }
  return files;
}

/**
 * @param {Bundle} bundle
 * @returns {Precision[]}
 */
function precisionsOf({ manifest }) {
  const there = generators(manifest).map(({ precision }) => precision);
  return /** @type {Precision[]} */ (['int8', 'fp32']).filter((one) => there.includes(one));
}
