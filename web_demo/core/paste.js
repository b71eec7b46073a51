/** @import { Matrix, Point } from './matrix.js' */
/** @import { Picture } from './warp.js' */
import { apply, inverse } from './matrix.js';
import { matchLight } from './light.js';
import { faceMask, fill } from './mask.js';
import { Pyramid } from './warp.js';

/**
 * Put a swapped face into a picture, in place. Pixels outside of the mask keep their values.
 *
 * @param {Picture} into
 * @param {Uint8Array} swapped size x size RGB, what the generator made of `aligned`
 * @param {Uint8Array} aligned size x size RGB, the target's face
 * @param {number} size
 * @param {Matrix} matrix picture to aligned face
 * @param {Point[]} mesh 468 landmarks in the picture
 * @param {number} [opacity] 0 leaves the picture as it is, 1 shows the swapped face alone
 */
export function pasteBack(into, swapped, aligned, size, matrix, mesh, opacity = 1) {
  const mask = faceMask(
    mesh.map((point) => apply(matrix, point)),
    size,
  );
  // Where the picture ends the aligned face is black: no light to measure.
  const seen = Float32Array.from(covered(matrix, into, size));
  for (let i = 0; i < seen.length; i++) seen[i] *= mask[i];
  const lit = matchLight(swapped, aligned, seen, size);
  const region = regionOf(mask, size, matrix, into);
  if (!region) return;
  const { left, top, width, height } = region;
  const back = inverse(matrix);
  back[2] -= left;
  back[5] -= top;
  const face = new Pyramid({ data: lit, width: size, height: size }).cut(back, width, height, true);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = matrix[0] * (x + left) + matrix[1] * (y + top) + matrix[2];
      const v = matrix[3] * (x + left) + matrix[4] * (y + top) + matrix[5];
      const weight = Math.min(opacity * sample(mask, size, u, v), 1);
      if (weight <= 0) continue;
      const to = ((y + top) * into.width + x + left) * 3;
      const from = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) {
        const mixed = weight * face.data[from + c] + (1 - weight) * into.data[to + c];
        into.data[to + c] = Math.round(mixed);
      }
    }
  }
}

/**
 * 1 where the aligned face shows something of the picture.
 *
 * @param {Matrix} matrix
 * @param {Picture} picture
 * @param {number} size
 */
function covered(matrix, picture, size) {
  const [right, bottom] = [picture.width - 1, picture.height - 1];
  /** @type {Point[]} */
  const corners = [
    [0, 0],
    [right, 0],
    [right, bottom],
    [0, bottom],
  ];
  return fill(
    corners.map((corner) => apply(matrix, corner)),
    size,
  );
}

/**
 * What the mask covers in the picture.
 *
 * @param {Float32Array} mask
 * @param {number} size
 * @param {Matrix} matrix
 * @param {Picture} picture
 */
function regionOf(mask, size, matrix, picture) {
  let [x0, y0, x1, y1] = [size, size, -1, -1];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] <= 0) continue;
    const [x, y] = [i % size, (i / size) | 0];
    [x0, x1] = [Math.min(x0, x), Math.max(x1, x)];
    [y0, y1] = [Math.min(y0, y), Math.max(y1, y)];
  }
  if (x1 < 0) return null;
  const back = inverse(matrix);
  const corners = [x0 - 1, x1 + 1].flatMap((x) => [y0 - 1, y1 + 1].map((y) => apply(back, [x, y])));
  const left = Math.max(0, Math.floor(Math.min(...corners.map(([x]) => x))));
  const top = Math.max(0, Math.floor(Math.min(...corners.map(([, y]) => y))));
  const right = Math.min(picture.width, Math.ceil(Math.max(...corners.map(([x]) => x))) + 1);
  const bottom = Math.min(picture.height, Math.ceil(Math.max(...corners.map(([, y]) => y))) + 1);
  if (left >= right || top >= bottom) return null;
  return { left, top, width: right - left, height: bottom - top };
}

/**
 * The mask between its pixels, bilinear. It is 0 at its border, so it is 0 beyond.
 *
 * @param {Float32Array} mask
 * @param {number} size
 * @param {number} x
 * @param {number} y
 */
function sample(mask, size, x, y) {
  const left = Math.floor(x);
  const top = Math.floor(y);
  if (left < 0 || top < 0 || left + 1 >= size || top + 1 >= size) return 0;
  const at = top * size + left;
  const right = x - left;
  const upper = mask[at] + right * (mask[at + 1] - mask[at]);
  const lower = mask[at + size] + right * (mask[at + size + 1] - mask[at + size]);
  return upper + (y - top) * (lower - upper);
}
