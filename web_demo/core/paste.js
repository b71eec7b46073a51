/** @import { Matrix, Point } from './matrix.js' */
/** @import { Picture } from './warp.js' */
import { apply, inverse, scaleOf } from './matrix.js';
import { matchLight } from './light.js';
import { faceMask, smooth } from './mask.js';
import { Pyramid } from './warp.js';

const EDGE_PX = 4; // of the picture or the aligned face, the larger ones, from the picture's edge

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
  fadeAtEdge(mask, size, mesh, matrix, into);
  const lit = matchLight(swapped, aligned, mask, size);
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
 * Let a mask fall to 0 at the picture's edge, in place. Beyond the edge the aligned face is black.
 * The generator, and resampling both ways, mix that into the pixels beside it; and there is no light
 * to measure.
 *
 * @param {Float32Array} mask
 * @param {number} size
 * @param {Point[]} mesh landmarks in the picture
 * @param {Matrix} matrix picture to aligned face
 * @param {Picture} picture
 */
function fadeAtEdge(mask, size, mesh, matrix, { width, height }) {
  const reach = EDGE_PX * Math.max(1, 1 / scaleOf(matrix)); // in the picture
  /** @type {(point: Point) => number} */
  const room = ([x, y]) => Math.min(x, y, width - 1 - x, height - 1 - y);
  if (mesh.every((point) => room(point) >= reach)) return;
  const back = inverse(matrix);
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] <= 0) continue;
    mask[i] *= smooth(room(apply(back, [i % size, (i / size) | 0])) / reach);
  }
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
