/**
 * What went wrong, as a word that a page can act on:
 *
 * - `no-face`: a picture shows no face, or only such as are seen from the side
 * - `bad-manifest`: `manifest.json` is damaged, or has another schema
 * - `bad-hash`: a file of the bundle is not the one that its manifest names
 * - `not-found`: a file is missing on the server, or the bundle has no such model
 * - `runtime`: LiteRT.js does not start or does not run a model
 * - `busy`: the device is being measured
 * - `not-finite`: a model gave values that are not finite
 * - `bad-picture`: a picture, or an embedding file, is of another kind or size than expected
 *
 * @typedef {'no-face' | 'bad-manifest' | 'bad-hash' | 'not-found' | 'runtime' | 'busy' | 'not-finite' | 'bad-picture'} ErrorCode
 */

/** An error whose message says what was wrong, what was expected and what to do. */
export class EngineError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message for the user
   */
  constructor(code, message) {
    super(message);
    this.name = 'EngineError';
    this.code = code;
  }
}

/**
 * An error as plain data, for the way between worker and page.
 *
 * @param {unknown} error
 * @returns {{ code: ErrorCode, message: string }}
 */
export function toData(error) {
  if (error instanceof EngineError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'runtime', message };
}
