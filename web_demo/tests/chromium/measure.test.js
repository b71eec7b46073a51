import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { PUBLISHED, PYTHON, REPOSITORY, serverAndBrowser, whyNot } from '../chromium.js';

const AROUND = 0.15; // of the time that LiteRT.js takes for the published generator, at most

describe('measuring in Chromium', { skip: whyNot() }, () => {
  const { emptyPage } = serverAndBrowser([], { published: !whyNot(PUBLISHED) });

  test('rows are read by the benchmarks, also those of a runtime that is missing', async () => {
    const page = await emptyPage();
    const { rows, steps } = await page.evaluate(async () => {
      const { Engine } = await import('/engine/engine.js');
      const engine = await Engine.open({ bundleUrl: 'tiny', threads: 1 });
      /** @type {number[]} */
      const steps = [];
      const rows = await engine.measure({
        runs: 3,
        warmup: 1,
        precisions: ['fp32'],
        runtimes: ['wasm', 'webgpu'],
        onProgress: ({ done, total }) => steps.push(done / total),
      });
      return { rows, steps };
    });
    await page.close();
    const [measured, failed] = rows;
    assert.equal(measured.stages.total.n, 3);
    assert.equal(measured.backend.used, 'wasm');
    assert.ok(Number.isFinite(measured.check?.psnr_db));
    assert.ok(failed.reason, 'WebGPU does not run without a graphics chip');
    assert.deepEqual(steps, [...steps].sort());
    const folder = mkdtempSync(join(tmpdir(), 'rows-'));
    const file = join(folder, 'rows.jsonl');
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const read = 'import sys, pathlib; from benchmarks.harness import rows; ';
    const count = 'print(len(rows.read(pathlib.Path(sys.argv[1]))))';
    const told = execFileSync(PYTHON, ['-c', read + count, file], { cwd: REPOSITORY });
    rmSync(folder, { recursive: true });
    assert.equal(told.toString().trim(), '2');
  });

  const about = 'all around LiteRT.js takes at most 15 % of its time';
  test(`${about}: published generator, int8, 2 threads`, { skip: whyNot(PUBLISHED) }, async () => {
    const page = await emptyPage();
    const frames = await page.evaluate(async () => {
      const { Engine } = await import('/engine/engine.js');
      const probe = await import('/tests/chromium/probe.js');
      const engine = await Engine.open({ bundleUrl: 'published', precision: 'int8', threads: 2 });
      const [portrait] = (await probe.vectors('portraits')).cases;
      const canvas = new OffscreenCanvas(640, 480);
      canvas.getContext('2d')?.putImageData(await probe.imageData(portrait.image), 160, 80);
      const options = { embedding: await probe.floats(portrait.embedding) };
      const frames = [];
      for (let i = 0; i < 16; i++) {
        const swapped = await engine.swapFrame(await createImageBitmap(canvas), 40 * i, options);
        if (swapped) frames.push(swapped.stages_ms);
      }
      return frames.slice(6); // compiled by now
    });
    await page.close();
    const stages = /** @type {const} */ (['detect', 'align', 'generate', 'blend', 'total']);
    const medians = stages.map((stage) => median(frames.map((frame) => frame[stage])));
    const share = median(frames.map(({ total, generate }) => total / generate - 1));
    console.log(`# ${stages.map((stage, i) => `${stage} ${medians[i].toFixed(1)}`).join(', ')} ms`);
    console.log(`# around LiteRT.js: ${(100 * share).toFixed(1)} % of its time`);
    assert.ok(share <= AROUND, `${(100 * share).toFixed(1)} %`);
  });
});

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
