/** @import { Matrix, Point } from './matrix.js' */
import { apply, inverse, scaleOf } from './matrix.js';

const MIN_SCORE = 0.5;
const SAME_FACE = 0.3; // overlap of two boxes, as a part of their union
const NUMBERS = 16; // of an anchor: centre, width and height, then six keypoints, the eyes first

/**
 * A face as the detector sees it, in pixels of the whole picture.
 *
 * @typedef {object} Candidate
 * @property {number} score 0 to 1
 * @property {Point} centre of its box, from the eyebrows to the chin
 * @property {number} side edge of the box
 * @property {[Point, Point]} eyes left as seen in the upright face first
 * @property {number} tiltDeg how far the eyes are from level in the view, -180 to 180
 */

/**
 * Centres that boxes are told from: the grids of the published SSD layouts. Short range (128 px): a
 * grid of stride 8 with two boxes a cell, then one of stride 16 with six. Full range (192 px): one
 * of stride 4 with one.
 *
 * @param {number} size of the view in pixels
 * @returns {Point[]}
 */
export function anchors(size) {
  const grids = size === 128 ? [[8, 2], [16, 6]] : [[4, 1]]; // prettier-ignore
  return grids.flatMap(([stride, boxes]) => {
    const cells = Math.floor(size / stride);
    return Array.from({ length: cells * cells * boxes }, (_, i) => {
      const cell = Math.floor(i / boxes);
      const [x, y] = [cell % cells, Math.floor(cell / cells)];
      return /** @type {Point} */ ([(x + 0.5) * stride, (y + 0.5) * stride]);
    });
  });
}

/**
 * Faces in the detector's raw outputs, best first.
 *
 * @param {Float32Array} boxes 16 numbers an anchor, in pixels of the view
 * @param {Float32Array} logits one an anchor
 * @param {Point[]} centres of the anchors
 * @param {Matrix} view picture to view
 * @returns {Candidate[]}
 */
export function decodeBoxes(boxes, logits, centres, view) {
  const found = [];
  for (let i = 0; i < centres.length; i++) {
    const score = 1 / (1 + Math.exp(-Math.min(Math.max(logits[i], -80), 80)));
    if (!(score >= MIN_SCORE)) continue; // also where it is not a number
    const numbers = boxes.subarray(i * NUMBERS, (i + 1) * NUMBERS);
    // Corners of pixels are at the integers in the view, centres in the picture.
    const point = (/** @type {number} */ n) =>
      /** @type {Point} */ ([
        numbers[n] + centres[i][0] - 0.5,
        numbers[n + 1] + centres[i][1] - 0.5,
      ]);
    found.push({ score, at: point(0), w: numbers[2], h: numbers[3], eyes: [point(4), point(6)] });
  }
  found.sort((a, b) => b.score - a.score);
  const back = inverse(view);
  const grow = scaleOf(back);
  return bestOfEach(found).map(({ score, at, w, h, eyes }) => ({
    score,
    centre: apply(back, at),
    side: Math.max(w, h) * grow,
    eyes: [apply(back, eyes[0]), apply(back, eyes[1])],
    tiltDeg: (Math.atan2(eyes[1][1] - eyes[0][1], eyes[1][0] - eyes[0][0]) * 180) / Math.PI,
  }));
}

/**
 * The boxes that overlap no better one.
 *
 * @template {{ at: Point, w: number, h: number }} Box
 * @param {Box[]} sorted best first
 * @returns {Box[]}
 */
function bestOfEach(sorted) {
  /** @type {Box[]} */
  const kept = [];
  for (const box of sorted) {
    if (kept.every((other) => overlap(box, other) <= SAME_FACE)) kept.push(box);
  }
  return kept;
}

/**
 * @param {{ at: Point, w: number, h: number }} a
 * @param {{ at: Point, w: number, h: number }} b
 */
function overlap(a, b) {
  const along = (/** @type {0 | 1} */ axis, /** @type {'w' | 'h'} */ edge) =>
    Math.min(a.at[axis] + a[edge] / 2, b.at[axis] + b[edge] / 2) -
    Math.max(a.at[axis] - a[edge] / 2, b.at[axis] - b[edge] / 2);
  const both = Math.max(0, along(0, 'w')) * Math.max(0, along(1, 'h'));
  return both / (a.w * a.h + b.w * b.h - both);
}
