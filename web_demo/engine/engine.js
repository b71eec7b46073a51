/** @import { Row } from './rows.js' */
import { usualThreads } from './device.js';
import { EngineError } from './errors.js';
import { inRows } from './measuring.js';
import { Remote } from './remote.js';

export { EngineError };

/**
 * @typedef {'int8' | 'fp32'} Precision
 * @typedef {'wasm' | 'webgpu'} Runtime
 * @typedef {'largest' | 'all'} Which
 * @typedef {[number, number]} Point x and y in pixels, pixel centres at the integers
 *
 * @typedef {object} Progress
 * @property {number} loaded_bytes
 * @property {number} total_bytes of all files that are loaded
 * @property {string} what the file that is loaded
 *
 * @typedef {object} OpenOptions
 * @property {string} bundleUrl folder with `manifest.json`, the models, `golden/` and `detectors/`
 * @property {Precision} [precision] of the generator; int8 by default. Where the bundle lacks it,
 *   the other one is taken
 * @property {Runtime} [runtime] of the generator; wasm by default. WebGPU is taken only if it
 *   passes a golden sample, and wasm otherwise
 * @property {number} [threads] by default half of the cores, between 1 and 4
 * @property {(progress: Progress) => void} [onProgress]
 *
 * @typedef {object} Facts
 * @property {string} name of the bundle
 * @property {string} notice about the models' origin and licence
 * @property {Precision} precision
 * @property {string | null} precision_reason why it is another one than was asked for
 * @property {Row['model']} model the generator's file
 * @property {Runtime} runtime_requested
 * @property {Runtime} runtime_used
 * @property {string | null} runtime_reason why another runtime is used than the one asked for
 * @property {number} threads_requested
 * @property {number} threads_used
 * @property {string | null} threads_reason why fewer threads are used than asked for
 * @property {string[]} generators files of the bundle that have that precision
 * @property {Precision[]} precisions of the bundle's generators
 * @property {number} size edge of an aligned face in pixels
 *
 * @typedef {object} SelfTest
 * @property {boolean} passed
 * @property {number} psnr_db of the worst golden sample against PyTorch, peak 1
 * @property {number} bar_db least PSNR that passes
 * @property {number | null} identity_cosine of the worst sample; null where the bundle has none
 * @property {Runtime} runtime
 * @property {string} text the result in words, such as `self-test 137.6 dB on wasm`
 *
 * @typedef {object} FoundFace
 * @property {Point[]} points eyes, nose, mouth corners, left as seen in the upright face first
 * @property {number} score 0 to 1
 *
 * @typedef {{ detect: number, align: number, generate: number, blend: number, total: number }} Stages
 *
 * @typedef {object} Swapped
 * @property {ImageData} picture of the size of the given one; synthetic, label it as such
 * @property {FoundFace[]} faces largest first; of a frame also those that were not swapped
 * @property {Stages} stages_ms summed over the faces
 *
 * @typedef {object} MeasureOptions
 * @property {number} [runs] timed frames of each row; 10 by default
 * @property {number} [warmup] frames before; 2 by default
 * @property {Precision[]} [precisions] those of the bundle by default
 * @property {Runtime[]} [runtimes] wasm by default
 * @property {number} [threads]
 * @property {(progress: { done: number, total: number, what: string }) => void} [onProgress]
 *   frames of all rows
 * @property {AbortSignal} [signal] ends the measurement; it throws the signal's reason then
 */

/** The models of a bundle in a worker of their own. Calls are answered one after the other. */
export class Engine {
  /** @type {Remote} */
  #remote;
  /** @type {Required<Omit<OpenOptions, 'onProgress'>>} */
  #options;
  #frameUnderWay = false;
  #measuring = false;

  /**
   * @param {Remote} remote
   * @param {Required<Omit<OpenOptions, 'onProgress'>>} options
   * @param {Facts} facts
   */
  constructor(remote, options, facts) {
    this.#remote = remote;
    this.#options = options;
    this.facts = facts;
  }

  /**
   * Load a bundle. Every file's size and SHA-256 are checked.
   *
   * @param {OpenOptions} options
   * @returns {Promise<Engine>}
   * @throws {EngineError} `bad-manifest`, `bad-hash`, `not-found` or `runtime`
   */
  static async open({ onProgress, ...options }) {
    const complete = completed(options);
    if (complete.runtime === 'wasm') return Engine.#started(complete, onProgress);
    try {
      return await Engine.#started(complete, onProgress);
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'runtime') throw error;
      const engine = await Engine.#started({ ...complete, runtime: 'wasm' }, onProgress);
      const runtime_reason = `WebGPU is not used: ${error.message}`;
      engine.facts = { ...engine.facts, runtime_requested: complete.runtime, runtime_reason };
      return engine;
    }
  }

  /**
   * @param {Required<Omit<OpenOptions, 'onProgress'>>} options
   * @param {OpenOptions['onProgress']} onProgress
   */
  static async #started(options, onProgress) {
    const remote = new Remote();
    try {
      const facts = await remote.call('open', [options], { onProgress });
      return new Engine(remote, options, facts);
    } catch (error) {
      remote.close();
      throw error;
    }
  }

  /**
   * Replay the bundle's golden samples and compare with PyTorch's answers: at least 60 dB for fp32,
   * 30 dB for int8, and a cosine of 0.999 for the identity encoder.
   *
   * @returns {Promise<SelfTest>}
   */
  selfTest() {
    return this.#call('selfTest', []);
  }

  /**
   * The identity of the largest face of a picture.
   *
   * @param {ImageBitmap | ImageData} picture stays usable
   * @returns {Promise<Float32Array>} 512 values of unit norm
   * @throws {EngineError} `no-face` or `bad-picture`
   */
  embed(picture) {
    return this.#call('embed', [picture]);
  }

  /**
   * An identity from an `.npy` file, as `python -m pipeline --save-identity` writes it.
   *
   * @param {ArrayBuffer} file
   * @returns {Promise<Float32Array>} 512 values of unit norm
   * @throws {EngineError} `bad-picture`
   */
  embeddingFromFile(file) {
    return this.#call('embeddingFromFile', [file]);
  }

  /**
   * A picture with the identity on its faces. Pixels outside of the faces keep their values.
   *
   * @param {ImageBitmap | ImageData} picture stays usable
   * @param {{ embedding: Float32Array, faces?: Which }} options
   * @returns {Promise<Swapped>}
   * @throws {EngineError} `no-face`, `bad-picture` or `not-finite`
   */
  swapPhoto(picture, { embedding, faces = 'largest' }) {
    return this.#call('swapPhoto', [picture, embedding, faces]);
  }

  /**
   * The next frame of a film or a camera. Faces are followed from frame to frame and held still; a
   * frame without a face comes back as it was.
   *
   * @param {ImageBitmap} frame is taken over: it cannot be used afterwards
   * @param {number} timestampMs when it is shown
   * @param {{ embedding: Float32Array, faces?: Which }} options
   * @returns {Promise<Swapped | null>} null, and the frame is dropped, while another one is under way
   * @throws {EngineError} `not-finite` or `bad-picture`
   */
  async swapFrame(frame, timestampMs, { embedding, faces = 'largest' }) {
    if (this.#frameUnderWay || this.#measuring) {
      frame.close();
      return null;
    }
    this.#frameUnderWay = true;
    try {
      const given = [frame, timestampMs, embedding, faces];
      return await this.#remote.call('swapFrame', given, { transfer: [frame] });
    } finally {
      this.#frameUnderWay = false;
    }
  }

  /**
   * Forget the faces of the last film.
   *
   * @returns {Promise<void>}
   */
  resetTracking() {
    return this.#call('resetTracking', []);
  }

  /**
   * Time whole swaps of a frame with one face, a result row for each runtime and precision. Each row
   * is measured in a worker of its own; this engine refuses other calls meanwhile.
   *
   * @param {MeasureOptions} [options]
   * @returns {Promise<Row[]>} a row that failed has no stages and a `reason`
   * @throws {EngineError} `busy`
   */
  async measure(options = {}) {
    this.#refuseWhileMeasuring();
    this.#measuring = true;
    try {
      return await inRows(this.#options, this.facts, options);
    } finally {
      this.#measuring = false;
    }
  }

  /** End the worker. Calls that are under way fail. */
  close() {
    this.#remote.close();
  }

  /**
   * @param {string} method
   * @param {unknown[]} given
   */
  async #call(method, given) {
    this.#refuseWhileMeasuring();
    return this.#remote.call(method, given);
  }

  #refuseWhileMeasuring() {
    if (!this.#measuring) return;
    throw new EngineError('busy', 'The device is being measured. Wait for the result.');
  }
}

/**
 * Options with their defaults.
 *
 * @param {Omit<OpenOptions, 'onProgress'>} options
 */
function completed({ bundleUrl, precision = 'int8', runtime = 'wasm', threads }) {
  return {
    bundleUrl: new URL(bundleUrl.replace(/\/?$/, '/'), document.baseURI).href,
    precision,
    runtime,
    threads: threads ?? usualThreads(),
  };
}
