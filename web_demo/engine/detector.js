/** @import { Candidate } from '../core/blazeface.js' */
/** @import { Matrix, Point } from '../core/matrix.js' */
/** @import { Pyramid } from '../core/warp.js' */
/** @import { Face } from './face.js' */
/** @import { BlazeFace, FaceMesh } from './facemodels.js' */
import { cropOfBox, cropOfMesh, fivePoints, turned } from '../core/mesh.js';
import { distance, isInside, isPlausible, largestFirst, same } from './face.js';
import { tiles, whole } from './views.js';

const MIN_SCORE = 0.5;
const PASSES = 6; // at most; two do unless the detector is wrong by more than some 20 degrees
const STILL = 0.06; // of the eye distance
const AROUND_DEG = [-9, 9];
const LOOKS = 3;
const LEVEL_DEG = 15;
const SURE = 0.8; // faces upside down and other things stay below, upright faces seldom do
const WIDER = 0.75; // the detector wants more around the face than the mesh does
const TURNS_DEG = [90, 180, 270, 45, 135, 225, 315]; // BlazeFace finds faces turned by up to 40
export const LEAST_PX = 20; // from ear to ear; smaller faces are seldom found

/** Finds faces of any size and angle: BlazeFace proposes candidates, the face mesh confirms them. */
export class Detector {
  #near;
  #far;
  #mesh;

  /**
   * @param {BlazeFace} near short range
   * @param {BlazeFace} far full range
   * @param {FaceMesh} mesh
   */
  constructor(near, far, mesh) {
    this.#near = near;
    this.#far = far;
    this.#mesh = mesh;
  }

  /**
   * The upright faces of a picture that are not small, largest first; takes milliseconds.
   *
   * @param {Pyramid} pyramid
   * @param {Face[]} known faces that need not be found again; they come back as they are
   * @returns {Promise<Face[]>}
   */
  async glance(pyramid, known = []) {
    for (const detector of [this.#near, this.#far]) {
      const faces = await this.#keep(known, detector, pyramid, [whole(pyramid.picture, 0)]);
      if (faces.length) return largestFirst(faces);
    }
    return [];
  }

  /**
   * The faces of a picture, largest first.
   *
   * @param {Pyramid} pyramid
   * @param {object} [options]
   * @param {boolean} [options.thorough] look for turned and small faces even when a plain look finds
   *   some; when it finds none they are looked for in any case
   * @param {Face[]} [options.known] as for `glance`
   * @param {number} [options.leastPx] the smallest faces that are looked for, from ear to ear
   * @returns {Promise<Face[]>}
   */
  async find(pyramid, { thorough = false, known = [], leastPx = LEAST_PX } = {}) {
    if (!thorough) {
      const faces = await this.glance(pyramid, known);
      if (faces.length) return faces;
    }
    const { picture } = pyramid;
    const upright = [whole(picture, 0)];
    // Upright views first: where two views see one face, the first finding stays.
    let faces = await this.#keep(known, this.#near, pyramid, upright);
    const turns = TURNS_DEG.map((turn) => whole(picture, turn));
    for (const views of [upright, turns, ...tiles(picture, leastPx)]) {
      faces = await this.#keep(faces, this.#far, pyramid, views);
      if (faces.length && !thorough) break;
    }
    return largestFirst(faces);
  }

  /**
   * The same face in the next frame of a film, or null where it is lost.
   *
   * @param {Pyramid} pyramid
   * @param {Face} face
   * @returns {Promise<Face | null>}
   */
  async track(pyramid, face) {
    const found = await this.#mesh.fit(pyramid, cropOfMesh(face.mesh));
    return isFace(found, pyramid) ? found : null;
  }

  /**
   * `faces`, and what a detector newly finds in the views.
   *
   * @param {Face[]} faces
   * @param {BlazeFace} detector
   * @param {Pyramid} pyramid
   * @param {Matrix[]} views
   */
  async #keep(faces, detector, pyramid, views) {
    const kept = [...faces];
    for (const view of views) {
      for (const candidate of await detector.find(pyramid, view)) {
        if (kept.some((face) => isInside(candidate.centre, face))) continue;
        const found = await this.#settle(pyramid, candidate);
        if (found && !kept.some((face) => same(found, face))) kept.push(found);
      }
    }
    return kept;
  }

  /**
   * Fit the mesh, cut the face out by what it says, and fit again; then average. The landmarks
   * depend on the crop by some percent of the eye distance; the mean over crops at three angles is
   * stable.
   *
   * @param {Pyramid} pyramid
   * @param {Candidate} candidate
   * @returns {Promise<Face | null>}
   */
  async #settle(pyramid, candidate) {
    const looked = await this.#secondLook(pyramid, candidate);
    if (!looked) return null;
    let crop = cropOfBox(looked.centre, looked.side, looked.eyes);
    let found = /** @type {Face} */ ({ mesh: [], score: 0 });
    for (let pass = 0, last = null; pass < PASSES; pass++) {
      found = await this.#mesh.fit(pyramid, crop);
      if (!isFace(found, pyramid)) return null;
      crop = cropOfMesh(found.mesh);
      if (last && moved(found.mesh, last) < STILL) break;
      last = found.mesh;
    }
    const meshes = [found.mesh];
    for (const angle of AROUND_DEG) {
      meshes.push((await this.#mesh.fit(pyramid, turned(crop, angle, 1))).mesh);
    }
    return { mesh: meanOf(meshes), score: found.score };
  }

  /**
   * The candidate as seen upright, or null if it then is no face. Both models sometimes take a face
   * that is upside down for an upright one, so the view upside down is looked at as well.
   *
   * @param {Pyramid} pyramid
   * @param {Candidate} first
   * @returns {Promise<Candidate | null>}
   */
  async #secondLook(pyramid, first) {
    let candidate = first;
    for (let look = 0; look < LOOKS; look++) {
      if (isLevel(candidate) && candidate.score >= SURE) return candidate;
      const { centre, side, eyes } = candidate;
      const crop = cropOfBox(centre, side, eyes);
      const seen = [
        ...(await this.#near.find(pyramid, turned(crop, 0, WIDER))),
        ...(await this.#near.find(pyramid, turned(crop, 180, WIDER))),
      ].filter((found) => distance(found.centre, centre) < side / 3);
      if (!seen.length) return null;
      candidate = seen.reduce((best, found) => (found.score > best.score ? found : best));
    }
    return isLevel(candidate) ? candidate : null;
  }
}

/** @param {Candidate} candidate */
function isLevel({ tiltDeg }) {
  return Math.abs(tiltDeg) < LEVEL_DEG;
}

/**
 * @param {Face} found
 * @param {Pyramid} pyramid
 */
function isFace({ mesh, score }, { picture }) {
  return score >= MIN_SCORE && isPlausible(mesh, picture);
}

/**
 * How far one of the five points is from where it was, in eye distances.
 *
 * @param {Point[]} mesh
 * @param {Point[]} last
 */
function moved(mesh, last) {
  const [now, before] = [fivePoints(mesh), fivePoints(last)];
  const eyes = Math.max(distance(now[0], now[1]), 1e-9);
  return Math.max(...now.map((point, i) => distance(point, before[i]))) / eyes;
}

/**
 * @param {Point[][]} meshes
 * @returns {Point[]}
 */
function meanOf(meshes) {
  return meshes[0].map((_, i) => {
    const sum = meshes.reduce(([x, y], mesh) => [x + mesh[i][0], y + mesh[i][1]], [0, 0]);
    return [sum[0] / meshes.length, sum[1] / meshes.length];
  });
}
