/** @import { TensorSpec } from '../core/manifest.js' */
import { EngineError } from './errors.js';

/**
 * What a model takes for a picture.
 *
 * @param {Uint8Array | Uint8ClampedArray} picture rows first, RGB, 0 to 255
 * @param {TensorSpec} spec of the input, NHWC
 * @returns {Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>}
 */
export function toTensor(picture, spec) {
  expectPicture(spec);
  const [low, high] = spec.range;
  if (spec.dtype === 'uint8') return Uint8Array.from(picture);
  const gain = (high - low) / 255;
  const values = new Float32Array(picture.length);
  for (let i = 0; i < values.length; i++) values[i] = picture[i] * gain + low;
  return values;
}

/**
 * The picture in a model's output, rounded to 0..255.
 *
 * @param {Float32Array | Uint8Array} values
 * @param {TensorSpec} spec of the output, NHWC
 * @returns {Uint8Array} RGB
 * @throws {EngineError} `not-finite`
 */
export function toPicture(values, spec) {
  expectPicture(spec);
  const [low, high] = spec.range;
  if (values instanceof Uint8Array && low === 0 && high === 255) return values;
  expectFinite(values, spec.name);
  const gain = 255 / (high - low);
  const rounded = new Uint8ClampedArray(values.length); // rounds and clamps what is stored
  for (let i = 0; i < values.length; i++) rounded[i] = (values[i] - low) * gain;
  return new Uint8Array(rounded.buffer);
}

/**
 * The picture in a model's output as 0..1, not clamped.
 *
 * @param {Float32Array | Uint8Array} values
 * @param {TensorSpec} spec
 * @returns {Float32Array}
 */
export function toUnit(values, spec) {
  const [low, high] = spec.range;
  return Float32Array.from(values, (value) => (value - low) / (high - low));
}

/**
 * A vector at length one.
 *
 * @param {Float32Array | Float64Array} vector
 * @param {string} what it is, for the message
 * @returns {Float32Array<ArrayBuffer>}
 * @throws {EngineError} `not-finite`
 */
export function unit(vector, what) {
  const norm = Math.hypot(...vector);
  if (!Number.isFinite(norm) || norm === 0) {
    throw new EngineError('not-finite', `${what} is zero or not finite; expected a unit vector.`);
  }
  return Float32Array.from(vector, (value) => value / norm);
}

/**
 * @param {Float32Array | Uint8Array} values
 * @param {string} name of the output
 * @throws {EngineError} `not-finite`
 */
export function expectFinite(values, name) {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new EngineError(
        'not-finite',
        `The model gave values for '${name}' that are not finite. Choose wasm and another precision.`,
      );
    }
  }
}

/** @param {TensorSpec} spec */
function expectPicture({ name, layout }) {
  if (layout === 'NHWC') return;
  throw new EngineError('bad-manifest', `'${name}' has layout ${layout}; TFLite files have NHWC.`);
}
