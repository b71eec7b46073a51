import { EngineError } from './errors.js';
import { Opened } from './opened.js';

const CALLS = /** @type {const} */ ([
  'selfTest', 'embed', 'embeddingFromFile', 'swapPhoto', 'swapFrame', 'resetTracking', 'measure',
]); // prettier-ignore

/** Answers the page's calls by name. */
export class Session {
  /** @type {Opened | null} */
  #opened = null;

  /**
   * @param {string} method
   * @param {any[]} given
   * @param {(progress: any) => void} tell
   * @returns {Promise<any>}
   * @throws {EngineError}
   */
  async call(method, given, tell) {
    if (method === 'open') {
      this.#opened = await Opened.load(given[0], tell);
      return this.#opened.facts;
    }
    const name = CALLS.find((call) => call === method);
    if (!this.#opened || !name) {
      throw new EngineError(
        'runtime',
        `The worker does not know '${method}'. Load the page again.`,
      );
    }
    /** @type {any} */
    const opened = this.#opened;
    return opened[name](...given, tell);
  }
}
