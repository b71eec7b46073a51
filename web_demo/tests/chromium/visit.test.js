/** The page with the real engine and a real bundle, as a visitor uses it. */
/** @import { Browser } from 'playwright-core' */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launch, PYTHON, REPOSITORY, webBundle, whyNot } from '../chromium.js';
import { serve } from '../serve.js';

const CLICK_MS = 100;
const SLOW = { timeout: 180_000 }; // CI's machines are shared

describe('the page with the real engine', { skip: whyNot() }, () => {
  /** @type {Browser} */
  let browser;
  /** @type {ReturnType<typeof webBundle>} */
  let bundle;

  before(async () => {
    bundle = webBundle('MOBILEFSGAN_BUNDLE');
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    bundle?.remove();
  });

  test('first visit, a swap, a saved picture; then all of it without a network', async (t) => {
    const server = await serve({ folders: { '/bundle/': bundle.folder } });
    t.after(() => server.close()); // one that stays open keeps Node.js running
    const context = await browser.newContext();
    /** @type {string[]} */
    const asked = [];
    context.on('request', (request) => asked.push(request.url()));
    const page = await context.newPage();
    await page.goto(server.origin);
    await page.waitForSelector('[data-state="ready"]', SLOW);
    assert.match((await page.textContent('#engine-words')) ?? '', /int8 on wasm.* passed/);
    await page.locator('#engine-facts', { hasText: 'without a network' }).waitFor({
      state: 'attached',
    });
    await page.click('#example');
    const delays = await clickDelays(page);
    await page.waitForSelector('#stage[data-view="both"]', SLOW);
    assert.ok(delays.length >= 5, `${delays.length} clicks`);
    const middle = delays.sort((a, b) => a - b)[delays.length >> 1];
    assert.ok(middle <= CLICK_MS, `a click was answered in ${middle.toFixed(0)} ms`);

    const waiting = page.waitForEvent('download');
    await page.click('#save-png');
    const saved = await (await waiting).path();
    assert.match(readFileSync(saved).subarray(0, 2000).toString('latin1'), /DigitalSourceType/);

    server.close();
    await page.reload();
    await page.waitForSelector('[data-state="ready"]', SLOW);
    await page.click('#example');
    await page.waitForSelector('#stage[data-view="both"]', SLOW);
    assert.deepEqual(
      asked.filter((url) => !/^(blob|data):/.test(url) && !url.startsWith(server.origin)),
      [],
    );
    await context.close();
  });

  test('a file with another hash and a manifest of a newer schema are said', async () => {
    const file = 'generator-int8.tflite';
    const damaged = readFileSync(join(bundle.folder, file));
    damaged[damaged.length >> 1] ^= 1;
    for (const [extra, words] of /** @type {[Record<string, any>, RegExp][]} */ ([
      [{ [`/bundle/${file}`]: damaged }, /generator-int8\.tflite/],
      [{ '/bundle/manifest.json': '{"schema": 99}' }, /schema 99/],
    ])) {
      const server = await serve({ folders: { '/bundle/': bundle.folder }, extra });
      const page = await browser.newPage();
      await page.goto(server.origin);
      await page.waitForSelector('[data-state="failed"]', SLOW);
      assert.match((await page.textContent('#engine-words')) ?? '', words);
      assert.ok(await page.isEnabled('#example'));
      await page.close();
      server.close();
    }
  });

  test('the production folder, served by Python, measures for --device web', async () => {
    const root = mkdtempSync(join(tmpdir(), 'web-published-'));
    const [demo, dist] = [join(root, 'web_demo'), join(root, 'dist')];
    const here = join(REPOSITORY, 'web_demo');
    const names = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')).files;
    for (const name of [...names, '_headers', 'package.json', 'publish.mjs']) {
      if (name !== 'bundle') cpSync(join(here, name), join(demo, name), { recursive: true });
    }
    cpSync(bundle.folder, join(demo, 'bundle'), { recursive: true });
    execFileSync(process.execPath, [join(demo, 'publish.mjs'), dist], { stdio: 'ignore' });
    const terminal = spawn(PYTHON, ['-c', MEASURE, dist], { cwd: REPOSITORY });
    const said = { out: '', err: '' };
    terminal.stdout.on('data', (data) => (said.out += data));
    const link = await new Promise((resolve) => {
      terminal.stderr.on('data', (data) => {
        said.err += data;
        const found = /http:\/\/localhost\S+/.exec(said.err);
        if (found) resolve(found[0]);
      });
    });
    const page = await browser.newPage();
    await page.goto(link);
    const code = await new Promise((done) => terminal.on('exit', done));
    assert.equal(code, 0, said.err);
    assert.match(said.out, /wasm int8 2 runs on 1 threads/);
    await page.close();
    rmSync(root, { recursive: true });
  });
});

const MEASURE = `
import sys
from pathlib import Path
from benchmarks.harness.browser import WebSettings, rows_from_browser
settings = WebSettings(("int8",), 2, 1, 1, timeout_s=300, folder=Path(sys.argv[1]))
for row in rows_from_browser(settings, lambda words: print(words, file=sys.stderr)):
    print(row.backend.used, row.model.precision, row.total.n, "runs on", row.backend.threads, "threads")
`;

/**
 * How long the page takes to answer clicks while the engine works, in milliseconds: from the event's
 * own time to its handler.
 *
 * @param {import('playwright-core').Page} page
 */
async function clickDelays(page) {
  await page.evaluate(() => {
    const delays = /** @type {number[]} */ ([]);
    Object.assign(globalThis, { delays });
    document.querySelector('#badge')?.addEventListener('click', (event) => {
      delays.push(performance.now() - event.timeStamp);
    });
  });
  await page.locator('#badge').scrollIntoViewIfNeeded();
  const badge = await page.locator('#badge').boundingBox();
  assert.ok(badge);
  const [x, y] = [badge.x + badge.width / 2, badge.y + badge.height / 2];
  while ((await page.getAttribute('#stage', 'data-view')) !== 'both') {
    await page.mouse.click(x, y); // page.click would first ask where it is, for a third of a swap
    await page.waitForTimeout(15);
  }
  return page.evaluate(() => /** @type {number[]} */ (/** @type {any} */ (globalThis).delays));
}
