import { EngineError } from './errors.js';
import { unit } from './tensors.js';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"

/**
 * The identity in an `.npy` file: floats of shape (size,) or (1, size), brought to unit norm.
 *
 * @param {ArrayBuffer} file
 * @param {number} size of the generator's embedding
 * @returns {Float32Array<ArrayBuffer>}
 * @throws {EngineError} `bad-picture`
 */
export function readEmbedding(file, size) {
  const view = new DataView(file);
  const known = file.byteLength >= 12 && MAGIC.every((byte, i) => view.getUint8(i) === byte);
  if (!known) throw unlike('it is no .npy file', size);
  const long = view.getUint8(6) > 1; // version 2 and 3 have four bytes for the header's length
  const start = long ? 12 : 10;
  const end = start + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > file.byteLength) throw unlike('it is cut off', size);
  const header = new TextDecoder('latin1').decode(new Uint8Array(file, start, end - start));
  const type = /'descr':\s*'([<|=>]?)f([248])'/.exec(header);
  const shape = /'shape':\s*\(([\d, ]*)\)/.exec(header)?.[1].split(',').map(Number);
  const axes = shape?.filter((length, i) => length || i === 0) ?? [];
  const fits = axes.length <= 2 && axes.at(-1) === size && (axes.length === 1 || axes[0] === 1);
  if (!type || !fits) throw unlike(`it holds ${header.trim()}`, size);
  const bytes = Number(type[2]);
  if (file.byteLength - end !== bytes * size) throw unlike('it is cut off', size);
  const read = reader(view, bytes, type[1] !== '>');
  const values = Float64Array.from({ length: size }, (_, i) => read(end + i * bytes));
  try {
    return unit(values, 'The identity');
  } catch {
    throw unlike('its vector is zero or not finite', size);
  }
}

/**
 * @param {DataView} view
 * @param {number} bytes of a value
 * @param {boolean} little endian
 * @returns {(at: number) => number}
 */
function reader(view, bytes, little) {
  if (bytes === 8) return (at) => view.getFloat64(at, little);
  if (bytes === 4) return (at) => view.getFloat32(at, little);
  return (at) => halfFloat(view.getUint16(at, little));
}

/**
 * IEEE 754 binary16; older browsers cannot read it.
 *
 * @param {number} bits
 */
function halfFloat(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * @param {string} why
 * @param {number} size
 */
function unlike(why, size) {
  return new EngineError(
    'bad-picture',
    `The file is no identity for this generator: ${why}. Expected ${size} floats in an .npy; ` +
      'make it with `python -m pipeline --save-identity`.',
  );
}
