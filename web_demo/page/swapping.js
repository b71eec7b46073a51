/** Brings source, target and options together, and swaps when all are there. */
import { byId, say } from './dom.js';
import { wordsOf } from './faults.js';
import { Live } from './live.js';

/** @import { Photo } from './pictures.js' */
/** @import { Session } from './session.js' */
/** @import { Viewer } from './viewer.js' */

const STAGES = ['detect', 'align', 'generate', 'blend', 'total'];
const NO_FACE_IN_FILM = 'The film shows no face that could be found, so nothing was swapped.';

export class Swapping {
  #session;
  #viewer;
  #note = byId('stage-note', HTMLElement);
  /** @type {Float32Array | null} */
  #embedding = null;
  /** @type {Photo | null} */
  #photo = null;
  /** @type {Live | null} */
  #live = null;
  /** @type {'largest' | 'all'} */
  #faces = 'largest';
  #job = 0;

  /**
   * @param {Session} session
   * @param {Viewer} viewer
   */
  constructor(session, viewer) {
    this.#session = session;
    this.#viewer = viewer;
  }

  /** @param {Float32Array | null} embedding */
  set source(embedding) {
    this.#embedding = embedding;
    if (this.#live) this.#live.options = { embedding };
    this.refresh();
  }

  /** @param {'largest' | 'all'} faces */
  set faces(faces) {
    this.#faces = faces;
    if (this.#live) this.#live.options = { faces };
    this.refresh();
  }

  /** @param {boolean} mirrored */
  set mirrored(mirrored) {
    if (this.#live) this.#live.options = { mirrored };
  }

  /** @param {Photo} photo */
  setPhoto(photo) {
    this.clear();
    this.#photo = photo;
    this.#viewer.showTarget(photo.bitmap, photo.bitmap);
    this.refresh();
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {boolean} mirrored
   */
  setVideo(video, mirrored) {
    this.clear();
    const { videoWidth: width, videoHeight: height } = video;
    this.#viewer.showTarget(video, { width, height, mirrored });
    const live = new Live({
      video,
      session: this.#session,
      viewer: this.#viewer,
      options: { embedding: this.#embedding, faces: this.#faces, mirrored },
      events: {
        onTimes: (stages, fps) => {
          this.#showTimes(stages, fps);
          this.#showKeep();
        },
        onFace: (found) => say(this.#note, found ? '' : 'No face in view.'),
        onError: (error) => say(this.#note, wordsOf(error), 'bad'),
      },
    });
    video.onended = () => {
      if (this.#embedding && live.running && !live.everFound)
        say(this.#note, NO_FACE_IN_FILM, 'bad');
    };
    this.#live = live;
    live.start();
    this.#tellWhatIsMissing();
  }

  /** Forget the target. */
  clear() {
    this.#job += 1;
    this.#live?.stop();
    this.#live = null;
    this.#photo?.bitmap.close();
    this.#photo = null;
    this.#viewer.busy = '';
    this.#viewer.clear();
    say(this.#note, '');
    this.#showTimes({}, 0);
    this.#showKeep();
  }

  /** Let the engine do something else for a while. */
  pause() {
    this.#live?.stop();
  }

  resume() {
    this.#live?.start();
  }

  /** Swap the photo again, with the options of now. */
  async refresh() {
    this.#tellWhatIsMissing();
    const [photo, embedding, faces] = [this.#photo, this.#embedding, this.#faces];
    if (!photo || !embedding) return;
    const job = ++this.#job;
    this.#viewer.busy = 'Swapping';
    say(this.#note, '');
    try {
      const found = await this.#session.use(async (engine) =>
        job === this.#job ? engine.swapPhoto(photo.bitmap, { embedding, faces }) : null,
      );
      if (job !== this.#job || !found) return;
      this.#viewer.showResult(null, found.picture);
      byId('stage', HTMLElement).scrollIntoView({ block: 'nearest' }); // on phones it may be above
      this.#showTimes(found.stages_ms, 0);
      const count = found.faces.length;
      say(this.#note, `Swapped ${count} ${count === 1 ? 'face' : 'faces'}.`, 'good');
    } catch (error) {
      if (job !== this.#job) return;
      this.#viewer.showTarget(photo.bitmap, photo.bitmap);
      say(this.#note, wordsOf(error), 'bad');
    }
    this.#viewer.busy = '';
    this.#showKeep();
  }

  #tellWhatIsMissing() {
    const target = this.#photo || this.#live;
    if (target && !this.#embedding) say(this.#note, 'Now choose a source: whose face it shall be.');
    if (!target && this.#embedding) say(this.#note, 'Now choose a target: where the face goes.');
  }

  #showKeep() {
    for (const id of ['save-png', 'save-jpeg', 'share']) {
      byId(id, HTMLButtonElement).disabled = !this.#viewer.hasResult;
    }
  }

  /**
   * @param {Record<string, number>} stages
   * @param {number} fps 0 where there is none
   */
  #showTimes(stages, fps) {
    for (const stage of STAGES) {
      const ms = stages[stage];
      byId(`ms-${stage}`, HTMLElement).textContent = ms === undefined ? '–' : milliseconds(ms);
    }
    byId('times', HTMLElement).hidden = stages.total === undefined;
    byId('fps-cell', HTMLElement).hidden = !fps;
    byId('fps', HTMLElement).textContent = `${fps.toFixed(1)} fps`;
  }
}

/** @param {number} ms */
function milliseconds(ms) {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
