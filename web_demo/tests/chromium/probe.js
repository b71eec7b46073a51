/** What the tests run inside of the page. */
/** @import { Matrix, Point } from '../../core/matrix.js' */
import { apply } from '../../core/matrix.js';
import { fill, hull } from '../../core/mask.js';
import { fivePoints } from '../../core/mesh.js';
import { Pyramid } from '../../core/warp.js';
import { Detector } from '../../engine/detector.js';
import { Engine } from '../../engine/engine.js';
import { BlazeFace, FaceMesh } from '../../engine/facemodels.js';
import { fetchBytes } from '../../engine/files.js';
import { LoadedModel, startRuntime } from '../../engine/runtime.js';

/**
 * Values of a raw file of the vectors.
 *
 * @param {{ file: string, dtype: string }} of
 */
export async function array({ file, dtype }) {
  const { buffer } = await fetchBytes(new URL(`/vectors/${file}`, location.href).href);
  return dtype === 'uint8' ? new Uint8Array(buffer) : new Float32Array(buffer);
}

/**
 * @param {{ file: string, dtype: string }} of
 */
export async function floats(of) {
  return /** @type {Float32Array} */ (await array(of));
}

/** @param {string} name of a JSON file of the vectors */
export async function vectors(name) {
  return (await fetch(`/vectors/${name}.json`)).json();
}

/**
 * @param {{ file: string, dtype: string, shape: number[] }} of
 */
export async function rgb(of) {
  const data = /** @type {Uint8Array} */ (await array(of));
  return { data, width: of.shape[1], height: of.shape[0] };
}

/**
 * @param {{ file: string, dtype: string, shape: number[] }} of
 */
export async function imageData(of) {
  const { data, width, height } = await rgb(of);
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    image.data.set([data[3 * i], data[3 * i + 1], data[3 * i + 2], 255], 4 * i);
  }
  return image;
}

/** The bundle's detectors, loaded into the page itself. */
async function detectors() {
  await startRuntime('wasm', 1);
  const index = await (await fetch('/bundle/detectors/index.json')).json();
  const load = async (/** @type {string} */ name) => {
    const { file } = index.files.find((/** @type {any} */ f) => f.name === name);
    const bytes = await fetchBytes(new URL(`/bundle/detectors/${file}`, location.href).href);
    return LoadedModel.compile(bytes, file, { threads: 1 });
  };
  const [near, far] = [new BlazeFace(await load('near')), new BlazeFace(await load('far'))];
  const mesh = new FaceMesh(await load('mesh'));
  return { near, far, mesh, detector: new Detector(near, far, mesh) };
}

/**
 * How far the five points of a portrait are from where they were moved to, in eye distances: turned,
 * small in a large picture, or both.
 */
export async function movedErrors() {
  const { detector } = await detectors();
  const [portrait] = (await vectors('portraits')).cases;
  const pyramid = new Pyramid(await rgb(portrait.image));
  const errors = [];
  for (const { turnDeg, scale, width, height } of MOVES) {
    const turn = (turnDeg * Math.PI) / 180;
    const [c, s] = [scale * Math.cos(turn), scale * Math.sin(turn)];
    const [x, y] = [160 * c - 160 * s, 160 * s + 160 * c]; // where the portrait's middle goes
    const matrix = /** @type {Matrix} */ ([c, -s, width / 2 - x, s, c, height / 2 - y]);
    const picture = pyramid.cut(matrix, width, height, true);
    const faces = await detector.find(new Pyramid(picture));
    const wanted = portrait.five_points.map((/** @type {Point} */ point) => apply(matrix, point));
    const eyes = farthest([wanted[0]], [wanted[1]]);
    const error = faces.length ? farthest(fivePoints(faces[0].mesh), wanted) / eyes : Infinity;
    errors.push({ turnDeg, scale, count: faces.length, error });
  }
  return errors;
}

const MOVES = [
  { turnDeg: 25, scale: 1, width: 400, height: 400 },
  { turnDeg: 90, scale: 1, width: 400, height: 400 },
  { turnDeg: 180, scale: 1, width: 400, height: 400 },
  { turnDeg: 0, scale: 0.3, width: 1200, height: 800 },
];

/** How far the detectors' points are from Python's, in pixels: the largest of each kind. */
export async function detectorErrors() {
  const { near, far, mesh, detector } = await detectors();
  const portraits = (await vectors('portraits')).cases;
  const pyramids = await Promise.all(
    portraits.map(async (/** @type {any} */ one) => new Pyramid(await rgb(one.image))),
  );
  const errors = { blazeface: 0, mesh: 0, settled: 0 };
  const { cases } = await vectors('blazeface');
  for (const [i, one] of cases.entries()) {
    const unit = /** @type {Matrix} */ (
      one.view.flat().map((/** @type {number} */ v) => v / one.size)
    );
    unit[2] += 0.5 / one.size;
    unit[5] += 0.5 / one.size;
    const [found] = await (one.range === 'short' ? near : far).find(pyramids[i % 2], unit);
    const [wanted] = one.faces;
    errors.blazeface = Math.max(
      errors.blazeface,
      farthest([found.centre, ...found.eyes], [wanted.centre, ...wanted.eyes]),
    );
  }
  for (const [i, one] of (await vectors('mesh')).cases.entries()) {
    const found = await mesh.fit(pyramids[i], one.crop.flat());
    errors.mesh = Math.max(errors.mesh, farthest(found.mesh, pairs(await array(one.mesh))));
    const [face] = await detector.find(pyramids[i]);
    const settled = farthest(face.mesh, pairs(await array(portraits[i].mesh)));
    errors.settled = Math.max(errors.settled, settled);
  }
  return errors;
}

/**
 * A swapped portrait against Python's: PSNR over the pixels that Python changed, and how many pixels
 * outside of the face's hull were changed.
 *
 * @param {ImageData} found
 * @param {any} one case of portraits.json
 */
export async function againstPython(found, one) {
  const [before, wanted] = [await array(one.image), await array(one.final)];
  const inHull = fill(hull(pairs(await array(one.mesh))), found.width);
  let [squares, values, outside, strayed] = [0, 0, 0, 0];
  for (let i = 0; i < found.width * found.height; i++) {
    const mine = found.data.subarray(4 * i, 4 * i + 3);
    const [old, theirs] = [before, wanted].map((from) => from.subarray(3 * i, 3 * i + 3));
    if (theirs.some((value, c) => value !== old[c])) {
      squares += mine.reduce((sum, value, c) => sum + (value - theirs[c]) ** 2, 0);
      values += 3;
    }
    if (inHull[i]) continue;
    outside += 1;
    strayed += Number(mine.some((value, c) => value !== old[c]));
  }
  return { psnr_db: 10 * Math.log10(255 ** 2 / (squares / values)), outside, strayed };
}

/**
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
export function cosine(a, b) {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  return dot / Math.sqrt(aa * bb);
}

/**
 * @param {Point[]} found
 * @param {Point[]} wanted
 */
export function farthest(found, wanted) {
  return Math.max(...found.map(([x, y], i) => Math.hypot(x - wanted[i][0], y - wanted[i][1])));
}

/**
 * @param {ArrayLike<number>} values
 * @returns {Point[]}
 */
function pairs(values) {
  return Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]]);
}

/** The fake camera, its frames swapped by an engine. */
export class Camera {
  /**
   * @param {Engine} engine
   * @param {HTMLVideoElement} video
   * @param {Float32Array} embedding
   */
  constructor(engine, video, embedding) {
    this.engine = engine;
    this.video = video;
    this.embedding = embedding;
  }

  /** @param {import('../../engine/engine.js').OpenOptions} options */
  static async open(options) {
    const engine = await Engine.open(options);
    const video = document.createElement('video');
    video.muted = true;
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
    await video.play();
    const [{ embedding }] = (await vectors('portraits')).cases;
    return new Camera(engine, video, await floats(embedding));
  }

  /** Swap the frame that is shown now; whether it changed, or null where it was dropped. */
  async frame() {
    const bitmap = await createImageBitmap(this.video);
    const before = performance.now();
    const options = { embedding: this.embedding };
    const result = await this.engine.swapFrame(bitmap, performance.now(), options);
    if (!result) return null;
    return { ms: performance.now() - before, swapped: result.stages_ms.blend > 0, ...result };
  }

  /** @param {number} count frames */
  async run(count) {
    let [swapped, ms] = [0, 0];
    for (let i = 0; i < count; i++) {
      const result = await this.frame();
      swapped += Number(result?.swapped ?? false);
      ms += (result?.ms ?? 0) / count;
    }
    return { swapped, ms };
  }
}
