import assert from 'node:assert/strict';
import test from 'node:test';
import { anchors, decodeBoxes } from '../core/blazeface.js';
import { fitSimilarity } from '../core/fit.js';
import { matchLight } from '../core/light.js';
import { ManifestError, readManifest } from '../core/manifest.js';
import { faceMask } from '../core/mask.js';
import { cropOfMesh, decodeMesh, fivePoints } from '../core/mesh.js';
import { pasteBack } from '../core/paste.js';
import { stageOf } from '../core/statistics.js';
import { OneEuro } from '../core/tracker.js';
import { Pyramid } from '../core/warp.js';
import { array, differences, matrix, mean, picture, points, vectors, worst } from './vectors.js';

test('similarity fits are Python’s', () => {
  const { cases, tolerance } = vectors('fit');
  for (const { points, template, matrix: wanted } of cases) {
    const away = worst(fitSimilarity(points, template), matrix(wanted));
    assert.ok(away <= tolerance.matrix_abs, `${away}`);
  }
});

test('warps are Python’s', () => {
  const { cases, tolerance } = vectors('warp');
  for (const one of cases) {
    const pyramid = new Pyramid(picture(one.image));
    const found = pyramid.cut(matrix(one.matrix), one.width, one.height, one.smooth);
    const away = differences(found.data, array(one.result));
    assert.ok(mean(away) <= tolerance.mean_abs_levels, `${one.result.file}: mean ${mean(away)}`);
    const p99 = away[Math.floor(0.99 * away.length)];
    assert.ok(p99 <= tolerance.p99_abs_levels, `${one.result.file}: p99 ${p99}`);
  }
});

test('BlazeFace’s outputs give Python’s faces', () => {
  const { cases, tolerance } = vectors('blazeface');
  for (const one of cases) {
    const centres = anchors(one.size);
    assert.equal(centres.length, one.anchors);
    const boxes = new Float32Array(one.anchors * 16);
    const logits = new Float32Array(one.anchors).fill(-100);
    const rows = array(one.boxes);
    one.rows.forEach((/** @type {number} */ row, /** @type {number} */ i) => {
      boxes.set(rows.subarray(i * 16, (i + 1) * 16), row * 16);
      logits[row] = one.logits[i];
    });
    const found = decodeBoxes(boxes, logits, centres, matrix(one.view));
    assert.equal(found.length, one.faces.length);
    one.faces.forEach((/** @type {any} */ wanted, /** @type {number} */ i) => {
      assert.ok(Math.abs(found[i].score - wanted.score) <= tolerance.score);
      assert.ok(Math.abs(found[i].tiltDeg - wanted.tilt_deg) <= tolerance.tilt_deg);
      const mine = [...found[i].centre, found[i].side, ...found[i].eyes.flat()];
      const theirs = [...wanted.centre, wanted.side, ...wanted.eyes.flat()];
      assert.ok(worst(mine, theirs) <= tolerance.pixels);
    });
  }
});

test('the mesh’s outputs give Python’s landmarks and crops', () => {
  const { cases, tolerance } = vectors('mesh');
  for (const one of cases) {
    const raw = new Float32Array(array(one.raw));
    const { mesh, score } = decodeMesh(raw, one.logit, matrix(one.crop), one.size);
    assert.ok(Math.abs(score - one.score) <= tolerance.score);
    const wanted = array(one.mesh);
    assert.ok(worst(mesh.flat(), wanted) <= tolerance.pixels);
    const five = worst(fivePoints(mesh).flat(), one.five_points.flat());
    assert.ok(five <= tolerance.pixels);
    const crop = worst(cropOfMesh(mesh), matrix(one.next_crop));
    assert.ok(crop <= tolerance.matrix_abs);
  }
});

test('masks are Python’s', () => {
  const { cases, tolerance } = vectors('mask');
  for (const one of cases) {
    const away = differences(faceMask(points(one.mesh), one.size, one.keep_mouth), array(one.mask));
    assert.ok(mean(away) <= tolerance.mean_abs, `${one.mask.file}: mean ${mean(away)}`);
    assert.ok(away[away.length - 1] <= tolerance.max_abs, `${one.mask.file}: ${away.at(-1)}`);
  }
});

test('colours are matched as Python matches them, grey faces too', () => {
  const { cases, tolerance } = vectors('light');
  const portraits = vectors('portraits').cases;
  for (const one of cases) {
    const of = portraits.find((/** @type {any} */ p) => p.portrait === one.portrait);
    const aligned = new Uint8Array(array(of.aligned));
    if (one.grey) aligned.forEach((_, i) => (aligned[i] = aligned[i - (i % 3) + 1]));
    const mask = Float32Array.from(array(one.mask), (value) => value / 255);
    const found = matchLight(new Uint8Array(array(of.swapped)), aligned, mask, 256);
    const away = differences(found, array(one.result));
    assert.ok(mean(away) <= tolerance.mean_abs_levels, `${one.result.file}: mean ${mean(away)}`);
    assert.ok(
      away[away.length - 1] <= tolerance.max_abs_levels,
      `${one.result.file}: ${away.at(-1)}`,
    );
  }
});

test('a swapped face is put back as Python puts it back, one that is cut off too', () => {
  for (const { cases, tolerance } of [vectors('portraits'), vectors('edges')]) {
    for (const one of cases) {
      const image = picture(one.image);
      const size = one.aligned.shape[0];
      const [swapped, aligned] = [one.swapped, one.aligned].map((a) => new Uint8Array(array(a)));
      pasteBack(image, swapped, aligned, size, matrix(one.matrix), points(one.mesh));
      const psnr = psnrOverMask(image.data, array(one.final), array(one.image));
      assert.ok(psnr >= tolerance.final_psnr_db_over_mask, `${one.portrait}: ${psnr} dB`);
    }
  }
});

/**
 * PSNR in dB, peak 255, over the pixels where `wanted` differs from `before`.
 *
 * @param {ArrayLike<number>} found
 * @param {ArrayLike<number>} wanted
 * @param {ArrayLike<number>} before
 */
function psnrOverMask(found, wanted, before) {
  let [squares, inside] = [0, 0];
  for (let i = 0; i < wanted.length; i += 3) {
    const changed = [0, 1, 2].some((c) => wanted[i + c] !== before[i + c]);
    for (let c = i; c < i + 3; c++) {
      if (changed) squares += (found[c] - wanted[c]) ** 2;
      inside += Number(changed);
    }
  }
  return 10 * Math.log10(255 ** 2 / (squares / inside));
}

test('an aligned portrait is Python’s', () => {
  const { cases, tolerance } = vectors('portraits');
  for (const one of cases) {
    const found = new Pyramid(picture(one.image)).cut(matrix(one.matrix), 256, 256, true);
    const away = mean(differences(found.data, array(one.aligned)));
    assert.ok(away <= tolerance.aligned_mean_abs_levels, `${one.portrait}: ${away}`);
  }
});

test('landmarks are smoothed as Python smooths them', () => {
  const { cases, tolerance } = vectors('one_euro');
  for (const { seconds, seen, smooth } of cases) {
    const filter = new OneEuro(seen[0]);
    for (let i = 1; i < seen.length; i++) {
      const found = filter.step(seen[i], seconds[i] - seconds[i - 1]);
      const away = worst(found.flat(), smooth[i].flat());
      assert.ok(away <= tolerance.pixels, `frame ${i}: ${away}`);
    }
  }
});

test('statistics of a row are Python’s', () => {
  const { cases, tolerance } = vectors('statistics');
  for (const { latencies_ms, stage } of cases) {
    const found = stageOf(latencies_ms);
    assert.deepEqual(Object.keys(found), Object.keys(stage));
    assert.ok(worst(Object.values(found), Object.values(stage)) <= tolerance.ms);
  }
});

test('manifests are read or refused as Python does', () => {
  for (const { name, text, accepted } of vectors('manifests').cases) {
    if (accepted) assert.equal(readManifest(text).schema, 1, name);
    else assert.throws(() => readManifest(text), ManifestError, name);
  }
});
