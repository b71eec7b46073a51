/** @import { Matrix, Point } from './matrix.js' */
import { apply, compose, inverse } from './matrix.js';

const COUNT = 468;
const MARGIN = 1.5; // the crop is that many times the face, as the mesh was trained
// Left as seen in the picture first: mean of an eye's corners and lids, tip of the nose, corners of
// the mouth.
const FIVE = [[33, 133, 159, 145], [362, 263, 386, 374], [1], [61], [291]];

/**
 * The landmarks in the mesh model's raw output.
 *
 * @param {Float32Array} raw x, y, z of each of 468 points, in pixels of the view
 * @param {number} logit
 * @param {Matrix} crop picture to unit square
 * @param {number} size of the view in pixels
 * @returns {{ mesh: Point[], score: number }} in pixels of the picture
 */
export function decodeMesh(raw, logit, crop, size) {
  const back = inverse(viewOf(crop, size));
  const mesh = Array.from({ length: COUNT }, (_, i) =>
    apply(back, [raw[3 * i] - 0.5, raw[3 * i + 1] - 0.5]),
  );
  return { mesh, score: 1 / (1 + Math.exp(-logit)) };
}

/**
 * A crop to the unit square as one to `size` pixels, whose centres lie at the integers.
 *
 * @param {Matrix} crop
 * @param {number} size
 * @returns {Matrix}
 */
export function viewOf(crop, size) {
  const view = /** @type {Matrix} */ (crop.map((value) => value * size));
  view[2] -= 0.5;
  view[5] -= 0.5;
  return view;
}

/**
 * The five points of the manifest's template.
 *
 * @param {Point[]} mesh
 * @returns {Point[]}
 */
export function fivePoints(mesh) {
  return FIVE.map((landmarks) => {
    const sum = landmarks.reduce(([x, y], i) => [x + mesh[i][0], y + mesh[i][1]], [0, 0]);
    return [sum[0] / landmarks.length, sum[1] / landmarks.length];
  });
}

/**
 * The crop that a face with these landmarks belongs in: upright, in the middle of a unit square.
 *
 * @param {Point[]} mesh
 * @returns {Matrix}
 */
export function cropOfMesh(mesh) {
  const [left, right] = fivePoints(mesh);
  const upright = uprightBy(left, right);
  const turned = mesh.map((point) => apply(upright, point));
  const [xs, ys] = [turned.map(([x]) => x), turned.map(([, y]) => y)];
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return around(upright, [(x0 + x1) / 2, (y0 + y1) / 2], Math.max(x1 - x0, y1 - y0));
}

/**
 * As `cropOfMesh`, from a detector's box and eyes.
 *
 * @param {Point} centre
 * @param {number} side
 * @param {[Point, Point]} eyes
 * @returns {Matrix}
 */
export function cropOfBox(centre, side, eyes) {
  const upright = uprightBy(...eyes);
  return around(upright, apply(upright, centre), side);
}

/**
 * A crop turned and enlarged about the middle of the unit square.
 *
 * @param {Matrix} crop
 * @param {number} angleDeg
 * @param {number} zoom
 * @returns {Matrix}
 */
export function turned(crop, angleDeg, zoom) {
  const angle = (angleDeg * Math.PI) / 180;
  const [c, s] = [zoom * Math.cos(angle), zoom * Math.sin(angle)];
  const half = 0.5;
  return compose([c, -s, half - half * (c - s), s, c, half - half * (s + c)], crop);
}

/**
 * The turn that brings the eyes level.
 *
 * @param {Point} left
 * @param {Point} right
 * @returns {Matrix}
 */
function uprightBy(left, right) {
  const [dx, dy] = [right[0] - left[0], right[1] - left[1]];
  const length = Math.max(1e-9, Math.hypot(dx, dy));
  const [x, y] = [dx / length, dy / length];
  return [x, y, 0, -y, x, 0];
}

/**
 * @param {Matrix} upright
 * @param {Point} middle after `upright`
 * @param {number} side
 * @returns {Matrix}
 */
function around(upright, middle, side) {
  const scale = 1 / (MARGIN * Math.max(side, 1));
  const [a, b, , c, d] = upright.map((value) => value * scale);
  return [a, b, 0.5 - middle[0] * scale, c, d, 0.5 - middle[1] * scale];
}
