/** @import { ErrorCode } from './errors.js' */
import { EngineError } from './errors.js';

/** The worker, called like functions. */
export class Remote {
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void, onProgress?: (progress: any) => void }>} */
  #waiting = new Map();
  #next = 0;
  /** Why there will be no more answers. */
  #stopped = '';
  #worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#stop(`The worker stopped (${event.message || 'its script did not load'}).`);
    };
  }

  /**
   * @param {string} method of the worker's session
   * @param {unknown[]} given
   * @param {{ transfer?: Transferable[], onProgress?: (progress: any) => void }} [options]
   * @returns {Promise<any>}
   * @throws {EngineError}
   */
  call(method, given, { transfer = [], onProgress } = {}) {
    if (this.#stopped) return Promise.reject(new EngineError('runtime', this.#stopped));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress });
      this.#worker.postMessage({ id, method, given }, transfer);
    });
  }

  /** End the worker; calls that are under way fail. */
  close() {
    this.#stop('The engine was closed.');
  }

  /**
   * @param {{ id: number, progress?: unknown, result?: unknown, error?: { code: ErrorCode, message: string } }} answer
   */
  #receive({ id, progress, result, error }) {
    const call = this.#waiting.get(id);
    if (!call) return;
    if (progress) {
      call.onProgress?.(progress);
      return;
    }
    this.#waiting.delete(id);
    if (error) call.reject(new EngineError(error.code, error.message));
    else call.resolve(result);
  }

  /** @param {string} why */
  #stop(why) {
    this.#worker.terminate();
    this.#stopped ||= why;
    for (const { reject } of this.#waiting.values()) reject(new EngineError('runtime', why));
    this.#waiting.clear();
  }
}
