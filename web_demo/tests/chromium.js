import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
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

/**
 * Why tests in a browser cannot run: false where they can. In CI they have to run.
 *
 * @returns {string | false}
 */
export function whyNot() {
  const why = !CHROMIUM
    ? 'NO CHROMIUM: run web_demo/setup-chromium.sh, or set CHROMIUM'
    : !process.env.MOBILEFSGAN_BUNDLE
      ? 'NO BUNDLE: set MOBILEFSGAN_BUNDLE to a folder made by python -m export'
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
 * The bundle of MOBILEFSGAN_BUNDLE as the page needs it: with the detectors, in a new folder. A
 * folder that `python -m export.bundle --web` made is used as it is.
 *
 * @returns {{ folder: string, remove: () => void }}
 */
export function webBundle() {
  const given = process.env.MOBILEFSGAN_BUNDLE ?? '';
  if (existsSync(join(given, 'detectors/index.json'))) return { folder: given, remove() {} };
  const folder = mkdtempSync(join(tmpdir(), 'web-bundle-'));
  const python = process.env.PYTHON ?? 'python3';
  execFileSync(python, ['-m', 'export.bundle', '--web', given, '--to', folder], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
