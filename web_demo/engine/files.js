import { EngineError } from './errors.js';
import { sha256 } from './sha256.js';

/**
 * @typedef {(bytes: number) => void} OnBytes hears how many more bytes are loaded
 */

/**
 * A whole file.
 *
 * @param {string} url
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {EngineError} `not-found`
 */
export async function fetchBytes(url) {
  return new Uint8Array(await (await fetchFile(url)).arrayBuffer());
}

/**
 * A whole file of known size and hash.
 *
 * @param {string} url
 * @param {{ bytes: number, sha256: string }} expected
 * @param {OnBytes} [onBytes]
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {EngineError} `not-found` or `bad-hash`
 */
export async function fetchChecked(url, expected, onBytes = () => {}) {
  const response = await fetchFile(url);
  const bytes = new Uint8Array(expected.bytes);
  let length = 0;
  if (response.body) {
    const reader = response.body.getReader();
    for (let part = await reader.read(); part.value; part = await reader.read()) {
      if (length + part.value.length > expected.bytes) {
        await reader.cancel();
        throw unlike(url);
      }
      bytes.set(part.value, length);
      length += part.value.length;
      onBytes(part.value.length);
    }
  }
  if (length !== expected.bytes || (await sha256(bytes)) !== expected.sha256) throw unlike(url);
  return bytes;
}

/** @param {string} url */
async function fetchFile(url) {
  let response;
  try {
    response = await fetch(url);
  } catch {
    throw new EngineError(
      'not-found',
      `${nameOf(url)} cannot be loaded. Check the connection to the server, and load the page again.`,
    );
  }
  if (response.ok) return response;
  throw new EngineError(
    'not-found',
    `The server has no ${nameOf(url)} (status ${response.status}). ` +
      'Put a bundle into place with `python -m export.bundle --web BUNDLE`.',
  );
}

/** @param {string} url */
function unlike(url) {
  return new EngineError(
    'bad-hash',
    `${nameOf(url)} is not the file that the bundle names: its size or SHA-256 differs. ` +
      'Put the bundle into place again.',
  );
}

/** @param {string} url */
function nameOf(url) {
  return decodeURIComponent(new URL(url).pathname.split('/').pop() ?? url);
}
