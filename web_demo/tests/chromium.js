/** @import { Browser } from 'playwright-core' */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { serve } from './serve.js';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
/** The interpreter that has the toolkit installed. */
export const PYTHON = process.env.PYTHON ?? 'python3';
const FLAGS = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-quic',
  '--disable-sync',
];

/** Where Chromium is; an empty text where it is not. */
export const CHROMIUM =
  [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
    (path) => path && existsSync(path),
  ) ?? '';

// Names the bundle of the published generator, which one test is about.
export const PUBLISHED = 'MOBILEFSGAN_PUBLISHED_BUNDLE';

/**
 * Why tests in a browser cannot run: false where they can. In CI they have to run.
 *
 * @param {string} [variable] of the environment that names the bundle they need
 * @returns {string | false}
 */
export function whyNot(variable = 'MOBILEFSGAN_BUNDLE') {
  const why = !CHROMIUM
    ? 'NO CHROMIUM: run web_demo/setup-chromium.sh, or set CHROMIUM'
    : !existsSync(join(process.env[variable] ?? '', 'manifest.json'))
      ? `NO BUNDLE: set ${variable} to a folder made by python -m export`
      : false;
  if (why && process.env.CI === 'true') throw new Error(why);
  return why;
}

/**
 * Start headless Chromium with an empty profile.
 *
 * @param {string[]} [flags]
 */
export async function launch(flags = []) {
  return chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: [...FLAGS, ...flags],
  });
}

/**
 * A server and a browser for all tests of the suite that calls this: started before them, closed
 * after them. Call it inside of `describe`.
 *
 * @param {string[]} [flags] of Chromium
 * @param {Parameters<typeof testServer>[0]} [options] of the server
 */
export function serverAndBrowser(flags = [], options = {}) {
  /** @type {Awaited<ReturnType<typeof testServer>>} */
  let server;
  /** @type {Browser} */
  let browser;

  before(async () => {
    server = await testServer(options);
    browser = await launch(flags);
  });

  after(async () => {
    await browser?.close();
    server?.close();
  });

  return {
    browser: () => browser,
    /** An empty page of the server's origin, with its headers. The test closes it. */
    async emptyPage() {
      const page = await browser.newPage();
      await page.goto(`${server.origin}/empty.html`);
      return page;
    },
  };
}

/**
 * A server of the page with MOBILEFSGAN_BUNDLE as `bundle/`, the same with a generator that takes no
 * time as `tiny/`, MOBILEFSGAN_PUBLISHED_BUNDLE as `published/` where that is asked for, the vectors
 * as `vectors/`, and an empty page as `empty.html`.
 *
 * @param {{
 *   extra?: Record<string, string | Uint8Array>,
 *   without?: string[],
 *   published?: boolean,
 * }} [options] `extra` and `without` as for `serve`
 * @returns {Promise<{ origin: string, close: () => void }>}
 */
export async function testServer({ extra = {}, without = [], published = false } = {}) {
  const bundle = webBundle('MOBILEFSGAN_BUNDLE');
  const other = published ? webBundle(PUBLISHED) : null;
  const empty = { '/empty.html': '<!doctype html><title>empty</title>' };
  const server = await serve({
    folders: {
      '/bundle/': bundle.folder,
      '/tiny/': bundle.folder,
      ...(other && { '/published/': other.folder }),
      '/vectors/': join(REPOSITORY, 'tests/vectors'),
    },
    extra: { ...empty, ...tiny(bundle.folder), ...extra },
    without,
  });
  const close = () => {
    server.close();
    bundle.remove();
    other?.remove();
  };
  return { origin: server.origin, close };
}

/**
 * Files of a bundle whose generator is `tiny-generator.tflite`.
 *
 * @param {string} folder of the bundle that it is made from
 */
function tiny(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const bytes = readFileSync(new URL('chromium/tiny-generator.tflite', import.meta.url));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const generator = manifest.models.find(
    (/** @type {any} */ { model, precision }) => model === 'generator' && precision === 'fp32',
  );
  const file = 'tiny-generator.tflite';
  const models = ['int8', 'fp32'].map((precision) => ({
    ...generator, file, sha256, bytes: bytes.length, precision,
  })); // prettier-ignore
  const others = manifest.models.filter((/** @type {any} */ { model }) => model !== 'generator');
  const text = JSON.stringify({ ...manifest, models: [...models, ...others] });
  return { '/tiny/manifest.json': text, [`/tiny/${file}`]: bytes };
}

/**
 * A bundle as the page needs it: with the detectors, in a new folder. A folder that
 * `python -m export.bundle --web` made is used as it is.
 *
 * @param {string} variable of the environment that names the bundle's folder
 * @returns {{ folder: string, remove: () => void }}
 */
export function webBundle(variable) {
  const given = process.env[variable] ?? '';
  if (existsSync(join(given, 'detectors/index.json'))) return { folder: given, remove() {} };
  const folder = mkdtempSync(join(tmpdir(), 'web-bundle-'));
  execFileSync(PYTHON, ['-m', 'export.bundle', '--web', given, '--to', folder], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
