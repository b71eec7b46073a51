/** @import { Point } from './matrix.js' */

const FEATHER = 0.07; // of the aligned face's edge, from the outline of the face inwards
const MOUTH_FEATHER = 0.015;
// Chamfer distances of a 5 x 5 neighbourhood (Borgefors, 1986): straight, diagonal, knight's move.
const [STRAIGHT, DIAGONAL, KNIGHT] = [1, 1.4, 2.1969];

// Outline of the face, in order, from the middle of the forehead clockwise as seen.
const OVAL = [
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148,
  176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];
// Inner edge of the lips, in order.
const MOUTH = [
  78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
];

/**
 * Where an aligned face is: the hull of its outline, soft on the inside.
 *
 * @param {Point[]} mesh 468 landmarks in pixels of the aligned face
 * @param {number} size edge of the aligned face
 * @param {boolean} keepMouth leave out what is between the lips
 * @returns {Float32Array} size x size in 0..1; 0 on and outside of the hull and at the border
 */
export function faceMask(mesh, size, keepMouth = false) {
  const inside = fill(hull(OVAL.map((i) => mesh[i])), size);
  for (let i = 0; i < size; i++) {
    inside[i] = inside[(size - 1) * size + i] = inside[i * size] = inside[i * size + size - 1] = 0;
  }
  const mask = ramp(inside, size, FEATHER * size);
  if (keepMouth) {
    const mouth = fill(
      MOUTH.map((i) => mesh[i]),
      size,
    );
    const around = ramp(
      mouth.map((v) => 1 - v),
      size,
      MOUTH_FEATHER * size,
    );
    for (let i = 0; i < mask.length; i++) mask[i] *= around[i];
  }
  return mask;
}

/**
 * The convex hull, by Andrew's monotone chain.
 *
 * @param {Point[]} points
 * @returns {Point[]}
 */
export function hull(points) {
  const sorted = [...points].sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  const half = (/** @type {Point[]} */ list) => {
    /** @type {Point[]} */
    const chain = [];
    for (const p of list) {
      while (chain.length > 1 && turn(chain[chain.length - 2], chain[chain.length - 1], p) <= 0) {
        chain.pop();
      }
      chain.push(p);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

/** @type {(a: Point, b: Point, c: Point) => number} */
const turn = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

/**
 * A polygon filled by the even-odd rule, its edges included; corners are rounded to pixels.
 *
 * @param {Point[]} polygon
 * @param {number} size of the square
 * @returns {Uint8Array} 1 inside
 */
export function fill(polygon, size) {
  const filled = new Uint8Array(size * size);
  const corners = polygon.map(([x, y]) => /** @type {Point} */ ([round(x), round(y)]));
  const edges = corners.map((p, i) => [p, corners[(i + 1) % corners.length]]);
  for (const [p, q] of edges) drawLine(filled, size, p, q);
  for (let y = 0; y < size; y++) {
    const crossings = edges
      .filter(([p, q]) => p[1] <= y !== q[1] <= y)
      .map(([p, q]) => p[0] + ((y - p[1]) * (q[0] - p[0])) / (q[1] - p[1]))
      .sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil(crossings[i]));
      const to = Math.min(size - 1, Math.floor(crossings[i + 1]));
      for (let x = from; x <= to; x++) filled[y * size + x] = 1;
    }
  }
  return filled;
}

/**
 * Bresenham's line from left to right; where two pixels are equally near it takes OpenCV's.
 *
 * @param {Uint8Array} into
 * @param {number} size
 * @param {Point} one whole pixels
 * @param {Point} other
 */
function drawLine(into, size, one, other) {
  const [from, to] = one[0] <= other[0] ? [one, other] : [other, one];
  let [x, y] = from;
  const [dx, dy] = [to[0] - x, Math.abs(to[1] - y)];
  const stepY = to[1] < y ? -1 : 1;
  const [long, short] = [Math.max(dx, dy), Math.min(dx, dy)];
  for (let i = 0, error = long - 2 * short; i <= long; i++) {
    if (x >= 0 && y >= 0 && x < size && y < size) into[y * size + x] = 1;
    const both = error < 0;
    error += both ? 2 * (long - short) : -2 * short;
    if (dx >= dy || both) x++;
    if (dy > dx || both) y += stepY;
  }
}

/**
 * 0 outside and on the edge, rising smoothly over `width` px from there inwards to 1.
 *
 * @param {Uint8Array} inside
 * @param {number} size
 * @param {number} width
 * @returns {Float32Array}
 */
function ramp(inside, size, width) {
  const away = distances(inside, size);
  for (let i = 0; i < away.length; i++) {
    away[i] = smooth((away[i] - 1) / width); // resampling spreads a pixel
  }
  return away;
}

/**
 * 0 up to 0, 1 from 1 on, and a smooth rise in between.
 *
 * @param {number} value
 */
export function smooth(value) {
  const x = Math.min(Math.max(value, 0), 1);
  return x * x * (3 - 2 * x);
}

// Neighbours that a forward pass has seen already: how far along, how far up, distance.
const DX = [-1, 0, -1, 1, -1, 1, -2, 2];
const DY = [0, -1, -1, -1, -2, -2, -1, -1];
const AWAY = [STRAIGHT, STRAIGHT, DIAGONAL, DIAGONAL, KNIGHT, KNIGHT, KNIGHT, KNIGHT];

/**
 * Distance of every pixel to the nearest 0, by two passes.
 *
 * @param {Uint8Array} inside
 * @param {number} size
 * @returns {Float32Array}
 */
function distances(inside, size) {
  const away = new Float32Array(size * size);
  for (const sign of [1, -1]) {
    const steps = DX.map((dx, n) => sign * (DY[n] * size + dx));
    for (let k = 0; k < size * size; k++) {
      const i = sign > 0 ? k : size * size - 1 - k;
      if (!inside[i]) continue;
      const [x, y] = [i % size, (i / size) | 0];
      const free = x > 1 && y > 1 && x < size - 2 && y < size - 2; // all neighbours are there
      let least = sign > 0 ? Infinity : away[i];
      for (let n = 0; n < AWAY.length; n++) {
        if (!free && isBeyond(x + sign * DX[n], y + sign * DY[n], size)) continue;
        const there = away[i + steps[n]] + AWAY[n];
        if (there < least) least = there;
      }
      away[i] = least;
    }
  }
  return away;
}

/** @type {(x: number, y: number, size: number) => boolean} */
const isBeyond = (x, y, size) => x < 0 || y < 0 || x >= size || y >= size;

/**
 * To the nearest whole number, halves to the even one.
 *
 * @param {number} value
 */
function round(value) {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 ? nearest - 1 : nearest;
}
