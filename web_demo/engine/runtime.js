/** @import { CompiledModel, Tensor as LiteRtTensor } from '../vendor/litert/core.js' */
/** @import { Runtime } from './engine.js' */
import { loadAndCompile, loadLiteRt, Tensor } from '../vendor/litert/core.js';
import { EngineError } from './errors.js';

const WASM = new URL('../vendor/litert/wasm/', import.meta.url).href;

/**
 * Start LiteRT.js in this worker, with threads where the page may have them. LiteRT.js with threads
 * cannot use WebGPU.
 *
 * @param {Runtime} runtime
 * @param {number} threads
 * @returns {Promise<{ threads: number, reason: string | null }>} how many it uses, and why fewer
 * @throws {EngineError} `runtime`
 */
export async function startRuntime(runtime, threads) {
  let reason = null;
  if (threads > 1 && runtime === 'webgpu') {
    reason = 'Beside WebGPU, LiteRT.js has one thread.';
  } else if (threads > 1 && !globalThis.crossOriginIsolated) {
    reason = 'The server does not send the headers that threads need (COOP and COEP).';
  } else if (threads > 1) {
    try {
      await load('litert_wasm_threaded_internal.js', { threads: true, runtime });
      return { threads, reason };
    } catch (error) {
      reason = `Threads do not start here (${wordsOf(error)}).`;
    }
  }
  try {
    await load('litert_wasm_internal.js', { threads: false, runtime });
  } catch (error) {
    throw new EngineError(
      'runtime',
      `LiteRT.js does not start (${wordsOf(error)}). Use a current browser, and \`node build.mjs\`.`,
    );
  }
  return { threads: 1, reason };
}

/** A model that LiteRT.js has compiled. */
export class LoadedModel {
  #compiled;
  #file;

  /**
   * @param {CompiledModel} compiled
   * @param {string} file for messages
   */
  constructor(compiled, file) {
    this.#compiled = compiled;
    this.#file = file;
    /** Shapes of the inputs by name, in the order of the file. */
    this.inputs = compiled
      .getInputDetails()
      .map(({ name, shape }) => ({ name, shape: [...shape] }));
    /** Whether the runtime that was asked for computes all of it. */
    this.complete = compiled.isFullyAccelerated;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} bytes of a .tflite file
   * @param {string} file its name
   * @param {{ runtime?: Runtime, threads: number }} options
   * @returns {Promise<LoadedModel>}
   * @throws {EngineError} `runtime`
   */
  static async compile(bytes, file, { runtime = 'wasm', threads }) {
    try {
      const compiled = await loadAndCompile(bytes, {
        accelerator: runtime,
        cpuOptions: { numThreads: threads },
        gpuOptions: { precision: 'fp32' },
      });
      return new LoadedModel(compiled, file);
    } catch (error) {
      throw new EngineError('runtime', `LiteRT.js does not load ${file} (${wordsOf(error)}).`);
    }
  }

  /**
   * @param {Record<string, Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>} given by name, of
   *   the inputs' shapes
   * @returns {Promise<Record<string, Float32Array | Uint8Array>>} the outputs, copied
   * @throws {EngineError} `runtime`
   */
  async run(given) {
    /** @type {LiteRtTensor[]} */
    const open = [];
    try {
      /** @type {Record<string, LiteRtTensor>} */
      const tensors = {};
      for (const { name, shape } of this.inputs) {
        tensors[name] = new Tensor(given[name], shape);
        open.push(tensors[name]);
      }
      const answer = await this.#compiled.run(tensors);
      open.push(...Object.values(answer));
      /** @type {Record<string, Float32Array | Uint8Array>} */
      const found = {};
      for (const [name, tensor] of Object.entries(answer)) {
        found[name] = /** @type {Float32Array | Uint8Array} */ (await tensor.data()).slice();
      }
      return found;
    } catch (error) {
      throw new EngineError('runtime', `LiteRT.js does not run ${this.#file} (${wordsOf(error)}).`);
    } finally {
      for (const tensor of open) if (!tensor.deleted) tensor.delete();
    }
  }

  /** Free its memory. */
  close() {
    this.#compiled.delete();
  }
}

/**
 * @param {string} script
 * @param {{ threads: boolean, runtime: Runtime }} options
 */
async function load(script, { threads, runtime }) {
  // Where a pthread's script and the .wasm file lie: without it they are looked for beside worker.js.
  /** @type {any} */ (globalThis).Module = {
    mainScriptUrlOrBlob: WASM + script,
    locateFile: (/** @type {string} */ file) => WASM + file,
  };
  const environment = runtime === 'wasm' ? { webGpuDevice: null } : {};
  await loadLiteRt(WASM, { threads, environment });
}

/** @param {unknown} error */
function wordsOf(error) {
  return error instanceof Error ? error.message : String(error);
}
