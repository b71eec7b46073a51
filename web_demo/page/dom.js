/**
 * An element of the page, by its id.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new TypeError(`#${id} is no ${type.name}`);
  return element;
}

/**
 * Write a note that screen readers announce; '' removes it.
 *
 * @param {HTMLElement} note
 * @param {string} words
 * @param {'plain' | 'good' | 'bad'} [kind]
 */
export function say(note, words, kind = 'plain') {
  note.dataset.kind = kind;
  if (note.textContent !== words) note.textContent = words;
}

/**
 * The 2D context of a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
export function contextOf(canvas) {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser gives no more canvases; close other tabs');
  return context;
}
