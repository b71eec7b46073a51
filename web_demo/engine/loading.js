/** @import { Facts, OpenOptions, Precision, Progress, Runtime } from './engine.js' */
/** @import { Bundle } from './bundle.js' */
/** @import { ModelSpec } from '../core/manifest.js' */
import { encoderOf, generatorOf, generators, loadFiles, readBundle } from './bundle.js';
import { Detector } from './detector.js';
import { EngineError } from './errors.js';
import { BlazeFace, FaceMesh } from './facemodels.js';
import { expectNear, readGolden } from './golden.js';
import { LoadedModel, startRuntime } from './runtime.js';
import { Swapper } from './swapper.js';

/** @typedef {Required<Omit<OpenOptions, 'onProgress'>>} Options */

/**
 * Load and compile the models of a bundle. On WebGPU a golden sample is compared first.
 *
 * @param {Options} options
 * @param {(progress: Progress) => void} tell
 * @throws {EngineError} `not-found`, `bad-manifest`, `bad-hash` or `runtime`
 */
export async function load(options, tell) {
  const bundle = await readBundle(options.bundleUrl);
  const { spec, reason: precision_reason } = generatorOf(bundle.manifest, options.precision);
  const precision = /** @type {Precision} */ (spec.precision);
  const encoderSpec = encoderOf(bundle.manifest);
  const files = await loadFiles(bundle.url, filesOf(bundle, spec, encoderSpec), tell);
  const { threads, reason } = await startRuntime(options.runtime, options.threads);
  const compile = (/** @type {string} */ name, /** @type {Runtime} */ runtime = 'wasm') =>
    LoadedModel.compile(files[name].bytes, files[name].file, { runtime, threads });
  const detector = new Detector(
    new BlazeFace(await compile('near')),
    new BlazeFace(await compile('far')),
    new FaceMesh(await compile('mesh')),
  );
  const encoder = encoderSpec ? { model: await compile('encoder'), spec: encoderSpec } : null;
  const start = performance.now();
  const generator = { model: await compile('generator', options.runtime), spec };
  const load_ms = performance.now() - start;
  const swapper = new Swapper(bundle.manifest, generator, encoder);
  if (options.runtime === 'webgpu') await expectRight(swapper, bundle, precision);
  /** @type {Facts} */
  const facts = {
    name: bundle.manifest.name,
    notice: bundle.manifest.notice,
    precision,
    precision_reason,
    model: {
      name: spec.model, file: spec.file, sha256: spec.sha256, format: spec.format,
      precision: spec.precision, bytes: spec.bytes,
    }, // prettier-ignore
    runtime_requested: options.runtime,
    runtime_used: options.runtime,
    runtime_reason: null,
    threads_requested: options.threads,
    threads_used: threads,
    threads_reason: reason,
    generators: generators(bundle.manifest)
      .filter((model) => model.precision === precision)
      .map(({ file }) => file),
    precisions: precisionsOf(bundle),
    size: swapper.size,
  };
  return { bundle, swapper, detector, facts, load_ms };
}

/**
 * Compare one golden sample: on WebGPU some browsers compute something else.
 *
 * @param {Swapper} swapper
 * @param {Bundle} bundle
 * @param {Precision} precision
 * @throws {EngineError} `runtime`
 */
async function expectRight(swapper, bundle, precision) {
  if (!swapper.complete) throw new EngineError('runtime', 'it does not compute all of the model.');
  const [first] = await readGolden(bundle.url);
  await expectNear(swapper, first, precision);
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
