import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverAndBrowser, testServer, whyNot } from '../chromium.js';

describe('the engine refuses', { skip: whyNot() }, () => {
  const { browser, emptyPage } = serverAndBrowser();

  /**
   * The code and message of the error that opening the tiny bundle ends with.
   *
   * @param {string} file that the server answers differently
   * @param {(text: string) => { status?: number, body?: string }} answer
   */
  async function opening(file, answer) {
    const page = await emptyPage();
    await page.route(`**/${file}`, async (route) => {
      const text = await (await route.fetch()).text();
      await route.fulfill(answer(text));
    });
    const error = await page.evaluate(async () => {
      const { Engine } = await import('/engine/engine.js');
      return Engine.open({ bundleUrl: 'tiny' }).then(
        () => ({ code: 'none', message: '' }),
        (/** @type {any} */ { code, message }) => ({ code, message }),
      );
    });
    await page.close();
    return error;
  }

  test('a manifest of a newer schema', async () => {
    const newer = (/** @type {string} */ text) => ({
      body: JSON.stringify({ ...JSON.parse(text), schema: 2 }),
    });
    const { code, message } = await opening('manifest.json', newer);
    assert.equal(code, 'bad-manifest');
    assert.match(message, /schema 2/);
  });

  test('a file that is damaged', async () => {
    const { code, message } = await opening('tiny-generator.tflite', (text) => ({
      body: `${text.slice(0, -1)}!`,
    }));
    assert.equal(code, 'bad-hash');
    assert.match(message, /tiny-generator\.tflite/);
  });

  test('a bundle without detectors', async () => {
    const { code } = await opening('detectors/index.json', () => ({ status: 404, body: '' }));
    assert.equal(code, 'not-found');
  });

  test('pictures without a face, other identities, and calls while it measures', async () => {
    const page = await emptyPage();
    const codes = await page.evaluate(async () => {
      const { Engine } = await import('/engine/engine.js');
      const engine = await Engine.open({ bundleUrl: 'tiny', threads: 1 });
      const codeOf = (/** @type {Promise<any>} */ call) =>
        call.then(
          () => 'none',
          (error) => error.code,
        );
      const grey = new ImageData(new Uint8ClampedArray(160 * 120 * 4).fill(128), 160, 120);
      const embedding = new Float32Array(512).fill(512 ** -0.5);
      const codes = {
        source: await codeOf(engine.embed(grey)),
        target: await codeOf(engine.swapPhoto(grey, { embedding })),
        short: await codeOf(engine.swapPhoto(grey, { embedding: new Float32Array(3) })),
        file: await codeOf(engine.embeddingFromFile(new ArrayBuffer(9))),
        busy: '',
      };
      const rows = engine.measure({ runs: 1, warmup: 0, precisions: ['fp32'] });
      codes.busy = await codeOf(engine.embed(grey));
      await rows;
      return codes;
    });
    await page.close();
    assert.deepEqual(codes, {
      source: 'no-face',
      target: 'no-face',
      short: 'bad-picture',
      file: 'bad-picture',
      busy: 'busy',
    });
  });

  test('threads where the server does not isolate the page, and says why', async () => {
    const bare = await testServer({ without: ['Cross-Origin-Opener-Policy'] });
    const page = await browser().newPage();
    await page.goto(`${bare.origin}/empty.html`);
    const facts = await page.evaluate(async () => {
      const { Engine } = await import('/engine/engine.js');
      return (await Engine.open({ bundleUrl: 'tiny', threads: 2 })).facts;
    });
    await page.close();
    bare.close();
    assert.equal(facts.threads_used, 1);
    assert.match(facts.threads_reason ?? '', /COOP/);
  });
});
