/** @import { Picture } from '../core/warp.js' */
import { EngineError } from './errors.js';

const MOST_PIXELS = 64e6; // 256 MB as RGBA, several times over: more ends a phone's page

/**
 * The pixels of a picture from the page, as RGB and as they came.
 *
 * @param {ImageBitmap | ImageData} given
 * @returns {{ rgb: Picture, rgba: ImageData }} `rgba` may be written to
 * @throws {EngineError} `bad-picture`
 */
export function readPixels(given) {
  const { width, height } = given ?? {};
  if (!width || !height) {
    throw new EngineError('bad-picture', 'The picture is empty. Choose another one.');
  }
  if (width * height > MOST_PIXELS) {
    throw new EngineError(
      'bad-picture',
      `The picture has ${width} x ${height} pixels; at most ${MOST_PIXELS / 1e6} million are ` +
        'swapped in a browser. Make it smaller.',
    );
  }
  const rgba = given instanceof ImageData ? given : drawn(given);
  return { rgb: toRgb(rgba), rgba };
}

/**
 * Put colours into a picture with transparency, which stays as it is.
 *
 * @param {Picture} rgb
 * @param {ImageData} into of the same size
 */
export function writePixels({ data }, into) {
  const to = into.data;
  for (let from = 0, at = 0; from < data.length; from += 3, at += 4) {
    to[at] = data[from];
    to[at + 1] = data[from + 1];
    to[at + 2] = data[from + 2];
  }
}

/** @type {OffscreenCanvas | undefined} */
let canvas;

/** @param {ImageBitmap} bitmap */
function drawn(bitmap) {
  canvas ??= new OffscreenCanvas(1, 1);
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new EngineError('bad-picture', 'The browser has no memory for the picture.');
  context.globalCompositeOperation = 'copy';
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/**
 * @param {ImageData} rgba
 * @returns {Picture}
 */
function toRgb({ data: from, width, height }) {
  const data = new Uint8Array(width * height * 3);
  for (let at = 0, i = 0; at < data.length; at += 3, i += 4) {
    data[at] = from[i];
    data[at + 1] = from[i + 1];
    data[at + 2] = from[i + 2];
  }
  return { data, width, height };
}
