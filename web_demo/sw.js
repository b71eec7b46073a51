/**
 * Keeps what the page loads, so that it works without a network.
 *
 * publish.sh writes a hash of all files into VERSION. Files of a published version are taken from
 * the cache first; a new version gets a cache of its own and takes over what the old one had kept.
 * While developing, the network comes first and the cache is for when there is none.
 */

const VERSION = 'development';
const PREFIX = 'mobilefsgan-';
const CACHE = PREFIX + VERSION;

/** @typedef {{ waitUntil(work: Promise<unknown>): void }} Waiting */

const worker = /** @type {any} */ (globalThis);

worker.addEventListener('install', (/** @type {Waiting} */ event) => {
  event.waitUntil(takeOver());
});

worker.addEventListener('activate', (/** @type {Waiting} */ event) => {
  event.waitUntil(removeOthers().then(() => worker.clients.claim()));
});

worker.addEventListener('message', (/** @type {Waiting & MessageEvent} */ event) => {
  if (!Array.isArray(event.data?.keep)) return;
  event.waitUntil(keep(event.data.keep).then((all) => event.ports[0]?.postMessage(all)));
});

worker.addEventListener(
  'fetch',
  (
    /** @type {Waiting & { request: Request, respondWith(r: Promise<Response>): void }} */ event,
  ) => {
    const { request } = event;
    if (request.method !== 'GET' || !ours(request.url)) return;
    event.respondWith(VERSION === 'development' ? networkFirst(request) : cacheFirst(request));
  },
);

/** @param {string} url */
function ours(url) {
  return url.startsWith(worker.registration.scope);
}

/**
 * The address that a file is kept under: a link's query is for the page, not for the server.
 *
 * @param {string} url
 */
function keyOf(url) {
  const plain = url.split(/[?#]/)[0];
  return plain.endsWith('/index.html') ? plain.slice(0, -'index.html'.length) : plain;
}

/** @param {Request} request */
async function networkFirst(request) {
  try {
    return await fetched(request);
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(keyOf(request.url));
    if (kept) return kept;
    throw error;
  }
}

/** @param {Request} request */
async function cacheFirst(request) {
  const kept = await (await caches.open(CACHE)).match(keyOf(request.url));
  return kept ?? fetched(request);
}

/**
 * From the network, and kept if it is whole.
 *
 * @param {Request} request
 */
async function fetched(request) {
  const answer = await fetch(request);
  if (answer.status === 200 && answer.type === 'basic') {
    const copy = answer.clone();
    const cache = await caches.open(CACHE);
    // The page does not wait for the disk; a full disk is no reason to fail.
    cache.put(keyOf(request.url), copy).catch(() => {});
  }
  return answer;
}

/**
 * @param {string[]} urls
 * @returns {Promise<boolean>} whether all of them are kept
 */
async function keep(urls) {
  const cache = await caches.open(CACHE);
  let all = true;
  for (const url of new Set(urls.filter(ours).map(keyOf))) {
    if (await cache.match(url)) continue;
    await cache.add(url).catch(() => (all = false));
  }
  return all;
}

/** Load what an earlier version had kept, in this version. */
async function takeOver() {
  if (VERSION === 'development') return;
  const cache = await caches.open(CACHE);
  for (const name of await caches.keys()) {
    if (!name.startsWith(PREFIX) || name === CACHE) continue;
    for (const { url } of await (await caches.open(name)).keys()) {
      await cache.add(new Request(url, { cache: 'no-cache' })).catch(() => {});
    }
  }
}

async function removeOthers() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
}
