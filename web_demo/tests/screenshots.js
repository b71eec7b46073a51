/**
 * Draws the pictures of docs/web.md with a real engine: `npm run screenshots`. MOBILEFSGAN_BUNDLE names
 * the bundle that they show.
 */
/** @import { BrowserContextOptions, Page } from 'playwright-core' */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch, REPOSITORY, webBundle, whyNot } from './chromium.js';
import { serve } from './serve.js';

const SLOW = { timeout: 180_000 };
const PHONE = { viewport: { width: 373, height: 766 }, deviceScaleFactor: 1.5 };
const DESKTOP = { viewport: { width: 1280, height: 830 }, deviceScaleFactor: 1.1 };

const why = whyNot();
if (why) {
  console.error(why);
  process.exit(3);
}
const bundle = webBundle('MOBILEFSGAN_BUNDLE');
const server = await serve({ folders: { '/bundle/': bundle.folder } });
const browser = await launch();
try {
  await draw('web-start', PHONE, async () => {});
  await draw('web-narrow', { ...PHONE, colorScheme: 'dark' }, swapTheExample);
  await draw('web-wide', DESKTOP, swapTheExample);
} finally {
  await browser.close();
  server.close();
  bundle.remove();
}

/** @param {Page} page */
async function swapTheExample(page) {
  await page.click('#example');
  await page.waitForSelector('#stage[data-view="both"]', SLOW);
}

/**
 * @param {string} name of the picture
 * @param {BrowserContextOptions} options
 * @param {(page: Page) => Promise<void>} use what a visitor does before it is taken
 */
async function draw(name, options, use) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(server.origin);
  await page.waitForSelector('[data-state="ready"]', SLOW);
  await use(page);
  await page.mouse.move(0, 0);
  const path = join(REPOSITORY, `docs/img/${name}.webp`);
  writeFileSync(path, await asWebp(page, await page.screenshot()));
  await context.close();
  console.log(path);
}

/**
 * Browsers take screenshots as PNG, which is several times as large.
 *
 * @param {Page} page
 * @param {Buffer} png
 * @returns {Promise<Buffer>}
 */
async function asWebp(page, png) {
  const written = await page.evaluate(async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.9 });
    return Array.from(new Uint8Array(await blob.arrayBuffer()));
  }, png.toString('base64'));
  return Buffer.from(written);
}
