/** The stage: target and result on top of each other, divided by a slider. */
import { byId, contextOf } from './dom.js';
import { stamp } from './label.js';

/** @typedef {ImageBitmap | HTMLCanvasElement | HTMLVideoElement} Drawable */

export class Viewer {
  #stage = byId('stage', HTMLElement);
  #frame = byId('frame', HTMLElement);
  #before = byId('before', HTMLCanvasElement);
  #after = byId('after', HTMLCanvasElement);
  #slider = byId('compare', HTMLInputElement);
  #scratch = document.createElement('canvas');
  #mirrored = false;
  #badge = true;
  /** @type {ImageData | null} */
  #result = null;

  constructor() {
    const cut = () => this.#frame.style.setProperty('--cut', `${this.#slider.value}%`);
    this.#slider.addEventListener('input', cut);
    cut();
  }

  /** Canvas with the result as it is shown and saved. */
  get canvas() {
    return this.#after;
  }

  get hasResult() {
    return this.#result !== null;
  }

  /** @param {boolean} on */
  set badge(on) {
    this.#badge = on;
    if (this.#result) this.#drawResult(this.#result);
  }

  /**
   * Show a target that has no result yet.
   *
   * @param {Drawable} picture
   * @param {{ width: number, height: number, mirrored?: boolean }} size
   */
  showTarget(picture, { width, height, mirrored = false }) {
    this.#resize(width, height);
    this.#mirrored = mirrored;
    this.#result = null;
    this.#draw(this.#before, picture);
    this.#stage.dataset.view = 'before';
  }

  /**
   * Show a target and its result, both of the same size.
   *
   * @param {Drawable | null} picture null where the target is shown already
   * @param {ImageData} result
   * @param {{ mirrored?: boolean }} [how]
   */
  showResult(picture, result, { mirrored = false } = {}) {
    this.#resize(result.width, result.height);
    this.#mirrored = mirrored;
    if (picture) this.#draw(this.#before, picture);
    this.#result = result;
    this.#drawResult(result);
    this.#stage.dataset.view = 'both';
  }

  clear() {
    this.#result = null;
    this.#resize(1, 1);
    this.#stage.dataset.view = 'empty';
  }

  /** @param {string} words what is being done; '' where nothing is */
  set busy(words) {
    this.#stage.setAttribute('aria-busy', String(words !== ''));
    byId('busy-words', HTMLElement).textContent = words;
  }

  /** @param {ImageData} result */
  #drawResult(result) {
    if (this.#mirrored) {
      size(this.#scratch, result.width, result.height);
      contextOf(this.#scratch).putImageData(result, 0, 0);
      this.#draw(this.#after, this.#scratch);
    } else {
      contextOf(this.#after).putImageData(result, 0, 0);
    }
    // Drawn after mirroring, so that it can be read; what is shown is what is saved.
    if (this.#badge) stamp(contextOf(this.#after));
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Drawable} picture
   */
  #draw(canvas, picture) {
    const context = contextOf(canvas);
    context.save();
    if (this.#mirrored) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    context.restore();
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #resize(width, height) {
    size(this.#before, width, height);
    size(this.#after, width, height);
    this.#frame.style.setProperty('--ratio', String(width / height));
  }
}

/**
 * Setting a size clears a canvas, so only a new size is set.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
function size(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
