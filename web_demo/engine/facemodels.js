/** @import { Candidate } from '../core/blazeface.js' */
/** @import { Matrix, Point } from '../core/matrix.js' */
/** @import { Pyramid } from '../core/warp.js' */
/** @import { LoadedModel } from './runtime.js' */
import { anchors, decodeBoxes } from '../core/blazeface.js';
import { decodeMesh, viewOf } from '../core/mesh.js';

const LEAST_CONTRAST = 12; // levels; less is sky or a wall, and need not be looked at

/** A model with one square picture as its input. */
class FaceModel {
  #model;
  #low;
  #values;
  #name;

  /**
   * @param {LoadedModel} model
   * @param {number} low what the model takes for black; white is 1
   */
  constructor(model, low) {
    const [{ name, shape }] = model.inputs;
    this.#model = model;
    this.#low = low;
    this.#name = name;
    this.size = shape[1];
    this.#values = new Float32Array(this.size * this.size * 3);
  }

  /**
   * @param {Uint8Array | Uint8ClampedArray} picture size x size RGB
   * @returns {Promise<Float32Array[]>} the outputs, largest first
   */
  async run(picture) {
    const [low, gain] = [this.#low, (1 - this.#low) / 255];
    for (let i = 0; i < picture.length; i++) this.#values[i] = picture[i] * gain + low;
    const found = Object.values(await this.#model.run({ [this.#name]: this.#values }));
    return /** @type {Float32Array[]} */ (found).sort((a, b) => b.length - a.length);
  }
}

/** One of the detectors: short range (128 px, selfies) or full range (192 px, small faces). */
export class BlazeFace {
  #model;
  #centres;
  #seen;

  /** @param {LoadedModel} model */
  constructor(model) {
    this.#model = new FaceModel(model, -1);
    this.#centres = anchors(this.#model.size);
    this.#seen = new Uint8Array(this.#model.size ** 2 * 3);
  }

  /**
   * Faces in one view of a picture, best first.
   *
   * @param {Pyramid} pyramid
   * @param {Matrix} view picture to the unit square that the detector looks at
   * @returns {Promise<Candidate[]>}
   */
  async find(pyramid, view) {
    const { size } = this.#model;
    const pixels = viewOf(view, size);
    const seen = pyramid.cut(pixels, size, size, false, this.#seen).data;
    if (isFlat(seen, size)) return [];
    const [boxes, logits] = await this.#model.run(seen);
    return decodeBoxes(boxes, logits, this.#centres, pixels);
  }
}

/** The model of 468 landmarks. */
export class FaceMesh {
  #model;
  #seen;

  /** @param {LoadedModel} model */
  constructor(model) {
    this.#model = new FaceModel(model, 0);
    this.#seen = new Uint8Array(this.#model.size ** 2 * 3);
  }

  /**
   * Landmarks of the face inside a crop.
   *
   * @param {Pyramid} pyramid
   * @param {Matrix} crop picture to a unit square with the upright face in its middle
   * @returns {Promise<{ mesh: Point[], score: number }>}
   */
  async fit(pyramid, crop) {
    const { size } = this.#model;
    const seen = pyramid.cut(viewOf(crop, size), size, size, false, this.#seen).data;
    const [raw, logit] = await this.#model.run(seen);
    return decodeMesh(raw, logit[0], crop, size);
  }
}

/**
 * Whether every other pixel of every other row has about one level.
 *
 * @param {Uint8Array | Uint8ClampedArray} seen
 * @param {number} size
 */
function isFlat(seen, size) {
  let [least, most] = [255, 0];
  for (let y = 0; y < size; y += 2) {
    for (let x = 0; x < size; x += 2) {
      const at = (y * size + x) * 3;
      for (let i = at; i < at + 3; i++) {
        if (seen[i] < least) least = seen[i];
        if (seen[i] > most) most = seen[i];
      }
    }
    if (most - least >= LEAST_CONTRAST) return false;
  }
  return true;
}
