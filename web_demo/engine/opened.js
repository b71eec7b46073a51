/** @import { Facts, OpenOptions, Progress, SelfTest, Stages, Swapped, Which } from './engine.js' */
/** @import { Bundle } from './bundle.js' */
/** @import { Face } from './face.js' */
/** @import { Sample } from './golden.js' */
/** @import { Measured } from './measuring.js' */
/** @import { Picture } from '../core/warp.js' */
import { fivePoints } from '../core/mesh.js';
import { sideOf } from '../core/tracker.js';
import { Pyramid } from '../core/warp.js';
import { LEAST_PX } from './detector.js';
import { EngineError } from './errors.js';
import { frontal } from './face.js';
import { check, judge, readGolden } from './golden.js';
import { load } from './loading.js';
import { readEmbedding } from './npy.js';
import { readPixels, writePixels } from './pixels.js';
import { framed } from './testframe.js';
import { Tracker } from './tracking.js';

const OTHERS = 0.5; // of the largest face's size: further faces of a source that are looked for

/** The loaded models of a bundle, and what the page may ask of them. One call at a time. */
export class Opened {
  #bundle;
  #swapper;
  #detector;
  #tracker;
  #load_ms;

  /** @param {Awaited<ReturnType<typeof load>>} loaded */
  constructor({ bundle, swapper, detector, facts, load_ms }) {
    this.#bundle = bundle;
    this.#swapper = swapper;
    this.#detector = detector;
    this.#tracker = new Tracker(detector);
    this.#load_ms = load_ms;
    /** @type {Facts} */
    this.facts = facts;
  }

  /**
   * @param {Required<Omit<OpenOptions, 'onProgress'>>} options
   * @param {(progress: Progress) => void} tell
   */
  static async load(options, tell) {
    return new Opened(await load(options, tell));
  }

  /** @returns {Promise<SelfTest>} */
  async selfTest() {
    const { precision, runtime_used } = this.facts;
    return judge(await check(this.#swapper, await this.#golden()), precision, runtime_used);
  }

  /**
   * @param {ImageBitmap | ImageData} given
   * @returns {Promise<Float32Array>}
   */
  async embed(given) {
    const pyramid = new Pyramid(readPixels(given).rgb);
    const first = await this.#detector.find(pyramid);
    if (!first.length) {
      throw new EngineError('no-face', 'No face found; expected a photo of one person.');
    }
    // A plain look ends with the first face; others may be as large.
    const leastPx = Math.max(LEAST_PX, sideOf(first[0].mesh) * OTHERS);
    const options = { thorough: true, known: first, leastPx };
    const [largest] = await this.#detector.find(pyramid, options);
    return this.#swapper.embed(this.#swapper.align(pyramid, largest).aligned);
  }

  /**
   * @param {ArrayBuffer} file
   * @returns {Float32Array}
   */
  embeddingFromFile(file) {
    return readEmbedding(file, this.#swapper.embeddingSize);
  }

  /**
   * @param {ImageBitmap | ImageData} given
   * @param {Float32Array} embedding
   * @param {Which} which
   * @returns {Promise<Swapped>}
   */
  async swapPhoto(given, embedding, which) {
    this.#expectIdentity(embedding);
    const start = performance.now();
    const { rgb, rgba } = readPixels(given);
    const pyramid = new Pyramid(rgb);
    const before = performance.now();
    const found = await this.#detector.find(pyramid, { thorough: which === 'all' });
    const faces = which === 'all' ? found : found.slice(0, 1);
    if (!faces.length) {
      throw new EngineError(
        'no-face',
        'No face found; expected a picture with a face of some 20 pixels or more.',
      );
    }
    if (!faces.some(frontal)) {
      throw new EngineError(
        'no-face',
        'The face is seen from the side, where a swap would smear it; expected one turned by up ' +
          'to about 60 degrees.',
      );
    }
    const stages = { ...noTime(), detect: performance.now() - before };
    const result = await this.#swapper.put(pyramid, faces, embedding, stages);
    return finished(result, rgba, faces, stages, start);
  }

  /**
   * @param {ImageBitmap} given
   * @param {number} timestampMs
   * @param {Float32Array} embedding
   * @param {Which} which
   * @returns {Promise<Swapped>}
   */
  async swapFrame(given, timestampMs, embedding, which) {
    try {
      this.#expectIdentity(embedding);
      const start = performance.now();
      const { rgb, rgba } = readPixels(given);
      const { result, faces, stages } = await this.#frame(rgb, timestampMs, embedding, which);
      return finished(result, rgba, faces, stages, start);
    } finally {
      given.close();
    }
  }

  resetTracking() {
    this.#tracker = new Tracker(this.#detector);
  }

  /**
   * Time frames of a golden face as a camera would show it, by stages.
   *
   * @param {{ runs: number, warmup: number }} counts
   * @param {(done: number) => void} tell
   * @returns {Promise<Measured>}
   */
  async measure({ runs, warmup }, tell) {
    const samples = await this.#golden();
    const frame = framed(samples[0].target, this.#swapper.size);
    this.resetTracking();
    const frames = [];
    for (let i = 0; i < warmup + runs; i++) {
      const start = performance.now();
      const { stages } = await this.#frame(frame, 40 * i, samples[0].embedding, 'largest');
      if (!stages.generate) {
        throw new EngineError('no-face', 'No face is found in the golden sample. Export again.');
      }
      frames.push({ ...stages, total: performance.now() - start });
      tell(i + 1);
    }
    this.resetTracking();
    const measured = await check(this.#swapper, samples);
    return {
      load_ms: this.#load_ms,
      first_ms: frames[0].total,
      frames: frames.slice(warmup),
      check: measured,
    };
  }

  /**
   * @param {Picture} rgb
   * @param {number} timestampMs
   * @param {Float32Array} embedding
   * @param {Which} which
   */
  async #frame(rgb, timestampMs, embedding, which) {
    const start = performance.now();
    const pyramid = new Pyramid(rgb);
    const faces = await this.#tracker.step(pyramid, timestampMs / 1000);
    const stages = { ...noTime(), detect: performance.now() - start };
    const chosen = which === 'all' ? faces : faces.slice(0, 1);
    const result = await this.#swapper.put(pyramid, chosen, embedding, stages);
    return { result, faces, stages };
  }

  /** @returns {Promise<Sample[]>} */
  #golden() {
    return readGolden(this.#bundle.url);
  }

  /** @param {Float32Array} embedding */
  #expectIdentity(embedding) {
    const size = this.#swapper.embeddingSize;
    if (embedding?.length === size && embedding.every(Number.isFinite)) return;
    throw new EngineError(
      'bad-picture',
      `The identity has ${embedding?.length} values; expected ${size} finite ones. ` +
        'Choose the source again.',
    );
  }
}

/** @returns {Stages} */
function noTime() {
  return { detect: 0, align: 0, generate: 0, blend: 0, total: 0 };
}

/**
 * @param {Picture} result
 * @param {ImageData} rgba the picture as it came; the result is written into it
 * @param {Face[]} faces
 * @param {Stages} stages
 * @param {number} start
 * @returns {Swapped}
 */
function finished(result, rgba, faces, stages, start) {
  writePixels(result, rgba);
  return {
    picture: rgba,
    faces: faces.map(({ mesh, score }) => ({ points: fivePoints(mesh), score })),
    stages_ms: { ...stages, total: performance.now() - start },
  };
}
