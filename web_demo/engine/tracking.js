/** @import { Pyramid } from '../core/warp.js' */
/** @import { Detector } from './detector.js' */
/** @import { Face } from './face.js' */
import { OneEuro } from '../core/tracker.js';
import { LEAST_PX } from './detector.js';
import { same } from './face.js';

const DETECT_EVERY = 10; // frames; a new face may stay undetected for that long
const HOLD = 5; // frames that a lost face keeps its pose for, while it is looked for
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
 */

/** Faces through a film: detected every few frames, followed by the mesh between, held still. */
export class Tracker {
  #detector;
  /** @type {Track[]} */
  #tracks = [];
  /** @type {Float32Array | null} */
  #coarse = null;
  #sinceLook = 0;
  #seconds = 0;

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
    const elapsed = seconds - this.#seconds;
    this.#seconds = seconds;
    const begins = this.#isNewScene(pyramid);
    if (begins) this.#tracks = [];
    const followed = await this.#follow(pyramid, elapsed);
    this.#sinceLook += 1;
    const lost = this.#tracks.some(({ missed }) => missed > 0);
    if (begins || lost || !followed || this.#sinceLook >= DETECT_EVERY) {
      await this.#look(pyramid, elapsed, begins);
    }
    this.#tracks = this.#tracks.filter(({ missed }) => missed <= HOLD);
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
   * @param {number} elapsed seconds
   * @returns {Promise<boolean>} whether every face was found and is one of its own
   */
  async #follow(pyramid, elapsed) {
    /** @type {Track[]} */
    const kept = [];
    const before = this.#tracks.length;
    for (const track of this.#tracks) {
      const face = await this.#detector.track(pyramid, track.face);
      // Two tracks on one face: the younger one has lost its own.
      if (face && kept.some((other) => same(face, other.face))) continue;
      if (face) see(track, face, elapsed * (track.missed + 1));
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
   * @param {number} elapsed seconds
   * @param {boolean} deep look for small and turned faces, too
   */
  async #look(pyramid, elapsed, deep) {
    this.#sinceLook = 0;
    const known = this.#tracks.filter(({ missed }) => !missed).map(({ face }) => face);
    const { width, height } = pyramid.picture;
    const leastPx = Math.max(LEAST_PX, Math.max(width, height) * LEAST);
    const found = deep
      ? await this.#detector.find(pyramid, { known, leastPx })
      : await this.#detector.glance(pyramid, known);
    for (const face of found) {
      const track = this.#tracks.find((other) => same(face, other.face));
      if (!track) this.#tracks.push({ face, filter: new OneEuro(face.mesh), missed: 0 });
      else if (track.missed) see(track, face, elapsed * (track.missed + 1));
    }
  }
}

/**
 * @param {Track} track
 * @param {Face} face
 * @param {number} elapsed seconds
 */
function see(track, face, elapsed) {
  track.filter.step(face.mesh, elapsed);
  track.face = face;
  track.missed = 0;
}
