/** Opens a film file, and the bar that plays it. */
import { byId } from './dom.js';
import { PageError } from './faults.js';
import { whatInsteadOfFilm } from './pictures.js';

const PATIENCE_MS = 15_000; // for the first frame
const STEPS = 1000; // of the bar

/**
 * Load a film into a video element, up to its first frame.
 *
 * @param {HTMLVideoElement} video
 * @param {File} file
 * @throws {PageError} it is no film, or none that this browser plays
 */
export async function openFilm(video, file) {
  const instead = await whatInsteadOfFilm(file);
  if (instead) throw new PageError('not-a-film', instead);
  const url = URL.createObjectURL(file);
  try {
    await firstFrame(video, url);
  } catch (error) {
    closeFilm(video);
    URL.revokeObjectURL(url);
    throw error;
  }
}

/** @param {HTMLVideoElement} video */
export function closeFilm(video) {
  if (!video.src) return;
  video.pause();
  URL.revokeObjectURL(video.src);
  video.removeAttribute('src');
  video.load();
}

/**
 * @param {HTMLVideoElement} video
 * @param {string} url
 * @returns {Promise<void>}
 */
function firstFrame(video, url) {
  return new Promise((resolve, reject) => {
    const fail = (/** @type {string} */ why) => reject(new PageError('film-damaged', why));
    const timer = setTimeout(() => fail('no picture came within 15 s'), PATIENCE_MS);
    video.onloadeddata = () => {
      clearTimeout(timer);
      if (video.videoWidth) resolve();
      else fail('it has no picture');
    };
    video.onerror = () => {
      clearTimeout(timer);
      const unknown = video.error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED;
      fail(unknown ? 'its format is unknown here' : 'it is damaged');
    };
    video.src = url;
  });
}

/** Play, pause and seek. */
export class FilmBar {
  #bar = byId('film-bar', HTMLElement);
  #play = byId('film-play', HTMLButtonElement);
  #seek = byId('film-seek', HTMLInputElement);
  #time = byId('film-time', HTMLOutputElement);
  #video;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
    this.#play.addEventListener('click', () => (video.paused ? video.play() : video.pause()));
    this.#seek.addEventListener('input', () => {
      video.currentTime = (Number(this.#seek.value) / STEPS) * (video.duration || 0);
    });
    for (const name of ['play', 'pause', 'timeupdate', 'seeked', 'ended', 'durationchange']) {
      video.addEventListener(name, () => this.#show());
    }
  }

  /** @param {boolean} on */
  set shown(on) {
    this.#bar.hidden = !on;
    if (on) this.#show();
  }

  #show() {
    const { currentTime, duration, paused } = this.#video;
    this.#play.setAttribute('aria-label', paused ? 'Play' : 'Pause');
    const known = Number.isFinite(duration) && duration > 0;
    this.#seek.disabled = !known;
    if (document.activeElement !== this.#seek || !paused) {
      this.#seek.value = String(known ? Math.round((STEPS * currentTime) / duration) : 0);
    }
    const words = known ? `${clock(currentTime)} / ${clock(duration)}` : clock(currentTime);
    this.#time.value = words;
    this.#seek.setAttribute('aria-valuetext', words);
  }
}

/** @param {number} seconds */
function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}
