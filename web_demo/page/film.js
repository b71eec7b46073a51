/** Opens a film file, and the bar that plays it. */
import { byId } from './dom.js';
import { PageError } from './faults.js';
import { whatInsteadOfFilm } from './pictures.js';

const PATIENCE_MS = 15_000; // for the first frame
const STEPS = 1000; // of the bar

/**
 * What ends the opening of an element's newest film.
 *
 * @type {WeakMap<HTMLVideoElement, AbortController>}
 */
const openings = new WeakMap();

/**
 * Load a film into a video element, up to its first frame. A newer film, and `closeFilm`, end an
 * opening that is under way: it throws an AbortError, and leaves the element as it is.
 *
 * @param {HTMLVideoElement} video
 * @param {File} file
 * @throws {PageError} it is no film, or none that this browser plays
 */
export async function openFilm(video, file) {
  closeFilm(video);
  const opening = new AbortController();
  openings.set(video, opening);
  const instead = await whatInsteadOfFilm(file);
  opening.signal.throwIfAborted();
  if (instead) throw new PageError('not-a-film', instead);
  try {
    await firstFrame(video, URL.createObjectURL(file), opening.signal);
  } catch (error) {
    if (!opening.signal.aborted) closeFilm(video); // otherwise the element may hold another film
    throw error;
  }
}

/** @param {HTMLVideoElement} video */
export function closeFilm(video) {
  openings.get(video)?.abort();
  if (!video.src) return;
  video.pause();
  URL.revokeObjectURL(video.src);
  video.removeAttribute('src');
  video.load();
}

/**
 * @param {HTMLVideoElement} video
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function firstFrame(video, url, signal) {
  const over = new AbortController();
  const listen = { signal: over.signal };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<void>} */
  const shown = new Promise((resolve, reject) => {
    const fail = (/** @type {string} */ why) => reject(new PageError('film-damaged', why));
    const take = () => (video.videoWidth ? resolve() : fail('it has no picture'));
    const refuse = () => {
      const unknown = video.error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED;
      fail(unknown ? 'its format is unknown here' : 'it is damaged');
    };
    timer = setTimeout(() => fail('no picture came within 15 s'), PATIENCE_MS);
    signal.addEventListener('abort', () => reject(signal.reason), listen);
    video.addEventListener('loadeddata', take, listen);
    video.addEventListener('error', refuse, listen);
    video.src = url;
  });
  try {
    await shown;
  } finally {
    clearTimeout(timer);
    over.abort();
  }
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
