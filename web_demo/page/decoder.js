/** A worker that decodes photos: large ones would hold up the page for seconds. */

/**
 * @typedef {object} Order
 * @property {number} id
 * @property {Blob} file
 * @property {number} mostPixels above these the picture is not handed over
 * @property {number} workedOn pixels; a larger picture is made smaller
 *
 * @typedef {object} Decoded
 * @property {number} id of the order
 * @property {number} width as in the file, upright; 0 where it cannot be decoded
 * @property {number} height
 * @property {ImageBitmap | null} bitmap null where it cannot be decoded, or has too many pixels
 */

const scope = /** @type {any} */ (globalThis);

scope.onmessage = async (/** @type {MessageEvent<Order>} */ { data }) => {
  const decoded = await decode(data).catch(() => ({ width: 0, height: 0, bitmap: null }));
  const { bitmap } = decoded;
  scope.postMessage({ id: data.id, ...decoded }, bitmap ? [bitmap] : []);
};

/** @param {Order} order */
async function decode({ file, mostPixels, workedOn }) {
  const whole = await createImageBitmap(file, { imageOrientation: 'from-image' });
  const { width, height } = whole;
  const pixels = width * height;
  if (pixels <= workedOn) return { width, height, bitmap: whole };
  const scale = Math.sqrt(workedOn / pixels);
  const bitmap =
    pixels > mostPixels
      ? null
      : await createImageBitmap(whole, {
          resizeWidth: Math.floor(width * scale),
          resizeHeight: Math.floor(height * scale),
          resizeQuality: 'high',
        });
  whole.close();
  return { width, height, bitmap };
}
