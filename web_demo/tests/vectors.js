import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../tests/vectors');

/** @param {string} name of a JSON file of the vectors */
export function vectors(name) {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf-8'));
}

/**
 * The values of a raw file.
 *
 * @param {{ file: string, dtype: string, shape: number[] }} of
 */
export function array({ file, dtype }) {
  const bytes = readFileSync(join(FOLDER, file));
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return dtype === 'uint8' ? new Uint8Array(copy) : new Float32Array(copy);
}

/**
 * @param {{ file: string, dtype: string, shape: number[] }} of
 */
export function picture(of) {
  return { data: new Uint8Array(array(of)), width: of.shape[1], height: of.shape[0] };
}

/**
 * Rows of two values.
 *
 * @param {{ file: string, dtype: string, shape: number[] }} of
 * @returns {[number, number][]}
 */
export function points(of) {
  const values = array(of);
  return Array.from({ length: of.shape[0] }, (_, i) => [values[2 * i], values[2 * i + 1]]);
}

/**
 * Absolute differences, rising.
 *
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
export function differences(a, b) {
  return Float64Array.from(a, (value, i) => Math.abs(value - b[i])).sort();
}

/**
 * The largest absolute difference.
 *
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
export function worst(a, b) {
  return differences(a, b)[a.length - 1];
}

/** @param {ArrayLike<number>} values */
export function mean(values) {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

/** @type {(rows: number[][]) => any} */
export const matrix = (rows) => rows.flat();
