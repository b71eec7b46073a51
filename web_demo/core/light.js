const GAIN = [0.6, 1.6]; // how far contrast may be changed to match; more would amplify noise
const STEP = 3; // every third row and column of a face is enough to measure its tone
const BINS = 32; // of luma
const STRAY = 1.5; // chroma may stray that many times as far from the target's tone as its own does
const EXACT = 1e-3;

/**
 * `swapped` with the mean, the contrast and the tone that `aligned` has under `mask`.
 *
 * Mean and contrast are matched per channel (Reinhard et al., 2001). Then the chroma of every pixel
 * is moved towards the target's tone, until it strays from it about as much as the target's own: a
 * grey target gets a grey face.
 *
 * @param {Uint8Array} swapped size x size RGB
 * @param {Uint8Array} aligned likewise
 * @param {Float32Array} mask what lies above 0.5 is measured
 * @param {number} size
 * @returns {Uint8Array} size x size RGB
 */
export function matchLight(swapped, aligned, mask, size) {
  const mine = meanAndSpread(swapped, mask, size);
  const theirs = meanAndSpread(aligned, mask, size);
  if (!mine || !theirs) return swapped;
  const matched = new Uint8Array(swapped.length);
  for (let c = 0; c < 3; c++) {
    const wanted = theirs.spread[c] / Math.max(mine.spread[c], 1);
    const gain = Math.min(Math.max(wanted, GAIN[0]), GAIN[1]);
    const table = Uint8Array.from({ length: 256 }, (_, v) =>
      level((v - mine.mean[c]) * gain + theirs.mean[c]),
    );
    for (let i = c; i < swapped.length; i += 3) matched[i] = table[swapped[i]];
  }
  return matchTone(matched, aligned, mask, size);
}

/**
 * @param {Uint8Array} face
 * @param {Float32Array} mask
 * @param {number} size
 */
function meanAndSpread(face, mask, size) {
  const [sum, squares] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  let count = 0;
  for (let y = 0; y < size; y += 2) {
    for (let x = 0; x < size; x++) {
      const i = y * size + x;
      if (mask[i] <= 0.5) continue;
      count++;
      for (let c = 0; c < 3; c++) {
        const value = face[3 * i + c];
        sum[c] += value;
        squares[c] += value * value;
      }
    }
  }
  if (!count) return null;
  const mean = sum.map((s) => s / count);
  const spread = squares.map((s, c) => Math.sqrt(Math.max(0, s / count - mean[c] ** 2)));
  return { mean, spread };
}

/**
 * @param {Uint8Array} swapped
 * @param {Uint8Array} aligned
 * @param {Float32Array} mask
 * @param {number} size
 */
function matchTone(swapped, aligned, mask, size) {
  const theirs = measured(aligned, mask, size);
  if (!theirs.length) return swapped;
  const tone = toneOf(theirs);
  const kept =
    (STRAY * strayOf(theirs, tone)) / Math.max(strayOf(measured(swapped, mask, size), tone), EXACT);
  if (kept >= 1) return swapped;
  const red = Float32Array.from({ length: 256 }, (_, luma) => at(tone.luma, tone.red, luma));
  const blue = Float32Array.from({ length: 256 }, (_, luma) => at(tone.luma, tone.blue, luma));
  const matched = new Uint8Array(swapped.length);
  for (let i = 0; i < swapped.length; i += 3) {
    const [luma, cr, cb] = lumaChroma(swapped, i);
    const bin = Math.min(Math.max(Math.round(luma), 0), 255);
    const r = red[bin] + kept * (cr - red[bin]);
    const b = blue[bin] + kept * (cb - blue[bin]);
    matched[i] = level(luma + 1.403 * r);
    matched[i + 1] = level(luma - 0.714 * r - 0.344 * b);
    matched[i + 2] = level(luma + 1.773 * b);
  }
  return matched;
}

/**
 * Luma, red and blue difference (ITU-R BT.601, as OpenCV rounds it) of the pixel at `i`.
 *
 * @param {Uint8Array} face
 * @param {number} i
 * @returns {[number, number, number]}
 */
function lumaChroma(face, i) {
  const luma = 0.299 * face[i] + 0.587 * face[i + 1] + 0.114 * face[i + 2];
  return [luma, 0.713 * (face[i] - luma), 0.564 * (face[i + 2] - luma)];
}

/**
 * Colours of every third row and column under the mask.
 *
 * @param {Uint8Array} face
 * @param {Float32Array} mask
 * @param {number} size
 * @returns {[number, number, number][]}
 */
function measured(face, mask, size) {
  const found = [];
  for (let y = 0; y < size; y += STEP) {
    for (let x = 0; x < size; x += STEP) {
      const i = y * size + x;
      if (mask[i] > 0.5) found.push(lumaChroma(face, 3 * i));
    }
  }
  return found;
}

/**
 * The chroma that each luma has: none on a grey face, brown on a sepia one.
 *
 * @param {[number, number, number][]} colours
 */
function toneOf(colours) {
  const sums = Array.from({ length: BINS }, () => [0, 0, 0, 0]);
  for (const [luma, cr, cb] of colours) {
    const bin = sums[Math.min(Math.max(Math.floor((luma * BINS) / 256), 0), BINS - 1)];
    bin[0] += 1;
    bin[1] += luma;
    bin[2] += cr;
    bin[3] += cb;
  }
  const filled = sums.filter(([count]) => count);
  return {
    luma: filled.map(([n, luma]) => luma / n),
    red: filled.map(([n, , cr]) => cr / n),
    blue: filled.map(([n, , , cb]) => cb / n),
  };
}

/**
 * Root mean square distance of colours' chroma to a tone.
 *
 * @param {[number, number, number][]} colours
 * @param {{ luma: number[], red: number[], blue: number[] }} tone
 */
function strayOf(colours, tone) {
  let sum = 0;
  for (const [luma, cr, cb] of colours) {
    sum += (cr - at(tone.luma, tone.red, luma)) ** 2 + (cb - at(tone.luma, tone.blue, luma)) ** 2;
  }
  return Math.sqrt(sum / (2 * colours.length));
}

/**
 * Linear interpolation; constant beyond the ends.
 *
 * @param {number[]} xs rising
 * @param {number[]} ys
 * @param {number} x
 */
function at(xs, ys, x) {
  if (x <= xs[0]) return ys[0];
  for (let i = 1; i < xs.length; i++) {
    if (x <= xs[i])
      return ys[i - 1] + ((x - xs[i - 1]) / (xs[i] - xs[i - 1])) * (ys[i] - ys[i - 1]);
  }
  return ys[ys.length - 1];
}

/** @param {number} value */
function level(value) {
  return Math.min(Math.max(Math.round(value), 0), 255);
}
