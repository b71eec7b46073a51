import { stageOf } from '../core/statistics.js';

/**
 * A result row: one model file on one runtime on one device, as the command-line benchmarks and the
 * other apps write it.
 *
 * @typedef {ReturnType<typeof stageOf>} Stage
 * @typedef {{ model: string, os: string, soc: string, cores: number }} Device
 * @typedef {{ psnr_db: number | null, max_abs: number | null, identity_cosine: number | null, mean_psnr_db: number | null }} Check
 *
 * @typedef {object} Row
 * @property {1} schema
 * @property {'web'} source
 * @property {Device} device
 * @property {{ version: string, commit: string }} app
 * @property {{ name: string, file: string, sha256: string, format: string, precision: string, bytes: number }} model
 * @property {{ requested: string, used: string, threads: number }} backend
 * @property {{ warmup: number, n: number }} runs
 * @property {'measured'} how
 * @property {number | null} load_ms
 * @property {number | null} first_ms
 * @property {null} peak_rss_mb a browser does not tell
 * @property {Record<string, Stage>} stages detect, align, generate, blend, total; none if it failed
 * @property {Check | null} check against PyTorch, over the golden samples
 * @property {string | null} reason why there are no stages
 * @property {string} taken date and time, ISO 8601
 * @property {Record<string, string>} tools versions
 */

/**
 * Frames of stage times, summed up stage by stage.
 *
 * @param {Record<string, number>[]} frames at least one; milliseconds by stage
 * @returns {Record<string, Stage>}
 */
export function stagesOf(frames) {
  const names = Object.keys(frames[0]);
  return Object.fromEntries(
    names.map((name) => [name, stageOf(frames.map((frame) => frame[name]))]),
  );
}
