import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverAndBrowser, whyNot } from '../chromium.js';

describe('the engine in Chromium', { skip: whyNot() }, () => {
  const { emptyPage } = serverAndBrowser();

  test('golden samples come out as PyTorch’s', async () => {
    const page = await emptyPage();
    const results = await page.evaluate(async () => {
      const { Engine } = await import('/engine/engine.js');
      const results = [];
      for (const precision of /** @type {const} */ (['int8', 'fp32'])) {
        const engine = await Engine.open({ bundleUrl: 'bundle', precision, threads: 2 });
        results.push({ precision, ...(await engine.selfTest()) });
        engine.close();
      }
      return results;
    });
    await page.close();
    for (const result of results) {
      console.log(`# ${result.precision}: ${result.text}, identity ${result.identity_cosine}`);
      assert.ok(result.passed, result.text);
    }
  });

  test('BlazeFace and mesh points are within 0.5 px of Python’s on both portraits', async () => {
    const page = await emptyPage();
    const errors = await page.evaluate(async () =>
      (await import('/tests/chromium/probe.js')).detectorErrors(),
    );
    await page.close();
    console.log('# pixels', errors);
    for (const [kind, pixels] of Object.entries(errors)) assert.ok(pixels <= 0.5, kind);
  });

  test('a face is found turned, and small in a large picture', async () => {
    const page = await emptyPage();
    const errors = await page.evaluate(async () =>
      (await import('/tests/chromium/probe.js')).movedErrors(),
    );
    await page.close();
    console.log('#', JSON.stringify(errors));
    for (const { turnDeg, count, error } of errors) {
      assert.equal(count, 1, `${count} faces, turned by ${turnDeg}`);
      assert.ok(error <= 0.05, `${error} eye distances, turned by ${turnDeg}`);
    }
  });

  test('swapped portraits and embeddings are Python’s', async () => {
    const page = await emptyPage();
    const found = await page.evaluate(async () => {
      const { Engine } = await import('/engine/engine.js');
      const probe = await import('/tests/chromium/probe.js');
      const engine = await Engine.open({ bundleUrl: 'bundle', precision: 'fp32', threads: 2 });
      const { cases } = await probe.vectors('portraits');
      const found = [];
      for (const [i, one] of cases.entries()) {
        const image = await probe.imageData(one.image);
        const embedding = await probe.floats(one.embedding);
        const swapped = await engine.swapPhoto(image, { embedding });
        const eyes = probe.farthest([one.five_points[0]], [one.five_points[1]]);
        const other = await probe.floats(cases[1 - i].embedding); // of this portrait
        found.push({
          ...(await probe.againstPython(swapped.picture, one)),
          five: probe.farthest(swapped.faces[0].points, one.five_points) / eyes,
          cosine: probe.cosine(await engine.embed(image), other),
          ms: swapped.stages_ms,
        });
      }
      engine.close();
      return found;
    });
    await page.close();
    for (const one of found) {
      console.log('#', JSON.stringify(one));
      assert.ok(one.psnr_db >= 40, `${one.psnr_db} dB over the mask`);
      assert.ok(one.five <= 0.01, `five points: ${one.five} eye distances`);
      assert.ok(one.cosine >= 0.999, `embedding: cosine ${one.cosine}`);
      assert.equal(one.strayed, 0, `${one.strayed} pixels outside of the mask changed`);
    }
  });
});
