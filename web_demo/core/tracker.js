/** @import { Point } from './matrix.js' */

// One Euro filter (Casiez, Roussel, Vogel, CHI 2012): still points are smoothed much, moving ones
// hardly. Speed is in sizes of the face per second.
const STILL_HZ = 1.5;
const HZ_PER_SPEED = 30;
const SPEED_HZ = 1;
const USUAL_SECONDS = 1 / 25; // where a clock stands still or jumps

/** The landmarks of one face through the frames, held still where the face rests. */
export class OneEuro {
  /** @param {Point[]} mesh as first seen */
  constructor(mesh) {
    /** @type {Point[]} */
    this.smooth = mesh;
    /** @type {Point[]} */
    this.speed = mesh.map(() => [0, 0]);
  }

  /**
   * @param {Point[]} mesh as seen now
   * @param {number} seconds since the last frame
   * @returns {Point[]} as to be shown
   */
  step(mesh, seconds) {
    const elapsed = seconds > 0 && seconds < 1 ? seconds : USUAL_SECONDS;
    const side = sideOf(mesh);
    const toSpeed = share(SPEED_HZ, elapsed);
    const mean = [0, 0];
    this.speed = this.speed.map((speed, i) => {
      const next = /** @type {Point} */ (
        speed.map((s, axis) => {
          const now = (mesh[i][axis] - this.smooth[i][axis]) / (elapsed * side);
          return s + toSpeed * (now - s);
        })
      );
      mean[0] += next[0] / mesh.length;
      mean[1] += next[1] / mesh.length;
      return next;
    });
    // One cutoff for the whole face: points that moved apart would bend it.
    const toMesh = share(STILL_HZ + HZ_PER_SPEED * Math.hypot(mean[0], mean[1]), elapsed);
    this.smooth = this.smooth.map(
      ([x, y], i) =>
        /** @type {Point} */ ([x + toMesh * (mesh[i][0] - x), y + toMesh * (mesh[i][1] - y)]),
    );
    return this.smooth;
  }
}

/**
 * Longer edge of the box around the landmarks.
 *
 * @param {Point[]} mesh
 */
export function sideOf(mesh) {
  const [xs, ys] = [mesh.map(([x]) => x), mesh.map(([, y]) => y)];
  return Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
}

/**
 * How much of the new value a low-pass filter of the first order takes.
 *
 * @param {number} cutoffHz
 * @param {number} elapsed
 */
function share(cutoffHz, elapsed) {
  return 1 / (1 + 1 / (2 * Math.PI * cutoffHz * elapsed));
}
