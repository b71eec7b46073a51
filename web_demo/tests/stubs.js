/** What a browser gives to the panels, as far as they need it in Node.js. */

/** Stands in for every element, and shows what was done with it. */
export class Stub extends EventTarget {
  static HAVE_CURRENT_DATA = 2;
  dataset = {};
  classList = { toggle() {} };
  textContent = '';
  hidden = false;
  src = '';
  readyState = 0;
  videoWidth = 320;
  videoHeight = 240;
  /** @type {unknown} the picture that was drawn last */
  drawn = null;
  /** @type {Stub[]} radio buttons of a card */
  radios = [];

  getContext() {
    return { drawImage: (/** @type {unknown} */ picture) => (this.drawn = picture) };
  }

  querySelector() {
    return null;
  }

  /** @param {string} selector */
  querySelectorAll(selector) {
    return selector.includes('radio') ? this.radios : [];
  }

  /** @param {string} name */
  removeAttribute(name) {
    if (name === 'src') this.src = '';
  }

  async play() {}
  focus() {}
  load() {}
  pause() {}
  setAttribute() {}
}

/** Takes the orders of a worker; a test answers them with `answer`. */
export class WorkerStub extends EventTarget {
  /** @type {any[]} */
  static orders = [];

  /** @param {object} order */
  postMessage(order) {
    WorkerStub.orders.push({ ...order, worker: this });
  }

  /**
   * @param {any} order
   * @param {object} data
   */
  static answer({ id, worker }, data) {
    worker.dispatchEvent(new MessageEvent('message', { data: { id, ...data } }));
  }
}

/** Frame callbacks that were asked for and are waited for. */
export class Frames {
  /** @type {Map<number, () => void>} */
  waiting = new Map();
  #last = 0;

  request = (/** @type {() => void} */ callback) => {
    this.waiting.set(++this.#last, callback);
    return this.#last;
  };

  cancel = (/** @type {number} */ handle) => {
    this.waiting.delete(handle);
  };

  /** Show one frame. */
  show() {
    const due = [...this.waiting.values()];
    this.waiting.clear();
    for (const callback of due) callback();
  }
}

/**
 * Put an empty page into place.
 *
 * @returns {(id: string) => Stub} its elements, each made when it is asked for
 */
export function stubPage() {
  /** @type {Map<string, Stub>} */
  const elements = new Map();
  const byId = (/** @type {string} */ id) => {
    const element = elements.get(id) ?? new Stub();
    elements.set(id, element);
    return element;
  };
  const types = ['', 'Button', 'Canvas', 'Input', 'Media', 'Output', 'Select', 'Video'];
  Object.assign(globalThis, {
    ...Object.fromEntries(types.map((type) => [`HTML${type}Element`, Stub])),
    MediaStream: Stub,
    Worker: WorkerStub,
    document: { getElementById: byId, createElement: () => new Stub() },
  });
  return byId;
}

/**
 * Wait until something holds; what a page does meanwhile takes no timer.
 *
 * @param {() => unknown} holds
 */
export async function until(holds) {
  for (let turns = 0; !holds(); turns++) {
    if (turns > 1000) throw new Error(`waited in vain: ${holds}`);
    await new Promise((next) => setImmediate(next));
  }
}

/** Let all that is ready go on. */
export async function settled() {
  for (let turns = 0; turns < 20; turns++) await new Promise((next) => setImmediate(next));
}
