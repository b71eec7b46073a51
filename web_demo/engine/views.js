/** @import { Matrix } from '../core/matrix.js' */
import { turned } from '../core/mesh.js';

// Measured with both portraits: the full-range detector finds every face whose landmarks span a
// twelfth of a view, if three quarters of a face lie between its middle and the view's edge.
const FACES_PER_VIEW = 10.8; // with a tenth to spare
const STEP = 0.72; // of a tile's edge: a face too small for larger tiles fits into one of these

/**
 * All of a picture, turned about its middle, as a unit square.
 *
 * @param {{ width: number, height: number }} picture
 * @param {number} turnDeg
 * @returns {Matrix} picture to unit square
 */
export function whole({ width, height }, turnDeg) {
  const turn = (turnDeg * Math.PI) / 180;
  const [c, s] = [Math.abs(Math.cos(turn)), Math.abs(Math.sin(turn))];
  const extent = Math.max(width * c + height * s, width * s + height * c);
  const [x, y] = [(width - 1) / 2, (height - 1) / 2];
  return turned([1, 0, 0.5 - x, 0, 1, 0.5 - y], turnDeg, 1 / extent);
}

/**
 * Overlapping upright squares of halving size, the largest ones first, one list for each size. There
 * are about 56 for a million pixels at 20 px.
 *
 * @param {{ width: number, height: number }} picture
 * @param {number} leastPx the smallest face that is to be found, from ear to ear
 * @returns {Generator<Matrix[]>}
 */
export function* tiles({ width, height }, leastPx) {
  const [longest, side] = [Math.max(width, height), FACES_PER_VIEW * leastPx];
  if (side >= longest) return;
  for (let halvings = Math.ceil(Math.log2(longest / side)) - 1; halvings >= 0; halvings--) {
    yield grid(width, height, side * 2 ** halvings);
  }
}

/**
 * Squares that cover a picture without reaching beyond it.
 *
 * @param {number} width
 * @param {number} height
 * @param {number} side of a square
 * @returns {Matrix[]}
 */
function grid(width, height, side) {
  const [columns, rows] = [width, height].map((edge) => {
    const room = Math.max(0, edge - side);
    const count = Math.ceil(room / (STEP * side));
    return Array.from({ length: count + 1 }, (_, i) => (count ? (room * i) / count : 0));
  });
  const scale = 1 / side;
  return rows.flatMap((top) =>
    columns.map(
      (left) =>
        /** @type {Matrix} */ ([scale, 0, (0.5 - left) * scale, 0, scale, (0.5 - top) * scale]),
    ),
  );
}
