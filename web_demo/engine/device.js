/** @import { Device } from './rows.js' */

/**
 * What a browser tells about the device: model and processor are often unknown.
 *
 * @returns {Promise<{ device: Device, browser: string }>}
 */
export async function deviceFacts() {
  const cores = navigator.hardwareConcurrency || 1;
  const soc = await graphicsName();
  /** @type {any} */
  const hints = /** @type {any} */ (navigator).userAgentData;
  if (!hints?.getHighEntropyValues) {
    const { os, browser } = fromUserAgent(navigator.userAgent);
    return { device: { model: 'unknown', os, soc, cores }, browser };
  }
  const told = await hints.getHighEntropyValues([
    'architecture',
    'fullVersionList',
    'model',
    'platformVersion',
  ]);
  const brand = told.fullVersionList?.find(
    (/** @type {{ brand: string }} */ { brand }) => !/not.?a.?brand|^chromium$/i.test(brand),
  );
  const { browser } = fromUserAgent(navigator.userAgent);
  return {
    device: {
      model: told.model || 'unknown',
      os: [told.platform, told.platformVersion].filter(Boolean).join(' ') || 'unknown',
      soc: soc === 'unknown' ? told.architecture || soc : soc,
      cores,
    },
    browser: brand ? `${brand.brand} ${brand.version}` : browser,
  };
}

/**
 * Operating system and browser in a user agent's text, for browsers without client hints.
 *
 * @param {string} text
 */
export function fromUserAgent(text) {
  const os =
    /\b(Android [\d.]+|Windows NT [\d.]+)/.exec(text)?.[1] ??
    text
      .match(/\b(?:CPU |iPhone )+OS ([\d_]+)/)?.[1]
      ?.replace(/^/, 'iOS ')
      .replaceAll('_', '.') ??
    text
      .match(/Mac OS X ([\d_]+)/)?.[1]
      ?.replace(/^/, 'macOS ')
      .replaceAll('_', '.') ??
    /\b(Linux|CrOS)\b/.exec(text)?.[1] ??
    'unknown';
  const safari = /Version\/([\d.]+).* Safari\//.exec(text)?.[1];
  // Edge names Chrome as well, and before itself.
  const other =
    /\b(Edg|EdgA|EdgiOS|CriOS|FxiOS)\/([\d.]+)/.exec(text) ??
    /\b(Firefox|Chrome)\/([\d.]+)/.exec(text);
  const name = other?.[1].replace(/^Edg.*/, 'Edge');
  const browser = other ? `${name} ${other[2]}` : safari ? `Safari ${safari}` : 'unknown';
  return { os, browser };
}

/** Threads that are asked for where the visitor chose none: half of the cores, between 1 and 4. */
export function usualThreads() {
  return Math.min(Math.max((navigator.hardwareConcurrency || 2) >> 1, 1), 4);
}

/** The graphics chip, where the browser names it: on a phone it tells the processor. */
async function graphicsName() {
  try {
    /** @type {any} */
    const gpu = /** @type {any} */ (navigator).gpu;
    const info = (await gpu?.requestAdapter())?.info;
    return [info?.vendor, info?.architecture].filter(Boolean).join(' ') || 'unknown';
  } catch {
    return 'unknown';
  }
}
