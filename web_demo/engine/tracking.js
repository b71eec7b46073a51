/** @import { Pyramid } from '../core/warp.js' */
/** @import { Detector } from './detector.js' */
/** @import { Face } from './face.js' */
import { OneEuro } from '../core/tracker.js';
import { LEAST_PX } from './detector.js';
import { same } from './face.js';

const DETECT_EVERY = 10; // frames; a new face may stay undetected for that long
// A lost face keeps its pose for that long, while it is looked for.
const HOLD_FRAMES = 5;
const HOLD_SECONDS = 0.5;
const CUT = 24; // mean change of a coarse grey picture, in levels of 255, that no motion makes
const COARSE = [32, 18];
const LEAST = 1 / 64; // of a frame's longer edge: smaller faces would take too long in every scene

/**
 * A face of the current scene.
 *
 * @typedef {object} Track
 * @property {Face} face as it was seen last
 * @property {OneEuro} filter
 * @property {number} missed frames since it was seen
 * @property {number} seen when that was, in seconds
 */

/** Faces through a film: detected every few frames, followed by the mesh between, held still. */
export class Tracker {
  #detector;
  /** @type {Track[]} */
  #tracks = [];
  /** @type {Float32Array | null} */
  #coarse = null;
  #sinceLook = 0;

  /** @param {Detector} detector */
  constructor(detector) {
    this.#detector = detector;
  }

  /**
   * The faces of the next frame: first the one that was the largest when the scene began.
   *
   * @param {Pyramid} pyramid the frame
   * @param {number} seconds when it is shown; the distance to the last one sets the smoothing
   * @returns {Promise<Face[]>}
   */
  async step(pyramid, seconds) {
    const begins = this.#isNewScene(pyramid);
    if (begins) this.#tracks = [];
    const followed = await this.#follow(pyramid, seconds);
    this.#sinceLook += 1;
    // A frame without a face costs little else, so it is looked at each time.
    const lost = !this.#tracks.length || this.#tracks.some(({ missed }) => missed > 0);
    if (begins || lost || !followed || this.#sinceLook >= DETECT_EVERY) {
      await this.#look(pyramid, seconds, begins);
    }
    this.#tracks = this.#tracks.filter(
      ({ missed, seen }) => !missed || (missed <= HOLD_FRAMES && seconds - seen <= HOLD_SECONDS),
    );
    return this.#tracks.map(({ face, filter }) => ({ mesh: filter.smooth, score: face.score }));
  }

  /**
   * Whether the picture changed as a whole.
   *
   * @param {Pyramid} pyramid
   */
  #isNewScene(pyramid) {
    const [width, height] = COARSE;
    const { picture } = pyramid;
    const [sx, sy] = [width / picture.width, height / picture.height];
    const seen = pyramid.cut([sx, 0, (sx - 1) / 2, 0, sy, (sy - 1) / 2], width, height).data;
    const grey = Float32Array.from(
      { length: width * height },
      (_, i) => 0.299 * seen[3 * i] + 0.587 * seen[3 * i + 1] + 0.114 * seen[3 * i + 2],
    );
    const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
    grey.forEach((value, i) => (grey[i] = value - mean)); // a lamp switched on is no cut
    const last = this.#coarse;
    this.#coarse = grey;
    if (!last) return true;
    const change = grey.reduce((sum, value, i) => sum + Math.abs(value - last[i]), 0);
    return change / grey.length > CUT;
  }

  /**
   * Move every track to where its face is now.
   *
   * @param {Pyramid} pyramid
   * @param {number} seconds
   * @returns {Promise<boolean>} whether every face was found and is one of its own
   */
  async #follow(pyramid, seconds) {
    /** @type {Track[]} */
    const kept = [];
    const before = this.#tracks.length;
    for (const track of this.#tracks) {
      const face = await this.#detector.track(pyramid, track.face);
      // Two tracks on one face: the younger one has lost its own.
      if (face && kept.some((other) => same(face, other.face))) continue;
      if (face) see(track, face, seconds);
      else track.missed += 1;
      kept.push(track);
    }
    this.#tracks = kept;
    return kept.length === before;
  }

  /**
   * Find new faces, and those that were lost.
   *
   * @param {Pyramid} pyramid
   * @param {number} seconds
   * @param {boolean} deep look for small and turned faces, too
   */
  async #look(pyramid, seconds, deep) {
    this.#sinceLook = 0;
    const known = this.#tracks.filter(({ missed }) => !missed).map(({ face }) => face);
    const { width, height } = pyramid.picture;
    const leastPx = Math.max(LEAST_PX, Math.max(width, height) * LEAST);
    const found = deep
      ? await this.#detector.find(pyramid, { known, leastPx })
      : await this.#detector.glance(pyramid, known);
    for (const face of found) {
      const track = this.#tracks.find((other) => same(face, other.face));
      if (!track)
        this.#tracks.push({ face, filter: new OneEuro(face.mesh), missed: 0, seen: seconds });
      else if (track.missed) see(track, face, seconds);
    }
  }
}

/**
 * @param {Track} track
 * @param {Face} face
 * @param {number} seconds when it is seen
 */
function see(track, face, seconds) {
  track.filter.step(face.mesh, seconds - track.seen);
  track.face = face;
  track.missed = 0;
  track.seen = seconds;
}
