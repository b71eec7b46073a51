/** Keeps one engine open, and gives it one job at a time. */

/** @import { Engine, Facts, Progress, SelfTest } from '../engine/engine.js' */

/**
 * @typedef {object} EngineSettings
 * @property {'int8' | 'fp32'} precision
 * @property {'wasm' | 'webgpu'} runtime
 * @property {number} threads
 *
 * @typedef {object} Opened
 * @property {string} words what runs, and how its self-test went
 * @property {boolean} passed
 */

const STARTING = 'mobilefsgan.starting'; // stays in storage where the browser dies at a start

export class Session {
  #Engine;
  #bundleUrl;
  /** @type {Engine | null} */
  #engine = null;
  /** @type {unknown} */
  #fault = null;
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve();

  /**
   * @param {typeof Engine} EngineClass
   * @param {string} bundleUrl
   */
  constructor(EngineClass, bundleUrl) {
    this.#Engine = EngineClass;
    this.#bundleUrl = bundleUrl;
  }

  get facts() {
    return this.#engine?.facts ?? null;
  }

  /**
   * Open the engine anew. The engine itself takes wasm where WebGPU fails; here it is taken as well
   * where the browser died while WebGPU was started.
   *
   * @param {EngineSettings} settings
   * @param {(progress: Progress) => void} onProgress
   * @param {Promise<void>} [first] is waited for; jobs that come meanwhile wait as well
   * @returns {Promise<Opened>}
   */
  open(settings, onProgress, first = Promise.resolve()) {
    return this.#queued(async () => {
      await first;
      this.#engine?.close();
      this.#engine = null;
      try {
        return await this.#opened(settings, onProgress);
      } catch (error) {
        this.#fault = error;
        throw error;
      }
    });
  }

  /**
   * Run `task` when all earlier ones are done.
   *
   * @template T
   * @param {(engine: Engine) => Promise<T>} task
   * @returns {Promise<T>}
   */
  use(task) {
    return this.#queued(() => {
      if (!this.#engine) throw this.#fault;
      return task(this.#engine);
    });
  }

  /**
   * @template T
   * @param {() => Promise<T>} task
   * @returns {Promise<T>}
   */
  #queued(task) {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => {});
    return result;
  }

  /**
   * @param {EngineSettings} settings
   * @param {(progress: Progress) => void} onProgress
   * @returns {Promise<Opened>}
   */
  async #opened(settings, onProgress) {
    const died = settings.runtime !== 'wasm' && stored(STARTING) === settings.runtime;
    const runtime = died ? 'wasm' : settings.runtime;
    store(STARTING, runtime === 'wasm' ? null : runtime);
    try {
      const options = { bundleUrl: this.#bundleUrl, ...settings, runtime, onProgress };
      this.#engine = await this.#Engine.open(options);
      const test = await this.#engine.selfTest();
      return { words: wordsFor(this.#engine.facts, test, died), passed: test.passed };
    } finally {
      store(STARTING, null);
    }
  }
}

/**
 * @param {Facts} facts
 * @param {SelfTest} test
 * @param {boolean} died whether the browser stopped when WebGPU was started last time
 */
function wordsFor(facts, test, died) {
  const count = facts.threads_used === 1 ? '1 thread' : `${facts.threads_used} threads`;
  const verdict = test.passed ? 'passed' : 'MISSED: the results may be wrong';
  const bar = `the bar is ${test.bar_db} dB: ${verdict}`;
  return [
    died && 'The browser stopped when WebGPU was started last time, so it is not used now.',
    facts.precision_reason,
    facts.runtime_reason,
    facts.threads_reason,
    `${facts.precision} on ${facts.runtime_used}, ${count}; ${test.text}, ${bar}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

/**
 * @param {string} key
 * @returns {string | null} null also where storage is switched off
 */
export function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string | null} value null removes it
 */
export function store(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Storage is switched off: the page works, and forgets.
  }
}
