/** Writes the picture that is shown as a file that says it is synthetic. */
import { PageError } from './faults.js';
import { xmpPacket } from './label.js';
import { jpegWithXmp, pngWithXmp } from './metadata.js';

const QUALITY = 0.95; // of JPEG, as the pipeline's

/**
 * The content of a canvas as PNG or JPEG, with IPTC's digital source type.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {'png' | 'jpeg'} format
 * @param {string} stem of the file's name
 * @returns {Promise<File>}
 */
export async function labelledFile(canvas, format, stem) {
  const type = `image/${format}`;
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, QUALITY));
  if (!blob) throw new PageError('save-failed');
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const labelled = (format === 'png' ? pngWithXmp : jpegWithXmp)(bytes, xmpPacket());
  return new File([labelled], `${stem}.${format === 'png' ? 'png' : 'jpg'}`, { type });
}

/**
 * Hand a file to the browser's downloads.
 *
 * @param {File} file
 */
export function download(file) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Whether this browser shares pictures with other apps.
 *
 * @returns {boolean}
 */
export function canShare() {
  const probe = new File([], 'face.png', { type: 'image/png' });
  return Boolean(navigator.canShare?.({ files: [probe] }));
}

/**
 * Share a file; nothing happens where the user changes their mind.
 *
 * @param {File} file
 */
export async function share(file) {
  try {
    await navigator.share({ files: [file] });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return;
    throw new PageError('share-failed');
  }
}
