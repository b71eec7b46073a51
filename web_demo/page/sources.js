/** The source panel: an identity from a photo, the camera or an embedding file. */
import { startCamera, stopCamera } from './camera.js';
import { chooseKind, kinds, onDrop, onFile, thumbnail } from './choosing.js';
import { byId, say } from './dom.js';
import { wordsOf } from './faults.js';
import { openPhoto } from './pictures.js';

/** @import { Session } from './session.js' */

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
    await this.#use('Reading the photo', async () => {
      const { bitmap, note } = await openPhoto(file);
      return this.#identityOf(bitmap, `The face of ${file.name} is the source. ${note}`);
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
    await this.#use('Reading the embedding', async () => {
      const bytes = await file.arrayBuffer();
      const embedding = await this.#session.use((engine) => engine.embeddingFromFile(bytes));
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
    await this.#use('Looking for a face', async () => {
      const bitmap = await createImageBitmap(this.#video);
      const found = await this.#identityOf(bitmap, 'The picture of the camera is the source.');
      this.#stop();
      this.#start.focus();
      return found;
    });
  }

  /**
   * @param {ImageBitmap} bitmap closed afterwards
   * @param {string} words
   */
  async #identityOf(bitmap, words) {
    try {
      say(this.#note, 'Looking for a face');
      const embedding = await this.#session.use((engine) => engine.embed(bitmap));
      thumbnail('source-thumb', bitmap);
      return { embedding, words };
    } finally {
      bitmap.close();
    }
  }

  /**
   * @param {string} doing
   * @param {() => Promise<{ embedding: Float32Array, words: string }>} read
   */
  async #use(doing, read) {
    const job = ++this.#job;
    say(this.#note, doing);
    try {
      const { embedding, words } = await read();
      if (job !== this.#job) return;
      say(this.#note, words.trim(), 'good');
      this.#onIdentity(embedding);
    } catch (error) {
      if (job === this.#job) say(this.#note, wordsOf(error), 'bad');
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
