/** Keeps the page and its models on the device, so that it works without a network. */

const PATIENCE_MS = 4000;

/**
 * Wait until the service worker sees the page's requests, so that the models of the first visit are
 * kept. Gives up after four seconds: the page works without it.
 */
export async function keepOffline() {
  const workers = navigator.serviceWorker; // not there over plain http
  if (!workers) return;
  try {
    await workers.register('sw.js');
    await Promise.race([controlled(workers), new Promise((done) => setTimeout(done, PATIENCE_MS))]);
    // What was loaded before the worker was there.
    const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
    workers.controller?.postMessage({ keep: [location.href.split(/[?#]/)[0], ...loaded] });
  } catch {
    // Private windows of some browsers have no service workers.
  }
}

/** @param {ServiceWorkerContainer} workers */
async function controlled(workers) {
  if (workers.controller) return;
  await new Promise((done) => workers.addEventListener('controllerchange', done, { once: true }));
}
