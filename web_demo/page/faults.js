/** What can go wrong on the page, in words that say what to do. */

/** Something that the user gave, or that this browser lacks. */
export class PageError extends Error {
  /**
   * @param {keyof typeof WORDS} code
   * @param {string} [detail] put in where the words have a place for it
   */
  constructor(code, detail = '') {
    super(WORDS[code].replace('{}', detail));
    this.code = code;
  }
}

const UNEXPECTED = 'Something failed that should not. Reload the page, and report this:';
const PHOTO = 'Expected a photo: JPEG, PNG, WebP, GIF, BMP or AVIF.';

const WORDS = {
  empty: 'The file is empty (0 bytes). Choose another one.',
  'not-a-photo': `The file is no photo: its content is {}. ${PHOTO}`,
  damaged: 'The photo is damaged or cut off, and cannot be read. Choose another one.',
  'part-missing':
    'A part of the page did not load. Check the network, then choose the photo again.',
  heif: 'This browser does not read HEIC photos. Save the photo as JPEG, or use Safari.',
  'too-many-bytes': 'The file has {} MB. Expected at most 200 MB for a photo.',
  'too-many-pixels':
    'The photo has {} pixels. Expected at most 64 million. Make it smaller, then choose it again.',
  'not-a-film': 'The file is no film: its content is {}. Expected MP4, WebM or MOV.',
  'film-damaged': 'This browser cannot play the film: {}. Expected MP4 (H.264) or WebM.',
  'camera-insecure':
    'The camera needs a secure page: https, or localhost. Photos and films work here.',
  'camera-none': 'No camera was found. Connect one, or choose a photo or a film.',
  'camera-denied':
    'The camera was not allowed. Allow it in the address bar’s settings, then start it again.',
  'camera-busy': 'The camera cannot be opened; another program may use it. Close that program.',
  'camera-lost': 'The camera was disconnected. Connect it, then start it again.',
  'save-failed': 'The browser could not write the picture. It may be short of memory.',
  'share-failed': 'The picture could not be shared. Save it instead.',
};

/**
 * One or two sentences for the visitor.
 *
 * @param {unknown} error of this page, or of the engine, whose messages say what to do
 * @returns {string}
 */
export function wordsOf(error) {
  const message = error instanceof Error ? error.message : String(error);
  const known = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return known ? sentence(message) : `${UNEXPECTED} ${sentence(message)}`;
}

/** @param {string} text */
function sentence(text) {
  const clean = text.trim();
  return /[.!?)]$/.test(clean) ? clean : `${clean}.`;
}
