/** @import { Facts, MeasureOptions, OpenOptions, Precision, Runtime } from './engine.js' */
/** @import { Check, Row } from './rows.js' */
import { deviceFacts } from './device.js';
import { Remote } from './remote.js';
import { stagesOf } from './rows.js';

/**
 * What one worker measured.
 *
 * @typedef {object} Measured
 * @property {number} load_ms
 * @property {number} first_ms
 * @property {Record<string, number>[]} frames milliseconds by stage
 * @property {Check} check
 */

/**
 * Measure every precision on every runtime, each in a worker of its own: a runtime that crashes
 * costs one row.
 *
 * @param {Required<Omit<OpenOptions, 'onProgress'>>} options of the engine
 * @param {Facts} facts of the engine
 * @param {MeasureOptions} wanted
 * @returns {Promise<Row[]>}
 */
export async function inRows(options, facts, wanted) {
  const { runs = 10, warmup = 2, precisions = facts.precisions, runtimes = ['wasm'] } = wanted;
  const threads = wanted.threads ?? options.threads;
  const around = await surroundings();
  const pairs = runtimes.flatMap((runtime) =>
    precisions.map((precision) => /** @type {const} */ ([runtime, precision])),
  );
  const [each, rows] = [warmup + runs, /** @type {Row[]} */ ([])];
  for (const [runtime, precision] of pairs) {
    wanted.signal?.throwIfAborted();
    const what = `${runtime}-${precision}`;
    const before = rows.length * each;
    const tell = (/** @type {number} */ done) =>
      wanted.onProgress?.({ done: before + done, total: pairs.length * each, what });
    tell(0);
    const own = { ...options, runtime, precision, threads };
    rows.push({ ...(await rowOf(own, { runs, warmup }, tell, wanted.signal)), ...around });
  }
  wanted.signal?.throwIfAborted();
  return rows;
}

/**
 * One row, but for what is the same in all.
 *
 * @param {Required<Omit<OpenOptions, 'onProgress'>>} options
 * @param {{ runs: number, warmup: number }} counts
 * @param {(done: number) => void} tell
 * @param {AbortSignal} [signal]
 * @returns {Promise<Omit<Row, keyof Awaited<ReturnType<typeof surroundings>>>>}
 */
async function rowOf(options, counts, tell, signal) {
  const { runtime, precision, threads } = options;
  /** @type {Omit<Row, keyof Awaited<ReturnType<typeof surroundings>>>} */
  const row = {
    model: { name: 'generator', file: `generator-${precision}.tflite`, sha256: '', format: 'tflite', precision, bytes: 0 }, // prettier-ignore
    backend: { requested: runtime, used: 'none', threads },
    runs: { warmup: 0, n: 0 },
    how: 'measured',
    load_ms: null,
    first_ms: null,
    stages: {},
    check: null,
    reason: null,
    taken: new Date().toISOString(),
  };
  const remote = new Remote();
  signal?.addEventListener('abort', () => remote.close(), { once: true });
  try {
    /** @type {Facts} */
    const facts = await remote.call('open', [options]);
    row.model = facts.model;
    row.backend = {
      requested: runtime,
      used: facts.runtime_used,
      threads: facts.threads_used,
    };
    /** @type {Measured} */
    const measured = await remote.call('measure', [counts], { onProgress: tell });
    const { frames, ...rest } = measured;
    const runs = { warmup: counts.warmup, n: frames.length };
    return { ...row, ...rest, runs, stages: stagesOf(frames) };
  } catch (error) {
    return { ...row, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    remote.close();
  }
}

/** What all rows of this page say about device and software. */
async function surroundings() {
  const { device, browser } = await deviceFacts();
  const build = await buildFacts();
  return {
    schema: /** @type {const} */ (1),
    source: /** @type {const} */ ('web'),
    device,
    app: { version: build.version, commit: build.commit },
    peak_rss_mb: null,
    tools: { browser, 'litert.js': build.litertjs },
  };
}

/**
 * What `build.mjs` noted.
 *
 * @returns {Promise<{ version: string, commit: string, litertjs: string }>}
 */
async function buildFacts() {
  const response = await fetch(new URL('../vendor/build.json', import.meta.url));
  return response.ok ? response.json() : { version: 'unknown', commit: 'unknown', litertjs: 'unknown' }; // prettier-ignore
}
