/** The engine panel: precision, runtime and threads, and what this browser can do. */
import { usualThreads } from '../engine/device.js';
import { byId } from './dom.js';
import { stored, store } from './session.js';

/** @import { EngineSettings } from './session.js' */

const KEY = 'mobilefsgan.engine';
const MOST_THREADS = 8;
const NAMES = { wasm: 'WebAssembly', webgpu: 'WebGPU' };

export class Settings {
  #precision = byId('precision', HTMLSelectElement);
  #runtime = byId('runtime', HTMLSelectElement);
  #threads = byId('threads', HTMLSelectElement);

  /** @param {(settings: EngineSettings) => void} onChange */
  constructor(onChange) {
    const most = isolated() ? Math.min(cores(), MOST_THREADS) : 1;
    const counts = Array.from({ length: most }, (_, i) => i + 1);
    this.#threads.replaceChildren(...counts.map((count) => new Option(String(count))));
    this.#threads.value = String(Math.min(usualThreads(), most));
    const gpu = this.#runtime.querySelector('[value="webgpu"]');
    if (gpu instanceof HTMLOptionElement) gpu.disabled = !('gpu' in navigator);
    this.#restore();
    for (const select of [this.#precision, this.#runtime, this.#threads]) {
      select.addEventListener('change', () => {
        store(KEY, JSON.stringify(this.value));
        this.#summarize();
        onChange(this.value);
      });
    }
    this.#summarize();
    this.#tellFacts();
  }

  /** @returns {EngineSettings} */
  get value() {
    return {
      precision: this.#precision.value === 'fp32' ? 'fp32' : 'int8',
      runtime: this.#runtime.value === 'webgpu' ? 'webgpu' : 'wasm',
      threads: Number(this.#threads.value),
    };
  }

  #restore() {
    let kept;
    try {
      kept = JSON.parse(stored(KEY) ?? '{}') ?? {};
    } catch {
      return; // what something else wrote there
    }
    restore(this.#precision, kept.precision);
    restore(this.#runtime, kept.runtime);
    restore(this.#threads, kept.threads);
  }

  #summarize() {
    const { precision, runtime, threads } = this.value;
    const count = threads === 1 ? '1 thread' : `${threads} threads`;
    const words = `${precision}, ${NAMES[runtime]}, ${count}`;
    byId('engine-summary', HTMLElement).textContent = words;
  }

  #tellFacts() {
    const facts = [
      !isSecureContext && 'This page came over http: no camera, no threads, no offline use.',
      isSecureContext &&
        !isolated() &&
        'The server lacks the headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy, ' +
          'so one thread is used.',
      !('gpu' in navigator) && 'This browser has no WebGPU.',
      'gpu' in navigator && 'WebGPU is used only where it passes a golden sample.',
    ];
    for (const fact of facts) if (fact) this.tell(fact);
  }

  /** @param {string} fact about what this browser can do */
  tell(fact) {
    const item = document.createElement('li');
    item.textContent = fact;
    byId('engine-facts', HTMLElement).append(item);
  }
}

function isolated() {
  return globalThis.crossOriginIsolated === true;
}

function cores() {
  return navigator.hardwareConcurrency || 2;
}

/**
 * Choose a value that was kept, if it can still be chosen.
 *
 * @param {HTMLSelectElement} select
 * @param {unknown} value
 */
function restore(select, value) {
  const known = [...select.options].some((o) => !o.disabled && o.value === String(value));
  if (known) select.value = String(value);
}
