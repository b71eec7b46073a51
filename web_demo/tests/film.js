const RATE = 25;

/**
 * A film of a picture that sways from side to side, as Chromium's fake camera plays it: YUV4MPEG2,
 * 4:2:0, 25 frames a second.
 *
 * @param {{ data: Uint8Array, width: number, height: number }} picture RGB, smaller than a frame
 * @param {{ width: number, height: number, frames: number }} film even width and height
 * @returns {Uint8Array}
 */
export function swayingFilm(picture, { width, height, frames }) {
  const parts = [Buffer.from(`YUV4MPEG2 W${width} H${height} F${RATE}:1 Ip A1:1 C420jpeg\n`)];
  const top = (height - picture.height) >> 1;
  const room = (width - picture.width) >> 1;
  for (let i = 0; i < frames; i++) {
    const sway = Math.sin((2 * Math.PI * i) / frames);
    const left = room + Math.round(0.4 * room * sway);
    parts.push(Buffer.from('FRAME\n'), yuv(picture, left, top, width, height));
  }
  return Buffer.concat(parts);
}

/**
 * @param {{ data: Uint8Array, width: number, height: number }} picture
 * @param {number} left where it lies on grey
 * @param {number} top
 * @param {number} width of the frame
 * @param {number} height
 */
function yuv(picture, left, top, width, height) {
  const frame = Buffer.alloc((width * height * 3) / 2, 128);
  const [u, v] = [width * height, (width * height * 5) / 4];
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const [r, g, b] = picture.data.subarray(3 * (y * picture.width + x));
      const [to, row] = [left + x, top + y];
      const luma = 0.299 * r + 0.587 * g + 0.114 * b;
      frame[row * width + to] = luma;
      const half = (row >> 1) * (width >> 1) + (to >> 1);
      frame[u + half] = 128 + 0.564 * (b - luma);
      frame[v + half] = 128 + 0.713 * (r - luma);
    }
  }
  return frame;
}
