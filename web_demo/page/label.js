/**
 * Says that a picture is synthetic: visibly, and in its metadata. The texts are those of
 * pipeline/media/label.py; a test compares them.
 */

const SOURCE_TYPE =
  'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia';
const TOOL = 'MobileFSGAN toolkit';
const BADGE_TEXT = 'AI · face swapped';
const BADGE_HEIGHT = 0.035; // of the picture's shorter edge
const BADGE_LEAST = 14; // pixels; below this nobody could read it

/**
 * An XMP packet with IPTC's digital source type.
 *
 * @returns {Uint8Array<ArrayBuffer>} UTF-8
 */
export function xmpPacket() {
  const text =
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>' +
    '<x:xmpmeta xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" ' +
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="adobe:ns:meta/" ' +
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/"><rdf:RDF><rdf:Description rdf:about="">' +
    `<Iptc4xmpExt:DigitalSourceType>${SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>` +
    `<xmp:CreatorTool>${TOOL}</xmp:CreatorTool>` +
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>';
  return new TextEncoder().encode(text);
}

/**
 * Height of the badge in a picture of this size, in pixels.
 *
 * @param {number} width
 * @param {number} height
 */
export function badgeHeight(width, height) {
  return Math.max(BADGE_LEAST, Math.round(Math.min(width, height) * BADGE_HEIGHT));
}

/**
 * Draw a readable mark into the lower right corner, which the slider uncovers first.
 *
 * @param {CanvasRenderingContext2D} context of the whole picture
 */
export function stamp(context) {
  const { width, height } = context.canvas;
  const size = badgeHeight(width, height);
  const margin = Math.min(size / 2, height / 4, width / 4);
  const top = Math.max(0, height - margin - size);
  context.save();
  context.font = `${size * 0.6}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  const wide = context.measureText(BADGE_TEXT).width + size;
  const left = Math.max(0, width - margin - wide);
  context.fillStyle = 'rgb(0 0 0 / 0.67)';
  context.beginPath();
  context.roundRect(left, top, wide, size, size / 3);
  context.fill();
  context.fillStyle = '#fff';
  context.fillText(BADGE_TEXT, left + size / 2, top + size * 0.53);
  context.restore();
}
