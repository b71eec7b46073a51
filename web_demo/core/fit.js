/** @import { Matrix, Point } from './matrix.js' */

/**
 * The rotation, uniform scale and shift that best map `points` onto `template`, by least squares.
 * It never mirrors.
 *
 * @param {Point[]} points x and y in pixels, at least two
 * @param {Point[]} template as many
 * @returns {Matrix}
 */
export function fitSimilarity(points, template) {
  const middle = mean(points);
  const goal = mean(template);
  let [along, across, spread] = [0, 0, 0];
  points.forEach(([px, py], i) => {
    const [x, y] = [px - middle[0], py - middle[1]];
    const [u, v] = [template[i][0] - goal[0], template[i][1] - goal[1]];
    along += x * u + y * v;
    across += x * v - y * u;
    spread += x * x + y * y;
  });
  const a = along / Math.max(spread, 1e-12);
  const b = across / Math.max(spread, 1e-12);
  return [
    a,
    -b,
    goal[0] - (a * middle[0] - b * middle[1]),
    b,
    a,
    goal[1] - (b * middle[0] + a * middle[1]),
  ];
}

/**
 * @param {Point[]} points
 * @returns {Point}
 */
function mean(points) {
  const sum = points.reduce(([x, y], [px, py]) => [x + px, y + py], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}
