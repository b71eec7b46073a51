/**
 * 2 x 3 matrices that map (x, y, 1), rows first. Pixel centres lie at the integers.
 *
 * @typedef {[number, number, number, number, number, number]} Matrix
 * @typedef {[number, number]} Point
 */

/**
 * @param {Matrix} m
 * @param {Point} point
 * @returns {Point}
 */
export function apply(m, [x, y]) {
  return [m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]];
}

/**
 * The matrix that undoes `m`.
 *
 * @param {Matrix} m
 * @returns {Matrix}
 */
export function inverse(m) {
  const determinant = determinantOf(m);
  const [a, b, c, d] = [m[4], -m[1], -m[3], m[0]].map((v) => v / determinant);
  return [a, b, -(a * m[2] + b * m[5]), c, d, -(c * m[2] + d * m[5])];
}

/**
 * `first`, then `second`.
 *
 * @param {Matrix} second
 * @param {Matrix} first
 * @returns {Matrix}
 */
export function compose(second, first) {
  const [a, b, c, d, e, f] = first;
  return [
    second[0] * a + second[1] * d,
    second[0] * b + second[1] * e,
    second[0] * c + second[1] * f + second[2],
    second[3] * a + second[4] * d,
    second[3] * b + second[4] * e,
    second[3] * c + second[4] * f + second[5],
  ];
}

/**
 * @param {Matrix} m
 * @returns {number}
 */
export function determinantOf(m) {
  return m[0] * m[4] - m[1] * m[3];
}

/**
 * How many times as long a similarity makes things.
 *
 * @param {Matrix} m
 */
export function scaleOf(m) {
  return Math.sqrt(Math.abs(determinantOf(m)));
}
