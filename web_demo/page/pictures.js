/** Opens photos: refuses what cannot be used before it is decoded, and makes huge ones smaller. */
import { PageError } from './faults.js';
import { kindOf, sizeOf } from './filekinds.js';

/** @import { Decoded } from './decoder.js' */

/** Address of the worker; it is loaded with the first photo. */
export const DECODER = new URL('./decoder.js', import.meta.url).href;

const MOST_BYTES = 200e6;
const MOST_PIXELS = 64e6; // about 250 MB once decoded
const WORKED_ON = 16e6; // pixels; the largest canvas of older iPhones
const HEADER_BYTES = 1 << 20;

/** @type {Record<string, string>} */
const INSTEAD = {
  film: 'a film',
  npy: 'an embedding (.npy)',
  text: 'text',
  unknown: 'of an unknown kind',
};

/**
 * @typedef {object} Photo
 * @property {ImageBitmap} bitmap upright
 * @property {string} name of the file
 * @property {string} note what was changed, in words; '' where nothing was
 */

/**
 * Decode a photo, upright, of at most 16 million pixels.
 *
 * @param {File} file
 * @returns {Promise<Photo>}
 * @throws {PageError} it is no photo, too large, or damaged
 */
export async function openPhoto(file) {
  const head = new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer());
  const kind = kindOf(head.subarray(0, 64));
  if (kind === 'empty') throw new PageError('empty');
  if (kind in INSTEAD) throw new PageError('not-a-photo', INSTEAD[kind]);
  if (file.size > MOST_BYTES) {
    throw new PageError('too-many-bytes', String(Math.round(file.size / 1e6)));
  }
  const stated = sizeOf(head);
  if (stated) refuseHuge(stated);
  const { bitmap, width, height } = await decoded(file);
  refuseHuge({ width, height });
  if (!bitmap) throw new PageError(kind === 'heif' ? 'heif' : 'damaged');
  if (width * height <= WORKED_ON) return { bitmap, name: file.name, note: '' };
  const sizes = `${width} × ${height} to ${bitmap.width} × ${bitmap.height}`;
  return { bitmap, name: file.name, note: `The photo was made smaller: ${sizes} pixels.` };
}

/**
 * What a file is instead of a film, in words; null where it may be one.
 *
 * @param {File} file
 * @returns {Promise<string | null>}
 */
export async function whatInsteadOfFilm(file) {
  const kind = kindOf(new Uint8Array(await file.slice(0, 64).arrayBuffer()));
  if (kind === 'empty') throw new PageError('empty');
  if (kind === 'film' || kind === 'unknown') return null;
  return INSTEAD[kind] ?? 'a photo';
}

/** @param {{ width: number, height: number }} size */
function refuseHuge({ width, height }) {
  if (width * height <= MOST_PIXELS) return;
  const millions = Math.round((width * height) / 1e6);
  throw new PageError('too-many-pixels', `${width} × ${height} = ${millions} million`);
}

/** @type {Worker | null} */
let decoder = null;
let orders = 0;

/**
 * @param {Blob} file
 * @returns {Promise<Decoded>}
 */
function decoded(file) {
  const worker = (decoder ??= new Worker(DECODER, { type: 'module' }));
  const id = orders++;
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const listen = { signal: over.signal };
    const take = (/** @type {MessageEvent<Decoded>} */ { data }) => {
      if (data.id !== id) return;
      over.abort();
      resolve(data);
    };
    const fail = () => {
      over.abort();
      decoder = null; // the next photo tries again
      reject(new PageError('part-missing'));
    };
    worker.addEventListener('message', take, listen);
    worker.addEventListener('error', fail, listen);
    worker.postMessage({ id, file, mostPixels: MOST_PIXELS, workedOn: WORKED_ON });
  });
}
