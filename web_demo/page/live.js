/** Swaps in what a video element plays, newest frame only: a frame is taken when the last is done. */

/** @import { Session } from './session.js' */
/** @import { Viewer } from './viewer.js' */

const RATE_OVER_MS = 3000;
const LOST_AFTER_MS = 1500; // without a face, before it is said

/**
 * @typedef {object} LiveOptions
 * @property {Float32Array | null} embedding null only shows the video
 * @property {'largest' | 'all'} faces
 * @property {boolean} mirrored
 *
 * @typedef {object} LiveEvents
 * @property {(stages: Record<string, number>, fps: number) => void} onTimes
 * @property {(found: boolean) => void} onFace called when faces are lost or found again
 * @property {(error: unknown) => void} onError the loop has ended
 */

export class Live {
  #video;
  #session;
  #viewer;
  #events;
  #running = false;
  #working = false;
  #asked = 0; // handle of the frame callback that is waited for
  #options;
  /** @type {number[]} */
  #done = [];
  #lastFace = 0;
  #found = true;
  #frameOf = document.createElement('canvas');

  /** Whether any frame has shown a face. */
  everFound = false;

  /**
   * @param {{ video: HTMLVideoElement, session: Session, viewer: Viewer, options: LiveOptions,
   *   events: LiveEvents }} parts
   */
  constructor({ video, session, viewer, options, events }) {
    this.#video = video;
    this.#session = session;
    this.#viewer = viewer;
    this.#options = options;
    this.#events = events;
  }

  /** @param {Partial<LiveOptions>} changed */
  set options(changed) {
    this.#options = { ...this.#options, ...changed };
    this.#take();
  }

  /** False after `stop`, and after an error. */
  get running() {
    return this.#running;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#lastFace = performance.now();
    this.#session.use((engine) => engine.resetTracking()).catch(() => {});
    this.#video.addEventListener('seeked', this.#onSeeked);
    this.#next();
    this.#take();
  }

  stop() {
    this.#running = false;
    // Otherwise the next start finds it, and each pause adds a loop.
    if (this.#video.cancelVideoFrameCallback) this.#video.cancelVideoFrameCallback(this.#asked);
    else cancelAnimationFrame(this.#asked);
    this.#video.removeEventListener('seeked', this.#onSeeked);
  }

  #onSeeked = () => {
    this.#session.use((engine) => engine.resetTracking()).catch(() => {});
    this.#take();
  };

  #next() {
    if (!this.#running) return;
    const again = () => {
      this.#take();
      this.#next();
    };
    this.#asked = this.#video.requestVideoFrameCallback
      ? this.#video.requestVideoFrameCallback(again)
      : requestAnimationFrame(again);
  }

  async #take() {
    const ready = this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    if (!this.#running || this.#working || !ready) return;
    this.#working = true;
    try {
      await this.#swap();
    } catch (error) {
      if (!this.#running) return;
      this.stop();
      this.#events.onError(error);
    } finally {
      this.#working = false;
    }
  }

  async #swap() {
    const { embedding, faces, mirrored } = this.#options;
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!embedding) return this.#viewer.showTarget(this.#video, { width, height, mirrored });
    const bitmap = await grabbed(this.#video);
    if (!bitmap) return;
    // The engine takes the bitmap; the target is shown together with its result.
    this.#frameOf.width = width;
    this.#frameOf.height = height;
    this.#frameOf.getContext('2d')?.drawImage(bitmap, 0, 0);
    const at = this.#video.srcObject ? performance.now() : 1000 * this.#video.currentTime;
    const found = await this.#session.use((engine) =>
      engine.swapFrame(bitmap, at, { embedding, faces }),
    );
    if (!this.#running || !found) return;
    this.#viewer.showResult(this.#frameOf, found.picture, { mirrored });
    this.#count();
    this.#events.onTimes(found.stages_ms, this.#fps());
    this.#notice(found.faces.length > 0);
  }

  #count() {
    const now = performance.now();
    this.#done = [...this.#done.filter((at) => now - at < RATE_OVER_MS), now];
  }

  #fps() {
    if (this.#done.length < 2) return 0;
    const span = this.#done[this.#done.length - 1] - this.#done[0];
    return (1000 * (this.#done.length - 1)) / span;
  }

  /** @param {boolean} found */
  #notice(found) {
    const now = performance.now();
    if (found) {
      this.#lastFace = now;
      this.everFound = true;
    }
    const lost = now - this.#lastFace > LOST_AFTER_MS;
    if (found === this.#found || (!found && !lost)) return;
    this.#found = found;
    this.#events.onFace(found);
  }
}

/**
 * The frame that is shown, null where none was painted yet: Chromium says so only by an error.
 *
 * @param {HTMLVideoElement} video
 */
async function grabbed(video) {
  try {
    return await createImageBitmap(video);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'InvalidStateError') return null;
    throw error;
  }
}
