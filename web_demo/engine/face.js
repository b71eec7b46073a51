/** @import { Point } from '../core/matrix.js' */
import { smooth } from '../core/mask.js';
import { sideOf } from '../core/tracker.js';

const [LEFT_CHEEK, RIGHT_CHEEK, NOSE] = [234, 454, 1];
const ASIDE = [0.8, 1.2]; // see `turnedAside`: a swap begins to fade, and is gone

/**
 * A face in a picture.
 *
 * @typedef {object} Face
 * @property {Point[]} mesh 468 landmarks in pixels of the picture
 * @property {number} score 0 to 1, how sure the mesh is that it lies on a face
 */

/**
 * @param {Face} face
 * @returns {Point} mean of the landmarks
 */
export function middleOf({ mesh }) {
  const sum = mesh.reduce(([x, y], [px, py]) => [x + px, y + py], [0, 0]);
  return [sum[0] / mesh.length, sum[1] / mesh.length];
}

/**
 * Whether two findings are of one face.
 *
 * @param {Face} face
 * @param {Face} other
 */
export function same(face, other) {
  const away = distance(middleOf(face), middleOf(other));
  return away < Math.max(sideOf(face.mesh), sideOf(other.mesh)) / 2;
}

/**
 * Whether a point lies about in the middle of a face.
 *
 * @param {Point} point
 * @param {Face} face
 */
export function isInside(point, face) {
  return distance(point, middleOf(face)) < sideOf(face.mesh) / 4;
}

/**
 * @template {Face} F
 * @param {F[]} faces
 * @returns {F[]}
 */
export function largestFirst(faces) {
  return [...faces].sort((a, b) => sideOf(b.mesh) - sideOf(a.mesh));
}

/**
 * 1 for a face that looks about at the camera, 0 for one that is seen from the side. Between some 45
 * and 60 degrees it falls smoothly: a swap fades out instead of smearing.
 *
 * @param {Face} face
 */
export function frontal({ mesh }) {
  const [start, end] = ASIDE;
  return smooth((end - turnedAside(mesh)) / (end - start));
}

/**
 * Whether the middle of a face lies in the picture and its size is sane.
 *
 * @param {Point[]} mesh
 * @param {{ width: number, height: number }} picture
 */
export function isPlausible(mesh, { width, height }) {
  const [x, y] = middleOf({ mesh, score: 1 });
  const [xs, ys] = [mesh.map((p) => p[0]), mesh.map((p) => p[1])];
  const extents = [xs, ys].map((values) => Math.max(...values) - Math.min(...values));
  return (
    mesh.every((point) => point.every(Number.isFinite)) &&
    x > 0 &&
    y > 0 &&
    x < width &&
    y < height &&
    Math.min(...extents) > 4 &&
    Math.max(...extents) < 3 * Math.max(width, height)
  );
}

/**
 * @param {Point} a
 * @param {Point} b
 */
export function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/**
 * How far the head is turned to one side: 0 is frontal, about 1 at 55 degrees; never negative. It is
 * the distance from the tip of the nose to the middle between the cheeks' outer edges, along the
 * line between these, in halves of its length.
 *
 * @param {Point[]} mesh
 */
function turnedAside(mesh) {
  const [left, right, nose] = [mesh[LEFT_CHEEK], mesh[RIGHT_CHEEK], mesh[NOSE]];
  const [dx, dy] = [right[0] - left[0], right[1] - left[1]];
  const [x, y] = [nose[0] - (left[0] + right[0]) / 2, nose[1] - (left[1] + right[1]) / 2];
  return (Math.abs(x * dx + y * dy) * 2) / Math.max(dx * dx + dy * dy, 1e-9);
}
