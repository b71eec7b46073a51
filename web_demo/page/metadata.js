/** Puts an XMP packet into the files that a canvas writes, which carry no metadata. */

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const AFTER_IHDR = 8 + 4 + 4 + 13 + 4; // signature; then length, type, data and CRC of the header
const JPEG_XMP = 'http://ns.adobe.com/xap/1.0/\0';
const LONGEST_SEGMENT = 0xffff - 2; // the length counts its own two bytes

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/**
 * A PNG with the packet in an iTXt chunk behind its header (PNG specification, 11.3.3.4; XMP
 * specification part 3, 1.1.5).
 *
 * @param {Bytes} png
 * @param {Bytes} packet UTF-8
 * @returns {Bytes}
 */
export function pngWithXmp(png, packet) {
  if (!PNG_SIGNATURE.every((byte, i) => png[i] === byte)) {
    throw new RangeError('these bytes are no PNG; expected what a canvas writes as image/png');
  }
  const head = latin1('XML:com.adobe.xmp\0\0\0\0\0'); // keyword; not compressed, no language
  const chunk = new Uint8Array(12 + head.length + packet.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, head.length + packet.length);
  chunk.set(latin1('iTXt'), 4);
  chunk.set(head, 8);
  chunk.set(packet, 8 + head.length);
  view.setUint32(chunk.length - 4, crc32(chunk.subarray(4, -4)));
  return joined(png.subarray(0, AFTER_IHDR), chunk, png.subarray(AFTER_IHDR));
}

/**
 * A JPEG with the packet in an APP1 segment, behind the JFIF header where there is one (XMP
 * specification part 3, 1.1.3).
 *
 * @param {Bytes} jpeg
 * @param {Bytes} packet UTF-8, at most 65,504 bytes
 * @returns {Bytes}
 */
export function jpegWithXmp(jpeg, packet) {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) {
    throw new RangeError('these bytes are no JPEG; expected what a canvas writes as image/jpeg');
  }
  const content = joined(latin1(JPEG_XMP), packet);
  if (content.length > LONGEST_SEGMENT) {
    throw new RangeError(`the XMP packet has ${packet.length} bytes; a JPEG takes 65,504`);
  }
  const length = content.length + 2;
  const segment = joined(Uint8Array.of(0xff, 0xe1, length >> 8, length & 0xff), content);
  const jfif = jpeg[2] === 0xff && jpeg[3] === 0xe0;
  const at = jfif ? 4 + (jpeg[4] << 8) + jpeg[5] : 2;
  return joined(jpeg.subarray(0, at), segment, jpeg.subarray(at));
}

/**
 * CRC-32 as PNG chunks carry it (PNG specification, annex D).
 *
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/**
 * @param {string} text of characters below 256
 * @returns {Bytes}
 */
function latin1(text) {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * @param {Bytes[]} parts
 * @returns {Bytes}
 */
function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
