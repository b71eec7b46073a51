/** @import { Picture } from '../core/warp.js' */

const [WIDTH, HEIGHT] = [640, 480];
const GREY = 96;

/**
 * An aligned face in the middle of a camera's frame, to be measured with.
 *
 * @param {Uint8Array} aligned size x size RGB
 * @param {number} size at most 480
 * @returns {Picture} 640 x 480
 */
export function framed(aligned, size) {
  const data = new Uint8Array(WIDTH * HEIGHT * 3).fill(GREY);
  const [left, top] = [(WIDTH - size) >> 1, (HEIGHT - size) >> 1];
  for (let y = 0; y < size; y++) {
    const row = aligned.subarray(y * size * 3, (y + 1) * size * 3);
    data.set(row, ((top + y) * WIDTH + left) * 3);
  }
  return { data, width: WIDTH, height: HEIGHT };
}
