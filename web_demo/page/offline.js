/** Keeps the page and its models on the device, so that it works without a network. */

const PATIENCE_MS = 4000;

/**
 * Wait until the service worker sees the page's requests, so that the models of the first visit are
 * kept. Gives up after four seconds: the page works without it.
 */
export async function startKeeping() {
  const workers = navigator.serviceWorker; // not there over plain http
  if (!workers) return;
  try {
    await workers.register('sw.js');
    await Promise.race([controlled(workers), new Promise((done) => setTimeout(done, PATIENCE_MS))]);
  } catch {
    // Private windows of some browsers have no service workers.
  }
}

/**
 * Have the service worker keep what was loaded before it was there.
 *
 * @param {string[]} later addresses of what is loaded when it is needed
 * @returns {Promise<boolean>} whether the page works without a network from now on
 */
export async function keepLoaded(later) {
  const worker = navigator.serviceWorker?.controller;
  if (!worker) return false;
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
  const { port1, port2 } = new MessageChannel();
  const answered = new Promise((done) => (port1.onmessage = ({ data }) => done(data === true)));
  worker.postMessage({ keep: [location.href.split(/[?#]/)[0], ...loaded, ...later] }, [port2]);
  return answered;
}

/** @param {ServiceWorkerContainer} workers */
async function controlled(workers) {
  if (workers.controller) return;
  await new Promise((done) => workers.addEventListener('controllerchange', done, { once: true }));
}
