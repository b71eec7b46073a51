/** What source and target panel share: a choice of kinds, and files that are picked or dropped. */
import { byId, contextOf } from './dom.js';

/**
 * Show the part of a card that belongs to the chosen kind.
 *
 * @param {HTMLElement} card
 * @param {(kind: string) => void} onChange
 */
export function kinds(card, onChange) {
  const radios = card.querySelectorAll('.segments input[type="radio"]');
  const show = () => {
    const chosen = chosenKind(card);
    for (const part of card.querySelectorAll('.pick')) {
      if (part instanceof HTMLElement) part.hidden = part.dataset.for !== chosen;
    }
    return chosen;
  };
  for (const radio of radios) radio.addEventListener('change', () => onChange(show()));
  show(); // a reload keeps the choice
}

/** @param {HTMLElement} card */
export function chosenKind(card) {
  const radio = card.querySelector('.segments input:checked');
  return radio instanceof HTMLInputElement ? radio.value : '';
}

/**
 * @param {HTMLElement} card
 * @param {string} kind
 */
export function chooseKind(card, kind) {
  const radio = card.querySelector(`.segments input[value="${kind}"]`);
  if (!(radio instanceof HTMLInputElement) || radio.checked) return;
  radio.checked = true;
  radio.dispatchEvent(new Event('change'));
}

/**
 * Call `take` with each file that is chosen with the input `id`.
 *
 * @param {string} id
 * @param {(file: File) => void} take
 */
export function onFile(id, take) {
  const input = byId(id, HTMLInputElement);
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    input.value = ''; // the same file may be chosen again
    if (file) take(file);
  });
}

/**
 * Call `take` with each file that is dropped onto `place`.
 *
 * @param {HTMLElement} place
 * @param {(file: File) => void} take
 */
export function onDrop(place, take) {
  const over = (/** @type {boolean} */ on) => place.classList.toggle('over', on);
  place.addEventListener('dragover', (event) => {
    event.preventDefault();
    over(true);
  });
  place.addEventListener('dragleave', () => over(false));
  place.addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}

/**
 * Draw the middle square of a picture as a thumbnail.
 *
 * @param {string} id of the canvas
 * @param {ImageBitmap | null} bitmap null hides it
 */
export function thumbnail(id, bitmap) {
  const canvas = byId(id, HTMLCanvasElement);
  canvas.hidden = !bitmap;
  const words = canvas.parentElement?.querySelector('strong');
  if (words) words.textContent = bitmap ? 'Choose another photo' : 'Choose a photo';
  if (!bitmap) return;
  const side = Math.min(bitmap.width, bitmap.height);
  const [x, y] = [(bitmap.width - side) / 2, (bitmap.height - side) / 3]; // faces are rather above
  contextOf(canvas).drawImage(bitmap, x, y, side, side, 0, 0, canvas.width, canvas.height);
}
