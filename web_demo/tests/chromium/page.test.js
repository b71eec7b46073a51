/** The page in Chromium, with a stand-in for the engine: what does not depend on the models. */
/** @import { Browser, BrowserContext, Page } from 'playwright-core' */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CHROMIUM, launch } from '../chromium.js';
import { serve } from '../serve.js';

const FAKE = readFileSync(new URL('../fake-engine.js', import.meta.url), 'utf8');
const PORTRAIT = fileURLToPath(new URL('../../examples/hopper.jpg', import.meta.url));
const CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
const ATTACHED = /** @type {const} */ ({ state: 'attached' }); // inside of a closed panel
const WIDTHS = [360, 768, 1280];
const NO_CHROMIUM = CHROMIUM ? false : 'NO CHROMIUM: run web_demo/setup-chromium.sh';
if (NO_CHROMIUM && process.env.CI === 'true') throw new Error(NO_CHROMIUM);

describe('the page in Chromium', { skip: NO_CHROMIUM }, () => {
  /** @type {Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;

  before(async () => {
    server = await serve({ folders: {}, extra: { '/engine/engine.js': FAKE } });
    browser = await launch(CAMERA);
  });

  after(async () => {
    await browser?.close();
    server?.close();
  });

  /**
   * The page, opened and ready.
   *
   * @param {object} [how]
   * @param {object} [how.fake] settings of the stand-in
   * @param {import('playwright-core').BrowserContextOptions} [how.context]
   * @param {string} [how.query]
   * @param {string} [how.origin]
   */
  async function open({ fake = {}, context = {}, query = '', origin = server.origin } = {}) {
    const opened = await browser.newContext(context);
    const page = await opened.newPage();
    const faults = /** @type {string[]} */ ([]);
    page.on('pageerror', (error) => faults.push(error.message));
    await page.addInitScript((settings) => Object.assign(globalThis, { fake: settings }), fake);
    await page.goto(`${origin}/${query}`);
    await page.waitForSelector('[data-state="ready"], [data-state="failed"]');
    return { page, faults, close: () => opened.close() };
  }

  /** @param {Page} page */
  async function swapExample(page) {
    await page.click('#example');
    await page.waitForSelector('#stage[data-view="both"]');
  }

  /**
   * Give a file to an input, and return what the page says.
   *
   * @param {Page} page
   * @param {string} input
   * @param {{ name: string, mimeType: string, buffer: Buffer } | string} file
   * @param {RegExp} words
   */
  async function says(page, input, file, words) {
    const note = `#${input.split('-')[0]}-note`;
    await page.setInputFiles(`#${input}`, file);
    await page.waitForFunction(
      ([selector, pattern]) =>
        new RegExp(pattern).test(document.querySelector(selector)?.textContent ?? ''),
      [note, words.source],
    );
  }

  const file = (/** @type {string} */ name, /** @type {Buffer | string} */ content) => ({
    name,
    mimeType: name.endsWith('jpg') ? 'image/jpeg' : 'video/mp4',
    buffer: Buffer.isBuffer(content) ? content : Buffer.from(content, 'latin1'),
  });

  test('broken files get a message each, and the page goes on', async () => {
    const { page, faults, close } = await open();
    const portrait = readFileSync(PORTRAIT);
    const huge = '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x2e\xe0\0\0\x2e\xe0\x08\x02\0\0\0';
    for (const input of ['source-photo', 'target-photo']) {
      await says(page, input, file('none.jpg', ''), /empty \(0 bytes\)/);
      await says(page, input, file('text.jpg', 'only words'), /no photo: its content is text/);
      await says(page, input, file('huge.jpg', huge), /12000 × 12000 = 144 million pixels/);
      await says(page, input, file('cut.jpg', portrait.subarray(0, 40)), /damaged or cut off/);
      await says(page, input, file('film.jpg', '\0\0\0\x18ftypisom'), /its content is a film/);
      await says(page, input, file('phone.jpg', '\0\0\0\x18ftypheic'), /HEIC/);
    }
    await page.check('[name="target-kind"][value="film"]', { force: true });
    await says(page, 'target-film', file('none.mp4', ''), /empty/);
    await says(page, 'target-film', file('text.mp4', 'only words'), /no film: its content is text/);
    await says(page, 'target-film', file('bad.mp4', '\0\0\0\x18ftypisom'), /cannot play the film/);
    await page.check('[name="source-kind"][value="embedding"]', { force: true });
    await says(page, 'source-embedding', file('me.npy', 'short'), /no embedding/);
    await swapExample(page);
    assert.deepEqual(faults, []);
    await close();
  });

  test('a photo of more than 16 million pixels is made smaller, and the page says so', async () => {
    const { page, close } = await open();
    const large = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(12_000, 1500);
      canvas.getContext('2d')?.fillRect(0, 0, 9, 9);
      const blob = await canvas.convertToBlob({ type: 'image/jpeg' });
      return [...new Uint8Array(await blob.arrayBuffer())];
    });
    await says(page, 'target-photo', file('wide.jpg', Buffer.from(large)), /smaller: 12000 × 1500/);
    await close();
  });

  test('a part of the page that does not load is said', async () => {
    const extra = { '/engine/engine.js': FAKE, '/page/decoder.js': 'throw new Error("cut off");' };
    const own = await serve({ folders: {}, extra });
    const { page, close } = await open({ origin: own.origin });
    await says(page, 'target-photo', PORTRAIT, /did not load/);
    await close();
    own.close();
  });

  test('a picture without a face gets a message, as source and as target', async () => {
    const source = await open({ fake: { noSource: true } });
    await says(source.page, 'source-photo', PORTRAIT, /shows no face/);
    await source.close();
    const target = await open({ fake: { noTarget: true } });
    await target.page.click('#example');
    await target.page.waitForSelector('#stage-note[data-kind="bad"]');
    assert.match((await target.page.textContent('#stage-note')) ?? '', /shows no face/);
    assert.ok(await target.page.isDisabled('#save-png'));
    await target.close();
  });

  test('a film is played and swapped; one without a face is told at its end', async () => {
    for (const noFrames of [false, true]) {
      const { page, close } = await open({ fake: { noFrames, ms: 5 } });
      await page.setInputFiles('#source-photo', PORTRAIT);
      await page.check('[name="target-kind"][value="film"]', { force: true });
      await page.setInputFiles('#target-film', file('film.webm', await film(page)));
      await page.waitForSelector('#stage[data-view="both"], #target-note[data-kind="bad"]');
      assert.doesNotMatch((await page.textContent('#target-note')) ?? '', /cannot play/);
      assert.equal(await page.isVisible('#film-bar'), true);
      if (noFrames) await page.waitForSelector('#stage-note[data-kind="bad"]');
      else assert.match((await page.textContent('#fps')) ?? '', /fps/);
      await close();
    }
  });

  test('the camera is a source and a target, and is let go of', async () => {
    const { page, close } = await open({ context: { permissions: ['camera'] } });
    await page.check('[name="source-kind"][value="camera"]', { force: true });
    await page.click('#source-camera');
    await page.click('#source-take');
    await page.waitForSelector('#source-note[data-kind="good"]');
    await page.check('[name="target-kind"][value="camera"]', { force: true });
    await page.click('#target-camera');
    await page.waitForSelector('#stage[data-view="both"]');
    assert.equal(await page.textContent('#target-camera'), 'Stop camera');
    await page.click('#target-camera');
    assert.equal(await page.getAttribute('#stage', 'data-view'), 'empty');
    await close();
  });

  test('no camera, and one that is not allowed, get a message each', async () => {
    const without = await launch();
    const page = await without.newPage();
    await page.goto(server.origin);
    await page.check('[name="target-kind"][value="camera"]', { force: true });
    await page.click('#target-camera');
    await page.waitForSelector('#target-note[data-kind="bad"]');
    assert.match((await page.textContent('#target-note')) ?? '', /[Nn]o camera|not allowed/);
    await without.close();
  });

  test('without the headers of isolation there is one thread, and the page says why', async () => {
    const bare = await serve({
      folders: {},
      extra: { '/engine/engine.js': FAKE },
      without: ['Cross-Origin-Opener-Policy', 'Cross-Origin-Embedder-Policy'],
    });
    const { page, close } = await open({ origin: bare.origin });
    assert.equal(await page.locator('#threads option').count(), 1);
    assert.match((await page.textContent('#engine-facts')) ?? '', /Cross-Origin-Opener-Policy/);
    await close();
    bare.close();
  });

  test('models that cannot be loaded are said, and the page goes on', async () => {
    const openError = ['bad-manifest', 'The manifest has schema 2; this page reads schema 1'];
    const { page, faults, close } = await open({ fake: { openError } });
    assert.match((await page.textContent('#engine-words')) ?? '', /schema 2/);
    await says(page, 'source-photo', PORTRAIT, /schema 2/);
    assert.deepEqual(faults, []);
    await close();
  });

  test('what is chosen while the models load is used when they are there', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(() => Object.assign(globalThis, { fake: { openMs: 200 } }));
    await page.goto(server.origin);
    await page.setInputFiles('#source-photo', PORTRAIT);
    await page.setInputFiles('#target-photo', PORTRAIT);
    assert.equal(await page.getAttribute('#engine-line', 'data-state'), 'loading');
    await page.waitForSelector('#stage[data-view="both"]');
    await context.close();
  });

  test('settings open the engine anew, and are kept', async () => {
    const { page, close } = await open();
    await page.click('summary');
    await page.selectOption('#precision', 'fp32');
    await page.waitForFunction(() =>
      document.querySelector('#engine-words')?.textContent?.includes('Ready: fp32'),
    );
    await page.reload();
    await page.waitForSelector('[data-state="ready"]');
    assert.match((await page.textContent('#engine-words')) ?? '', /Ready: fp32/);
    await close();
  });

  test('the badge is on at first, and goes with the switch', async () => {
    const { page, close } = await open();
    await swapExample(page);
    const corner = () =>
      page.evaluate(() => {
        const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('#after'));
        const { width, height } = canvas;
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
        return context.getImageData(width - 60, height - 30, 60, 30).data.join();
      });
    assert.ok(await page.isChecked('#badge'));
    const stamped = await corner();
    await page.click('#badge');
    const plain = await corner();
    assert.notEqual(stamped, plain);
    await page.reload();
    assert.ok(await page.isChecked('#badge'));
    await close();
  });

  test('saved pictures are what is shown, and state IPTC’s digital source type', async () => {
    const { page, close } = await open();
    await swapExample(page);
    for (const [button, start, chunk] of [
      ['#save-png', '89504e47', 'iTXtXML:com.adobe.xmp'],
      ['#save-jpeg', 'ffd8ff', 'http://ns.adobe.com/xap/1.0/'],
    ]) {
      const waiting = page.waitForEvent('download');
      await page.click(button);
      const saved = readFileSync(await (await waiting).path());
      assert.ok(saved.toString('hex').startsWith(start));
      const head = saved.subarray(0, 2000).toString('latin1');
      assert.ok(head.includes(chunk));
      assert.match(head, /compositeWithTrainedAlgorithmicMedia/);
      if (button === '#save-png') assert.equal(await differing(page, saved), 0);
    }
    await close();
  });

  test('the picture is divided by the keyboard', async () => {
    const { page, close } = await open();
    await swapExample(page);
    await page.focus('#compare');
    for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
    const cut = await page.evaluate(() =>
      /** @type {HTMLElement} */ (document.querySelector('#frame')).style.getPropertyValue('--cut'),
    );
    assert.equal(cut, '55%');
    await close();
  });

  test('a measurement gives rows to see and to download, and can be stopped', async () => {
    const { page, close } = await open();
    await page.fill('#runs', '3');
    await page.click('#measure-start');
    await page.waitForSelector('#measure-result:not([hidden])');
    assert.equal(await page.locator('#measure-rows tr').count(), 2);
    assert.equal(await page.isVisible('#measure-send'), false);
    const waiting = page.waitForEvent('download');
    await page.click('#measure-download');
    const download = await waiting;
    assert.match(download.suggestedFilename(), /\.jsonl$/);
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).source),
      ['web', 'web'],
    );
    await close();
    const slow = await open({ fake: { measureMs: 1000 } });
    await slow.page.click('#measure-start');
    await slow.page.click('#measure-stop');
    await slow.page.waitForSelector('#measure-start:not([hidden])');
    assert.match((await slow.page.textContent('#measure-note')) ?? '', /Stopped/);
    await slow.close();
  });

  test('opened by the terminal’s link, it measures and sends', async () => {
    const context = await browser.newContext({ serviceWorkers: 'block' });
    const page = await context.newPage();
    /** @type {string[]} */
    const sent = [];
    await page.route('**/rows?token=*', (route) => {
      sent.push(route.request().url(), route.request().postData() ?? '');
      return route.fulfill({ body: '1 rows received.' });
    });
    await page.goto(`${server.origin}/?measure=a-b_c&runs=4&threads=1&precisions=int8`);
    await page.waitForFunction(() =>
      document.querySelector('#measure-note')?.textContent?.startsWith('Sent'),
    );
    assert.match(sent[0], /token=a-b_c$/);
    const lines = sent[1].trim().split('\n');
    assert.equal(lines.length, 2);
    assert.equal(JSON.parse(lines[0]).runs.n, 4);
    assert.deepEqual(JSON.parse(lines[1]), { done: true });
    await context.close();
  });

  test('nothing leaves the page’s origin, and nothing could', async () => {
    const context = await browser.newContext({ serviceWorkers: 'allow' });
    /** @type {string[]} */
    const asked = [];
    context.on('request', (request) => asked.push(request.url()));
    const page = await context.newPage();
    await page.goto(server.origin);
    await page.waitForSelector('[data-state="ready"]');
    await swapExample(page);
    const others = asked.filter(
      (url) => !/^(blob|data):/.test(url) && !url.startsWith(server.origin),
    );
    assert.deepEqual(others, []);
    assert.ok(asked.length > 10);
    const refused = await page.evaluate(async () => {
      const blocked = new Promise((done) => {
        document.addEventListener('securitypolicyviolation', (event) =>
          done(event.effectiveDirective),
        );
      });
      await fetch('https://example.org/').catch(() => {});
      return blocked;
    });
    assert.equal(refused, 'connect-src');
    await context.close();
  });

  test('the page’s own policy is that of _headers', async () => {
    const headers = readFileSync(new URL('../../_headers', import.meta.url), 'utf8');
    const html = readFileSync(new URL('../../index.html', import.meta.url), 'utf8');
    const sent = /^ {2}Content-Security-Policy: (.*)$/m.exec(headers)?.[1];
    const stated = /Content-Security-Policy"\s+content="([^"]*)"/.exec(html)?.[1];
    // The one directive that a page cannot give itself.
    assert.equal(`${stated}; frame-ancestors 'none'`, sent);
  });

  test('after the first visit it works without a network', async () => {
    const own = await serve({ folders: {}, extra: { '/engine/engine.js': FAKE } });
    const { page, close } = await open({ origin: own.origin });
    await page.locator('#engine-facts', { hasText: 'without a network' }).waitFor(ATTACHED);
    own.close();
    await page.reload();
    await page.waitForSelector('[data-state="ready"]');
    await page.setInputFiles('#source-photo', PORTRAIT);
    await page.setInputFiles('#target-photo', PORTRAIT);
    await page.waitForSelector('#stage[data-view="both"]');
    await close();
  });

  test('a published version is taken from its cache, and a new one replaces it', async () => {
    const worker = readFileSync(new URL('../../sw.js', import.meta.url), 'utf8');
    const version = (/** @type {string} */ name) => worker.replace("'development'", `'${name}'`);
    const extra = { '/engine/engine.js': FAKE, '/sw.js': version('one') };
    const own = await serve({ folders: {}, extra });
    const { page, close } = await open({ origin: own.origin });
    await page.locator('#engine-facts', { hasText: 'without a network' }).waitFor(ATTACHED);
    const names = () => page.evaluate(() => caches.keys());
    assert.deepEqual(await names(), ['mobilefsgan-one']);
    extra['/sw.js'] = version('two');
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      await registration?.update();
      while (!registration?.waiting) await new Promise((done) => setTimeout(done, 50));
    });
    // The old version serves its pages to their end, so a visit may still be one of its.
    while ((await names()).join() !== 'mobilefsgan-two') {
      await page.goto('about:blank');
      await page.waitForTimeout(200);
      await page.goto(own.origin);
    }
    const kept = await page.evaluate(async () => {
      const cache = await caches.open('mobilefsgan-two');
      return (await cache.keys()).map(({ url }) => new URL(url).pathname);
    });
    assert.ok(kept.includes('/page/start.js'), kept.join());
    await close();
    own.close();
  });

  test('every control has a name, and what changes is announced', async () => {
    const { page, close } = await open();
    await page.click('summary');
    await swapExample(page);
    const client = await page.context().newCDPSession(page);
    const { nodes } = await client.send('Accessibility.getFullAXTree');
    const controls = ['button', 'checkbox', 'combobox', 'radio', 'slider', 'spinbutton', 'switch'];
    const nameless = nodes.filter(
      ({ role, name, ignored }) => !ignored && controls.includes(role?.value) && !name?.value,
    );
    assert.deepEqual(nameless, []);
    for (const id of ['engine-words', 'source-note', 'target-note', 'stage-note', 'measure-note']) {
      assert.equal(await page.getAttribute(`#${id}`, 'role'), 'status');
    }
    assert.equal(await page.locator('h1').count(), 1);
    await close();
  });

  test('the keyboard reaches the controls in their order, and the focus is seen', async () => {
    const { page, close } = await open();
    const reached = [];
    for (let i = 0; i < 11; i++) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate(() => {
          const { activeElement: at } = document;
          const seen = at?.closest('label')?.matches(':has(:focus-visible)');
          const outlined = at && getComputedStyle(at).outlineStyle !== 'none';
          return `${at?.id || at?.className || at?.getAttribute('name')}${seen || outlined ? '' : ' UNSEEN'}`;
        }),
      );
    }
    const order = ['skip', 'example', 'source-kind', 'source-photo', 'target-kind', 'target-photo'];
    assert.deepEqual(
      reached.filter((name) => order.includes(name)),
      order,
    );
    assert.deepEqual(
      reached.filter((name) => name.endsWith('UNSEEN')),
      [],
    );
    await close();
  });

  test('text has a contrast of 4.5 in both themes, and nothing is wider than the screen', async () => {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      for (const width of WIDTHS) {
        const viewport = { width, height: 800 };
        const { page, close } = await open({ context: { colorScheme, viewport } });
        await page.click('summary');
        await swapExample(page);
        await says(page, 'source-photo', file('none.jpg', ''), /empty/);
        await page.click('#measure-start');
        await page.waitForSelector('#measure-result:not([hidden])');
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${wide} on ${width}`);
        assert.deepEqual(await pale(page), [], `${colorScheme} at ${width}`);
        await close();
      }
    }
  });
});

/**
 * A second of film without a face, as WebM.
 *
 * @param {Page} page
 */
async function film(page) {
  const bytes = await page.evaluate(async () => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 240];
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const recorder = new MediaRecorder(canvas.captureStream(15), { mimeType: 'video/webm' });
    /** @type {Blob[]} */
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const ended = new Promise((done) => (recorder.onstop = done));
    recorder.start();
    for (let i = 0; i < 30; i++) {
      context.fillStyle = `hsl(${12 * i} 80% 50%)`;
      context.fillRect(0, 0, 320, 240);
      await new Promise((done) => setTimeout(done, 50));
    }
    recorder.stop();
    await ended;
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
  });
  return Buffer.from(bytes);
}

/**
 * How many values of a saved PNG differ from the canvas that is shown.
 *
 * @param {Page} page
 * @param {Buffer} saved
 */
function differing(page, saved) {
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const shown = /** @type {HTMLCanvasElement} */ (document.querySelector('#after'));
    const again = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (again.getContext('2d'));
    context.drawImage(bitmap, 0, 0);
    const { width, height } = bitmap;
    const mine = shown.getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
    const theirs = context.getImageData(0, 0, width, height).data;
    return theirs.filter((value, i) => value !== mine[i]).length;
  }, saved.toString('base64'));
}

/**
 * Texts whose contrast with the ground behind them is below 4.5 (WCAG 2.2, 1.4.3). Disabled controls
 * and texts over pictures are left out.
 *
 * @param {Page} page
 */
function pale(page) {
  return page.evaluate(() => {
    const channels = (/** @type {string} */ color) => {
      const found = color.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
      return [...found.slice(0, 3), found[3] ?? 1];
    };
    const luminance = (/** @type {number[]} */ rgb) =>
      rgb
        .slice(0, 3)
        .map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (/** @type {Element | null} */ element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = channels(getComputedStyle(at).backgroundColor);
        if (color[3] === 1) return color;
      }
      return [255, 255, 255, 1];
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      const text = texts.currentNode.textContent?.trim();
      if (!text || !element?.checkVisibility() || element.closest('.frame, .busy, :disabled'))
        continue;
      const style = getComputedStyle(element);
      const [a, b] = [channels(style.color), ground(element)].map(luminance).sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      if (ratio < 4.5) found.push(`${text.slice(0, 30)} ${ratio.toFixed(2)}`);
    }
    return found;
  });
}
