/** The target panel: a photo, a film file or the live camera. */
import { cameras, startCamera, stopCamera } from './camera.js';
import { chooseKind, chosenKind, kinds, onDrop, onFile, thumbnail } from './choosing.js';
import { byId, say } from './dom.js';
import { PageError, wordsOf } from './faults.js';
import { FilmBar, closeFilm, openFilm } from './film.js';
import { openPhoto } from './pictures.js';

/** @import { Swapping } from './swapping.js' */

export class Targets {
  #swapping;
  #card = byId('target-card', HTMLElement);
  #note = byId('target-note', HTMLElement);
  #video = document.createElement('video');
  #bar = new FilmBar(this.#video);
  #camera = byId('target-camera', HTMLButtonElement);
  #device = byId('target-device', HTMLSelectElement);
  #mirror = byId('mirror', HTMLInputElement);
  #job = 0;

  /** @param {Swapping} swapping */
  constructor(swapping) {
    this.#swapping = swapping;
    this.#video.muted = this.#video.playsInline = true;
    kinds(this.#card, () => {
      this.#job += 1; // what is still opening is of the other kind
      this.#stop();
    });
    onFile('target-photo', (file) => this.usePhoto(file));
    onFile('target-film', (file) => this.#useFilm(file));
    for (const place of [this.#card, byId('stage', HTMLElement)]) {
      onDrop(place, (file) => this.#useFile(file));
    }
    this.#camera.addEventListener('click', () =>
      this.#video.srcObject ? this.#stop() : this.#useCamera(),
    );
    this.#device.addEventListener('change', () => this.#useCamera(this.#device.value));
    this.#mirror.addEventListener('change', () => {
      this.#swapping.mirrored = this.#mirror.checked;
    });
  }

  /** @param {File} file */
  async usePhoto(file) {
    chooseKind(this.#card, 'photo');
    await this.#use('Reading the photo', async (current) => {
      const photo = await openPhoto(file);
      if (!current()) return photo.bitmap.close();
      this.#stop();
      thumbnail('target-thumb', photo.bitmap);
      say(this.#note, `${photo.name} is the target. ${photo.note}`.trim(), 'good');
      this.#swapping.setPhoto(photo);
    });
  }

  /** @param {File} file */
  #useFile(file) {
    const film = file.type.startsWith('video/') || chosenKind(this.#card) === 'film';
    return film ? this.#useFilm(file) : this.usePhoto(file);
  }

  /** @param {File} file */
  async #useFilm(file) {
    chooseKind(this.#card, 'film');
    await this.#use('Opening the film', async (current) => {
      this.#stop();
      await openFilm(this.#video, file);
      if (!current()) return;
      say(this.#note, `${file.name} is the target.`, 'good');
      this.#bar.shown = true;
      this.#swapping.setVideo(this.#video, false);
      await this.#video.play();
    });
  }

  /** @param {string} [deviceId] */
  async #useCamera(deviceId) {
    await this.#use('Starting the camera', async (current) => {
      closeFilm(this.#video);
      const used = await startCamera(this.#video, deviceId, () => this.#lost());
      if (!current()) return stopCamera(this.#video);
      await this.#listCameras(used);
      this.#showCamera(true);
      say(this.#note, 'The camera is the target.', 'good');
      this.#swapping.setVideo(this.#video, this.#mirror.checked);
    });
  }

  /** @param {string} used */
  async #listCameras(used) {
    const found = await cameras();
    this.#device.hidden = found.length < 2;
    this.#device.replaceChildren(
      ...found.map(({ deviceId, label }, i) => {
        return new Option(label || `Camera ${i + 1}`, deviceId, false, deviceId === used);
      }),
    );
  }

  /**
   * @param {string} doing
   * @param {(current: () => boolean) => Promise<void>} open `current` tells whether no newer target
   *   was chosen meanwhile
   */
  async #use(doing, open) {
    const job = ++this.#job;
    const current = () => job === this.#job;
    say(this.#note, doing);
    try {
      await open(current);
    } catch (error) {
      if (current()) say(this.#note, wordsOf(error), 'bad');
    }
  }

  #lost() {
    this.#stop();
    say(this.#note, wordsOf(new PageError('camera-lost')), 'bad');
  }

  /** @param {boolean} on */
  #showCamera(on) {
    this.#camera.textContent = on ? 'Stop camera' : 'Start camera';
    this.#camera.classList.toggle('primary', !on);
  }

  #stop() {
    stopCamera(this.#video);
    closeFilm(this.#video);
    this.#showCamera(false);
    this.#bar.shown = false;
    thumbnail('target-thumb', null);
    say(this.#note, '');
    this.#swapping.clear();
  }
}
