export const SCHEMA = 1;

const FORMATS = ['pt', 'onnx', 'tflite', 'mlpackage'];
const PRECISIONS = ['fp32', 'fp16', 'int8', 'dynamic', 'pal6', 'w8a8'];
const MODELS = ['generator', 'identity'];
const LAYOUTS = ['NCHW', 'NHWC', 'NC'];
const DTYPES = ['float32', 'uint8'];

/** A manifest that is damaged, or that this version does not know. */
export class ManifestError extends Error {}

/**
 * @typedef {object} TensorSpec
 * @property {string} name
 * @property {number[]} shape
 * @property {string} layout
 * @property {string} dtype
 * @property {[number, number]} range
 * @property {string | null} color
 * @property {number | null} scale
 * @property {number | null} zero_point
 *
 * @typedef {object} ModelSpec
 * @property {string} model
 * @property {string} file
 * @property {string} format
 * @property {string} precision
 * @property {string} sha256
 * @property {number} bytes
 * @property {TensorSpec[]} inputs
 * @property {TensorSpec[]} outputs
 *
 * @typedef {object} Manifest
 * @property {number} schema
 * @property {string} name
 * @property {{ size: number, template: [number, number][] }} align
 * @property {{ start: number, stop: number, size: number }} identity
 * @property {ModelSpec[]} models
 * @property {string} notice
 */

/**
 * Read the text of `manifest.json`. Keys that are not known are ignored.
 *
 * @param {string} text
 * @returns {Manifest}
 */
export function readManifest(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new ManifestError('The manifest is not JSON. Export the bundle again.');
  }
  if (data?.schema !== SCHEMA) {
    throw new ManifestError(
      `The manifest has schema ${JSON.stringify(data?.schema)}; this page reads schema ${SCHEMA}. ` +
        'Export the bundle again, or update the page.',
    );
  }
  word(data, 'name');
  word(data, 'notice');
  number(data.align, 'size', 'align');
  list(data.align, 'template', 'align').forEach((point) =>
    expectNumbers(point, 2, 'align.template'),
  );
  for (const key of ['start', 'stop', 'size']) number(data.identity, key, 'identity');
  list(data, 'models').forEach((model, i) => checkModel(model, `models[${i}]`));
  return data;
}

/**
 * @param {any} model
 * @param {string} where
 */
function checkModel(model, where) {
  oneOf(model, 'model', MODELS, where);
  oneOf(model, 'format', FORMATS, where);
  oneOf(model, 'precision', PRECISIONS, where);
  word(model, 'sha256', where);
  number(model, 'bytes', where);
  const file = word(model, 'file', where);
  // A manifest may come from anywhere; a file name must not lead out of its bundle.
  if (!file || file.startsWith('.') || /[/\\]/.test(file)) {
    throw new ManifestError(
      `${where}.file is ${JSON.stringify(file)}; expected a plain file name.`,
    );
  }
  for (const key of ['inputs', 'outputs']) {
    list(model, key, where).forEach((tensor, i) => {
      const place = `${where}.${key}[${i}]`;
      word(tensor, 'name', place);
      oneOf(tensor, 'layout', LAYOUTS, place);
      oneOf(tensor, 'dtype', DTYPES, place);
      expectNumbers(tensor.shape, undefined, `${place}.shape`);
      expectNumbers(tensor.range, 2, `${place}.range`);
    });
  }
}

/**
 * @param {any} data
 * @param {string} key
 * @param {string} [where]
 * @returns {string}
 */
function word(data, key, where = 'manifest') {
  if (typeof data?.[key] !== 'string') throw unlike(where, key, 'text', data?.[key]);
  return data[key];
}

/**
 * @param {any} data
 * @param {string} key
 * @param {string} where
 */
function number(data, key, where) {
  if (!Number.isFinite(data?.[key])) throw unlike(where, key, 'a number', data?.[key]);
}

/**
 * @param {any} data
 * @param {string} key
 * @param {string} [where]
 * @returns {any[]}
 */
function list(data, key, where = 'manifest') {
  if (!Array.isArray(data?.[key])) throw unlike(where, key, 'a list', data?.[key]);
  return data[key];
}

/**
 * @param {any} data
 * @param {string} key
 * @param {string[]} words
 * @param {string} where
 */
function oneOf(data, key, words, where) {
  if (!words.includes(data?.[key])) throw unlike(where, key, words.join(', '), data?.[key]);
}

/**
 * @param {any} values
 * @param {number | undefined} count
 * @param {string} where
 */
function expectNumbers(values, count, where) {
  const right = Array.isArray(values) && values.every(Number.isFinite);
  if (!right || (count !== undefined && values.length !== count)) {
    throw new ManifestError(`${where} is ${JSON.stringify(values)}; expected numbers.`);
  }
}

/**
 * @param {string} where
 * @param {string} key
 * @param {string} expected
 * @param {unknown} found
 */
function unlike(where, key, expected, found) {
  return new ManifestError(`${where}.${key} is ${JSON.stringify(found)}; expected ${expected}.`);
}
