/** The source panel: an identity from a photo, the camera or an embedding file. */
import { startCamera, stopCamera } from './camera.js';
import { chooseKind, kinds, onDrop, onFile, thumbnail } from './choosing.js';
import { byId, say } from './dom.js';
import { wordsOf } from './faults.js';
import { openPhoto } from './pictures.js';

/** @import { Session } from './session.js' */
/** @typedef {{ embedding: Float32Array, words: string }} Identity */

export class Sources {
  #session;
  #onIdentity;
  #card = byId('source-card', HTMLElement);
  #note = byId('source-note', HTMLElement);
  #video = byId('source-video', HTMLVideoElement);
  #start = byId('source-camera', HTMLButtonElement);
  #take = byId('source-take', HTMLButtonElement);
  #job = 0;

  /**
   * @param {Session} session
   * @param {(embedding: Float32Array) => void} onIdentity the last one stays where a new one fails
   */
  constructor(session, onIdentity) {
    this.#session = session;
    this.#onIdentity = onIdentity;
    kinds(this.#card, () => this.#stop());
    onFile('source-photo', (file) => this.usePhoto(file));
    onDrop(this.#card, (file) => this.#useFile(file));
    onFile('source-embedding', (file) => this.#useEmbedding(file));
    this.#start.addEventListener('click', () => this.#startCamera());
    this.#take.addEventListener('click', () => this.#takePicture());
  }

  /** @param {File} file */
  async usePhoto(file) {
    await this.#use('Reading the photo', async (current) => {
      const { bitmap, note } = await openPhoto(file);
      const words = `The face of ${file.name} is the source. ${note}`;
      return this.#identityOf(bitmap, words, current);
    });
  }

  /** @param {File} file */
  #useFile(file) {
    if (file.name.endsWith('.npy')) {
      chooseKind(this.#card, 'embedding');
      return this.#useEmbedding(file);
    }
    chooseKind(this.#card, 'photo');
    return this.usePhoto(file);
  }

  /** @param {File} file */
  async #useEmbedding(file) {
    await this.#use('Reading the embedding', async (current) => {
      const bytes = await file.arrayBuffer();
      const embedding = await this.#session.use((engine) => engine.embeddingFromFile(bytes));
      if (!current()) return null;
      thumbnail('source-thumb', null);
      return { embedding, words: `The embedding ${file.name} is the source.` };
    });
  }

  async #startCamera() {
    say(this.#note, '');
    try {
      await startCamera(this.#video);
      this.#showCamera(true);
      this.#take.focus();
    } catch (error) {
      say(this.#note, wordsOf(error), 'bad');
    }
  }

  async #takePicture() {
    await this.#use('Looking for a face', async (current) => {
      const bitmap = await createImageBitmap(this.#video);
      const words = 'The picture of the camera is the source.';
      const found = await this.#identityOf(bitmap, words, current);
      if (!found) return null;
      this.#stop();
      this.#start.focus();
      return found;
    });
  }

  /**
   * @param {ImageBitmap} bitmap closed afterwards
   * @param {string} words
   * @param {() => boolean} current
   * @returns {Promise<Identity | null>} null where a newer source was chosen meanwhile
   */
  async #identityOf(bitmap, words, current) {
    try {
      if (!current()) return null;
      say(this.#note, 'Looking for a face');
      const embedding = await this.#session.use((engine) => engine.embed(bitmap));
      if (!current()) return null;
      thumbnail('source-thumb', bitmap);
      return { embedding, words };
    } finally {
      bitmap.close();
    }
  }

  /**
   * @param {string} doing
   * @param {(current: () => boolean) => Promise<Identity | null>} read `current` tells whether no
   *   newer source was chosen meanwhile
   */
  async #use(doing, read) {
    const job = ++this.#job;
    const current = () => job === this.#job;
    say(this.#note, doing);
    try {
      const found = await read(current);
      if (!found || !current()) return;
      say(this.#note, found.words.trim(), 'good');
      this.#onIdentity(found.embedding);
    } catch (error) {
      if (current()) say(this.#note, wordsOf(error), 'bad');
    }
  }

  /** @param {boolean} on */
  #showCamera(on) {
    this.#video.hidden = this.#take.hidden = !on;
    this.#start.hidden = on;
  }

  #stop() {
    stopCamera(this.#video);
    this.#showCamera(false);
  }
}
