/** Tells what a file is by its first bytes; names and types that a browser reports may be wrong. */

const HEIF = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'hevm', 'hevs', 'mif1', 'msf1'];
const AVIF = ['avif', 'avis'];
// Start-of-frame markers of JPEG; C4, C8 and CC between them are other segments.
const FRAMES = [0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

/** @typedef {'jpeg' | 'png' | 'webp' | 'gif' | 'bmp' | 'avif' | 'heif'} PhotoKind */
/** @typedef {PhotoKind | 'film' | 'npy' | 'text' | 'empty' | 'unknown'} Kind */

/**
 * @param {Uint8Array} head first bytes of a file; 64 or more, or all of them
 * @returns {Kind}
 */
export function kindOf(head) {
  if (!head.length) return 'empty';
  const word = (/** @type {number} */ from, /** @type {number} */ length) =>
    String.fromCharCode(...head.subarray(from, from + length));
  if (head[0] === 0xff && head[1] === 0xd8) return 'jpeg';
  if (word(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (word(0, 4) === 'RIFF') return word(8, 4) === 'WEBP' ? 'webp' : 'film'; // AVI
  if (word(0, 4) === 'GIF8') return 'gif';
  if (word(0, 2) === 'BM' && head[14] >= 12 && head[15] === 0) return 'bmp';
  if (word(0, 6) === '\x93NUMPY') return 'npy';
  if (word(4, 4) === 'ftyp') {
    const brand = word(8, 4);
    return HEIF.includes(brand) ? 'heif' : AVIF.includes(brand) ? 'avif' : 'film';
  }
  if (word(0, 4) === '\x1a\x45\xdf\xa3' || word(0, 4) === 'OggS') return 'film'; // Matroska, Ogg
  const printable = head.every((byte) => byte >= 32 || [9, 10, 13].includes(byte));
  return printable ? 'text' : 'unknown';
}

/**
 * Width and height in pixels as the header of a JPEG, PNG, WebP, GIF or BMP states them; null where
 * it does not. A JPEG's may stand behind its metadata, so give the first megabyte.
 *
 * @param {Uint8Array} bytes
 * @returns {{ width: number, height: number } | null}
 */
export function sizeOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    switch (kindOf(bytes.subarray(0, 64))) {
      case 'png':
        return { width: view.getUint32(16), height: view.getUint32(20) };
      case 'gif':
        return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
      case 'bmp':
        return {
          width: Math.abs(view.getInt32(18, true)),
          height: Math.abs(view.getInt32(22, true)),
        };
      case 'webp':
        return sizeOfWebp(view);
      case 'jpeg':
        return sizeOfJpeg(view);
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof RangeError) return null; // cut off
    throw error;
  }
}

/** @param {DataView} view */
function sizeOfJpeg(view) {
  for (let at = 2; ; ) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (FRAMES.includes(marker)) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    if (marker === 0xff)
      at += 1; // fill
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else at += 2 + view.getUint16(at + 2);
  }
}

/** @param {DataView} view */
function sizeOfWebp(view) {
  switch (view.getUint8(15)) {
    case 0x58: // VP8X
      return {
        width: 1 + view.getUint16(24, true) + (view.getUint8(26) << 16),
        height: 1 + view.getUint16(27, true) + (view.getUint8(29) << 16),
      };
    case 0x4c: {
      // VP8L
      const bits = view.getUint32(21, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
    }
    case 0x20: // VP8
      return {
        width: view.getUint16(26, true) & 0x3fff,
        height: view.getUint16(28, true) & 0x3fff,
      };
    default:
      return null;
  }
}
