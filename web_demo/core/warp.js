/** @import { Matrix } from './matrix.js' */
import { compose, determinantOf, inverse, scaleOf } from './matrix.js';

/**
 * A picture, rows first, RGB interleaved, 0 to 255.
 *
 * @typedef {{ data: Uint8Array | Uint8ClampedArray, width: number, height: number }} Picture
 */

const CUBIC = -0.75; // OpenCV's free parameter of the cubic kernel

/** A picture at halved sizes, so that any cut-out of it is sampled without aliasing. */
export class Pyramid {
  /** @param {Picture} picture kept as it is; nothing is copied */
  constructor(picture) {
    if (picture.data.length !== picture.width * picture.height * 3 || !picture.data.length) {
      throw new RangeError(
        `the picture has ${picture.data.length} values; expected RGB of ` +
          `${picture.width} x ${picture.height} pixels`,
      );
    }
    this.levels = [picture];
  }

  get picture() {
    return this.levels[0];
  }

  /**
   * Resample by a similarity.
   *
   * @param {Matrix} matrix picture to cut-out
   * @param {number} width of the cut-out
   * @param {number} height
   * @param {boolean} smooth bicubic where a picture is wanted; bilinear does for detectors
   * @param {Uint8Array} [into] reused for the result where given
   * @returns {Picture} black where the picture ends
   */
  cut(matrix, width, height, smooth = false, into = new Uint8Array(width * height * 3)) {
    const level = Math.min(Math.max(0, Math.floor(-Math.log2(scaleOf(matrix)))), this.#deepest());
    const step = 2 ** level;
    const half = (step - 1) / 2;
    const back = inverse(compose(matrix, [step, 0, half, 0, step, half]));
    const resample = smooth ? bicubic : bilinear;
    resample(this.#level(level), back, width, height, into);
    return { data: into, width, height };
  }

  #deepest() {
    const { width, height } = this.picture;
    return Math.max(0, Math.floor(Math.log2(Math.max(width, height))) - 1);
  }

  /** @param {number} level */
  #level(level) {
    while (this.levels.length <= level) this.levels.push(halved(this.levels.at(-1)));
    return this.levels[level];
  }
}

/**
 * Means of 2 x 2 pixels; an odd edge is repeated.
 *
 * @param {Picture | undefined} picture
 * @returns {Picture}
 */
function halved(picture) {
  const { data, width, height } = /** @type {Picture} */ (picture);
  const [w, h] = [(width + 1) >> 1, (height + 1) >> 1];
  const half = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    const top = 2 * y * width;
    const bottom = Math.min(2 * y + 1, height - 1) * width;
    for (let x = 0; x < w; x++) {
      const left = 2 * x;
      const right = Math.min(2 * x + 1, width - 1);
      for (let c = 0; c < 3; c++) {
        const sum =
          data[(top + left) * 3 + c] +
          data[(top + right) * 3 + c] +
          data[(bottom + left) * 3 + c] +
          data[(bottom + right) * 3 + c];
        half[(y * w + x) * 3 + c] = (sum + 2) >> 2;
      }
    }
  }
  return { data: half, width: w, height: h };
}

/**
 * @param {Picture} picture
 * @param {Matrix} back result to picture
 * @param {number} width of the result
 * @param {number} height
 * @param {Uint8Array} into
 */
function bilinear({ data, width: w, height: h }, back, width, height, into) {
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const sx = back[0] * x + back[1] * y + back[2];
      const sy = back[3] * x + back[4] * y + back[5];
      const left = Math.floor(sx);
      const top = Math.floor(sy);
      const fx = sx - left;
      const fy = sy - top;
      if (left >= 0 && top >= 0 && left + 1 < w && top + 1 < h) {
        const upper = (top * w + left) * 3;
        const lower = upper + 3 * w;
        for (let c = 0; c < 3; c++) {
          const above = data[upper + c] + fx * (data[upper + c + 3] - data[upper + c]);
          const below = data[lower + c] + fx * (data[lower + c + 3] - data[lower + c]);
          into[at + c] = above + fy * (below - above) + 0.5;
        }
        continue;
      }
      let [red, green, blue] = [0.5, 0.5, 0.5];
      for (let j = 0; j < 2; j++) {
        const row = top + j;
        if (row < 0 || row >= h) continue;
        for (let i = 0; i < 2; i++) {
          const column = left + i;
          if (column < 0 || column >= w) continue;
          const weight = (i ? fx : 1 - fx) * (j ? fy : 1 - fy);
          const from = (row * w + column) * 3;
          red += weight * data[from];
          green += weight * data[from + 1];
          blue += weight * data[from + 2];
        }
      }
      into[at] = red;
      into[at + 1] = green;
      into[at + 2] = blue;
    }
  }
}

const across = new Float64Array(4);
const down = new Float64Array(4);

/**
 * @param {Picture} picture
 * @param {Matrix} back result to picture
 * @param {number} width of the result
 * @param {number} height
 * @param {Uint8Array} into
 */
function bicubic({ data, width: w, height: h }, back, width, height, into) {
  const finer = determinantOf(back) <= 1 ? 3 : 2;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const sx = back[0] * x + back[1] * y + back[2];
      const sy = back[3] * x + back[4] * y + back[5];
      const shown = inside(sx, w, finer) * inside(sy, h, finer);
      if (shown <= 0) {
        into[at] = into[at + 1] = into[at + 2] = 0;
        continue;
      }
      const left = Math.floor(sx);
      const top = Math.floor(sy);
      weigh(sx - left, across);
      weigh(sy - top, down);
      if (left > 0 && top > 0 && left + 2 < w && top + 2 < h && shown === 1) {
        sixteen(data, ((top - 1) * w + left - 1) * 3, 3 * w, into, at);
        continue;
      }
      let [red, green, blue] = [0, 0, 0];
      for (let j = 0; j < 4; j++) {
        const row = Math.min(Math.max(top - 1 + j, 0), h - 1) * w;
        const weightOfRow = shown * down[j];
        for (let i = 0; i < 4; i++) {
          const column = Math.min(Math.max(left - 1 + i, 0), w - 1);
          const weight = weightOfRow * across[i];
          const from = (row + column) * 3;
          red += weight * data[from];
          green += weight * data[from + 1];
          blue += weight * data[from + 2];
        }
      }
      into[at] = level(red);
      into[at + 1] = level(green);
      into[at + 2] = level(blue);
    }
  }
}

/**
 * The weighted sum of 4 x 4 pixels, by `across` and `down`. Most pixels of a face are within the
 * picture; written out, without a check of the edges, they take a third of the time.
 *
 * @param {Picture['data']} data
 * @param {number} from index of the first pixel's red
 * @param {number} pitch values per row
 * @param {Uint8Array} into
 * @param {number} at
 */
function sixteen(data, from, pitch, into, at) {
  const a = across[0];
  const b = across[1];
  const c = across[2];
  const d = across[3];
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let j = 0, i = from; j < 4; j++, i += pitch) {
    const weight = down[j];
    red += weight * (a * data[i] + b * data[i + 3] + c * data[i + 6] + d * data[i + 9]);
    green += weight * (a * data[i + 1] + b * data[i + 4] + c * data[i + 7] + d * data[i + 10]);
    blue += weight * (a * data[i + 2] + b * data[i + 5] + c * data[i + 8] + d * data[i + 11]);
  }
  into[at] = level(red);
  into[at + 1] = level(green);
  into[at + 2] = level(blue);
}

/**
 * How much of a sample lies in the picture: it fades to black over a part of a pixel.
 *
 * @param {number} place of the sample, in pixels
 * @param {number} extent of the picture
 * @param {number} finer that many fades fit into a pixel
 */
function inside(place, extent, finer) {
  const fine = finer * place + (finer - 1) / 2;
  return Math.min(Math.max(Math.min(fine + 1, finer * extent - fine), 0), 1);
}

/**
 * The four weights of a cubic convolution (Keys, 1981) at a distance of `f` from the second tap.
 *
 * @param {number} f 0 to 1
 * @param {Float64Array} into
 */
function weigh(f, into) {
  const g = 1 - f;
  into[0] = CUBIC * f * g * g;
  into[1] = ((CUBIC + 2) * f - (CUBIC + 3)) * f * f + 1;
  into[2] = ((CUBIC + 2) * g - (CUBIC + 3)) * g * g + 1;
  into[3] = CUBIC * g * f * f;
}

/** @param {number} value */
function level(value) {
  return value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0;
}
