/** "Measure this device": runs the engine's benchmark, shows its rows, keeps or sends them. */
import { byId, say } from './dom.js';
import { wordsOf } from './faults.js';
import { download } from './saving.js';

/** @import { MeasureOptions } from '../engine/engine.js' */
/** @import { Row } from '../engine/rows.js' */
/** @import { Session } from './session.js' */

/**
 * What the link of `benchmarks/latency.py --device web` asks for.
 *
 * @typedef {object} Request
 * @property {string} token that the terminal's server takes rows with; '' where there is none
 * @property {number | null} runs
 * @property {MeasureOptions} options
 */

/**
 * @param {string} query of the page's address
 * @returns {Request}
 */
export function requestOf(query) {
  const asked = new URLSearchParams(query);
  const whole = (/** @type {string} */ name) => {
    const value = Number(asked.get(name) ?? NaN);
    return Number.isInteger(value) && value > 0 && value <= 1000 ? value : null;
  };
  const precisions = /** @type {('int8' | 'fp32')[]} */ (
    (asked.get('precisions') ?? '').split(',').filter((word) => ['int8', 'fp32'].includes(word))
  );
  return {
    token: asked.get('measure') ?? '',
    runs: whole('runs'),
    options: {
      ...(precisions.length && { precisions }),
      ...(whole('threads') && { threads: whole('threads') ?? 1 }),
      ...(whole('warmup') && { warmup: whole('warmup') ?? 1 }),
    },
  };
}

/**
 * Rows as JSON lines, ended as the tools expect it.
 *
 * @param {Row[]} rows
 */
export function linesOf(rows) {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** Runtimes worth measuring: WebGPU only on a real GPU, because a simulated one takes minutes. */
export async function runtimesHere() {
  /** @type {{ requestAdapter(): Promise<any> } | undefined} */
  const gpu = /** @type {any} */ (navigator).gpu;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  const simulated = adapter?.info?.isFallbackAdapter ?? adapter?.isFallbackAdapter ?? false;
  return /** @type {('wasm' | 'webgpu')[]} */ (
    adapter && !simulated ? ['wasm', 'webgpu'] : ['wasm']
  );
}

export class Measuring {
  #session;
  #request;
  #around;
  #note = byId('measure-note', HTMLElement);
  #runs = byId('runs', HTMLInputElement);
  #progress = byId('measure-progress', HTMLProgressElement);
  /** @type {Row[]} */
  #rows = [];
  /** @type {(() => void) | null} */
  #stop = null;

  /**
   * @param {Session} session
   * @param {Request} request
   * @param {{ before: () => void, after: () => void }} around called before and
   *   after a measurement
   */
  constructor(session, request, around) {
    this.#session = session;
    this.#request = request;
    this.#around = around;
    if (request.runs) this.#runs.value = String(request.runs);
    byId('measure-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.start();
    });
    byId('measure-stop', HTMLButtonElement).addEventListener('click', () => this.#stop?.());
    byId('measure-download', HTMLButtonElement).addEventListener('click', () => {
      const name = `mobilefsgan-${new Date().toISOString().slice(0, 10)}.jsonl`;
      download(new File([linesOf(this.#rows)], name, { type: 'application/x-ndjson' }));
    });
    byId('measure-send', HTMLButtonElement).addEventListener('click', () => this.#send());
  }

  /** Measure, and send the rows where a terminal waits for them. */
  async start() {
    this.#show(true);
    this.#around.before();
    const awake = await keepAwake();
    const stop = new AbortController();
    this.#stop = () => stop.abort();
    try {
      const runtimes = await runtimesHere();
      this.#rows = await this.#session.use((engine) =>
        engine.measure({
          ...this.#request.options,
          runs: Number(this.#runs.value),
          runtimes,
          signal: stop.signal,
          onProgress: (progress) => this.#showProgress(progress),
        }),
      );
      this.#showRows();
      say(this.#note, `${this.#rows.length} rows measured.`, 'good');
      if (this.#request.token) await this.#send();
    } catch (error) {
      if (stop.signal.aborted) say(this.#note, 'Stopped. Nothing was measured.');
      else say(this.#note, wordsOf(error), 'bad');
    }
    awake?.release();
    this.#show(false);
    this.#around.after();
  }

  async #send() {
    const token = encodeURIComponent(this.#request.token);
    const body = `${linesOf(this.#rows)}{"done": true}\n`;
    try {
      const answer = await fetch(`rows?token=${token}`, { method: 'POST', body });
      const words = await answer.text();
      if (answer.ok) say(this.#note, `Sent to the terminal. ${words}`, 'good');
      else say(this.#note, `The terminal refused the rows: ${words} Download them instead.`, 'bad');
    } catch {
      say(this.#note, 'The terminal does not answer any more. Download the rows instead.', 'bad');
    }
  }

  /** @param {boolean} running */
  #show(running) {
    byId('measure-start', HTMLButtonElement).hidden = running;
    byId('measure-stop', HTMLButtonElement).hidden = !running;
    this.#progress.hidden = !running;
    this.#progress.removeAttribute('value');
    const focused = running ? 'measure-stop' : 'measure-start';
    if (document.activeElement === document.body) byId(focused, HTMLButtonElement).focus();
    if (running) say(this.#note, 'Preparing. Keep this page open and in front.');
  }

  /** @param {{ done: number, total: number, what: string }} progress */
  #showProgress({ done, total, what }) {
    this.#progress.value = total ? done / total : 0;
    say(this.#note, `Measuring ${what}. Keep this page open and in front.`);
  }

  #showRows() {
    byId('measure-rows', HTMLElement).replaceChildren(...this.#rows.map(lineOf));
    byId('measure-result', HTMLElement).hidden = false;
    byId('measure-actions', HTMLElement).hidden = false;
    byId('measure-send', HTMLButtonElement).hidden = !this.#request.token;
  }
}

/** Keep the screen on: a phone that dims it runs slower. Null where the browser does not. */
async function keepAwake() {
  try {
    return await navigator.wakeLock.request('screen');
  } catch {
    return null;
  }
}

/** @param {Row} row */
function lineOf(row) {
  const line = document.createElement('tr');
  const cell = (/** @type {string} */ text, /** @type {string} */ kind = '') => {
    const made = line.insertCell();
    made.textContent = text;
    made.className = kind;
    return made;
  };
  const number = (/** @type {number | null | undefined} */ value, digits = 0) =>
    cell(typeof value === 'number' ? value.toFixed(digits) : '–', 'number');
  cell(row.model.file);
  cell(row.backend.used);
  number(row.backend.threads);
  const total = row.stages?.total;
  if (!total) {
    cell(row.reason ?? 'failed', 'reason').colSpan = 6;
    return line;
  }
  number(row.load_ms);
  number(row.first_ms);
  number(total.p50_ms, 1);
  number(total.p90_ms, 1);
  number(1000 / total.p50_ms, 1);
  number(row.check?.psnr_db, 1);
  return line;
}
