/** @import { Manifest, ModelSpec } from '../core/manifest.js' */
/** @import { Precision, Progress } from './engine.js' */
import { ManifestError, readManifest } from '../core/manifest.js';
import { EngineError } from './errors.js';
import { fetchBytes, fetchChecked } from './files.js';

/**
 * A file that a list in the bundle names.
 *
 * @typedef {{ name: string, file: string, bytes: number, sha256: string }} ListedFile
 *
 * @typedef {object} Bundle
 * @property {string} url with a slash at its end
 * @property {Manifest} manifest
 * @property {ListedFile[]} detectors near, far and mesh
 */

/**
 * Read a bundle's manifest and its list of detectors.
 *
 * @param {string} url with a slash at its end
 * @returns {Promise<Bundle>}
 * @throws {EngineError} `not-found` or `bad-manifest`
 */
export async function readBundle(url) {
  const text = await fetchText(`${url}manifest.json`);
  try {
    const manifest = readManifest(text);
    return { url, manifest, detectors: await readDetectors(`${url}detectors/index.json`) };
  } catch (error) {
    if (error instanceof ManifestError) throw new EngineError('bad-manifest', error.message);
    throw error;
  }
}

/**
 * The generator's file of a precision, or of the other one that this page knows.
 *
 * @param {Manifest} manifest
 * @param {Precision} precision
 * @returns {{ spec: ModelSpec, reason: string | null }} reason: why it is the other one
 * @throws {EngineError} `not-found`
 */
export function generatorOf(manifest, precision) {
  const other = precision === 'int8' ? 'fp32' : 'int8';
  const of = (/** @type {Precision} */ one) =>
    generators(manifest).find((model) => model.precision === one);
  const spec = of(precision) ?? of(other);
  const missing = `The bundle has no TFLite generator in ${precision}`;
  const remedy = `Export it with --precision ${precision}.`;
  if (!spec) throw new EngineError('not-found', `${missing} and none in ${other}. ${remedy}`);
  const reason = spec.precision === precision ? null : `${missing}, so ${other} runs. ${remedy}`;
  return { spec, reason };
}

/**
 * All generators that this page can run.
 *
 * @param {Manifest} manifest
 */
export function generators({ models }) {
  return models.filter(
    ({ model, format, inputs }) =>
      model === 'generator' && format === 'tflite' && inputs.length === 2,
  );
}

/**
 * The identity encoder in the highest precision: it runs once for each source.
 *
 * @param {Manifest} manifest
 * @returns {ModelSpec | undefined}
 */
export function encoderOf({ models }) {
  const encoders = models.filter(
    ({ model, format }) => model === 'identity' && format === 'tflite',
  );
  const order = ['fp32', 'fp16', 'int8'];
  return order
    .map((precision) => encoders.find((model) => model.precision === precision))
    .find(Boolean);
}

/**
 * Load files of a bundle, checked, and tell how far it is.
 *
 * @template {string} Name
 * @param {string} url of the bundle
 * @param {Record<Name, { file: string, bytes: number, sha256: string }>} files by name; `file` may
 *   lie in a folder
 * @param {(progress: Progress) => void} tell
 * @returns {Promise<Record<Name, { file: string, bytes: Uint8Array<ArrayBuffer> }>>}
 * @throws {EngineError} `not-found` or `bad-hash`
 */
export async function loadFiles(url, files, tell) {
  const names = /** @type {Name[]} */ (Object.keys(files));
  const total_bytes = names.reduce((sum, name) => sum + files[name].bytes, 0);
  let loaded_bytes = 0;
  const loaded = /** @type {Record<Name, { file: string, bytes: Uint8Array<ArrayBuffer> }>} */ ({});
  for (const name of names) {
    const { file } = files[name];
    const bytes = await fetchChecked(url + file, files[name], (more) => {
      loaded_bytes += more;
      tell({ loaded_bytes, total_bytes, what: file });
    });
    loaded[name] = { file, bytes };
  }
  return loaded;
}

/** @param {string} url */
async function fetchText(url) {
  return new TextDecoder().decode(await fetchBytes(url));
}

/**
 * @param {string} url
 * @returns {Promise<ListedFile[]>}
 */
async function readDetectors(url) {
  const text = await fetchText(url);
  /** @type {any} */
  let index;
  try {
    index = JSON.parse(text);
  } catch {
    index = null;
  }
  const names = ['near', 'far', 'mesh'];
  const files = names.map((name) =>
    index?.files?.find?.((/** @type {any} */ f) => f?.name === name),
  );
  if (index?.schema !== 1 || !files.every(isListed)) {
    throw new EngineError(
      'bad-manifest',
      'detectors/index.json does not list the three detectors as expected. ' +
        'Put the bundle into place again with `python -m export.bundle --web BUNDLE`.',
    );
  }
  return files;
}

/** @param {any} file */
function isListed(file) {
  return (
    /^[\w.-]+$/.test(file?.file ?? '') &&
    Number.isInteger(file.bytes) &&
    file.bytes > 0 &&
    file.bytes < 1e9 &&
    /^[0-9a-f]{64}$/.test(file.sha256 ?? '')
  );
}
