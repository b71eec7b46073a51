/** Puts the page together. */
import { byId, say } from './dom.js';
import { wordsOf } from './faults.js';
import { Measuring, requestOf } from './measuring.js';
import { keepLoaded, startKeeping } from './offline.js';
import { DECODER } from './pictures.js';
import { canShare, download, labelledFile, share } from './saving.js';
import { Session } from './session.js';
import { Settings } from './settings.js';
import { Sources } from './sources.js';
import { Swapping } from './swapping.js';
import { Targets } from './targets.js';
import { Viewer } from './viewer.js';

/** @import { Engine, Progress } from '../engine/engine.js' */
/** @import { EngineSettings } from './session.js' */

const EXAMPLE = { source: 'examples/astronaut.jpg', target: 'examples/hopper.jpg' };

/**
 * @param {{ Engine: typeof Engine, bundleUrl?: string }} parts
 */
export async function startPage({ Engine, bundleUrl = 'bundle/' }) {
  const session = new Session(Engine, bundleUrl);
  const viewer = new Viewer();
  const swapping = new Swapping(session, viewer);
  const settings = new Settings(async (changed) => {
    swapping.pause();
    await openEngine(session, changed);
    swapping.resume();
    swapping.refresh();
  });
  const request = requestOf(location.search);
  // A terminal's page is opened once, from another port each time: nothing is kept of it.
  const keeping = request.token ? Promise.resolve() : startKeeping();
  const opened = openEngine(session, settings.value, keeping);
  const sources = new Sources(session, (embedding) => (swapping.source = embedding));
  const targets = new Targets(swapping);
  const measuring = new Measuring(session, request, {
    before: () => swapping.pause(),
    after: () => swapping.resume(),
  });
  // A file that misses its place would replace the page.
  for (const name of ['dragover', 'drop'])
    addEventListener(name, (event) => event.preventDefault());
  wireOptions(swapping, viewer);
  wireKeeping(viewer);
  byId('example', HTMLButtonElement).addEventListener('click', async () => {
    const [source, target] = await Promise.all([fileOf(EXAMPLE.source), fileOf(EXAMPLE.target)]);
    targets.usePhoto(target);
    sources.usePhoto(source);
  });
  await opened;
  if (await keepLoaded([DECODER])) settings.tell('This page works without a network from now on.');
  if (request.token) {
    byId('measure', HTMLElement).scrollIntoView();
    measuring.start();
  }
}

/**
 * @param {Session} session
 * @param {EngineSettings} settings
 * @param {Promise<void>} [first] is waited for
 */
async function openEngine(session, settings, first) {
  const line = byId('engine-line', HTMLElement);
  const words = byId('engine-words', HTMLElement);
  const bar = byId('engine-progress', HTMLProgressElement);
  line.dataset.state = 'loading';
  words.textContent = 'Loading the models';
  bar.removeAttribute('value');
  try {
    const show = (/** @type {Progress} */ { loaded_bytes, total_bytes, what }) => {
      if (total_bytes) bar.value = Math.min(1, loaded_bytes / total_bytes);
      const loading = `Loading ${what} (${(total_bytes / 1e6).toFixed(0)} MB in all)`;
      if (words.textContent !== loading) words.textContent = loading;
    };
    const opened = await session.open(settings, show, first);
    line.dataset.state = opened.passed ? 'ready' : 'failed';
    words.textContent = `Ready: ${opened.words}`;
    byId('notice', HTMLElement).textContent = session.facts?.notice ?? '';
  } catch (error) {
    line.dataset.state = 'failed';
    words.textContent = wordsOf(error);
  }
}

/**
 * @param {Swapping} swapping
 * @param {Viewer} viewer
 */
function wireOptions(swapping, viewer) {
  for (const radio of document.querySelectorAll('input[name="faces"]')) {
    radio.addEventListener('change', () => {
      const all = document.querySelector('input[name="faces"][value="all"]:checked');
      swapping.faces = all ? 'all' : 'largest';
    });
  }
  const badge = byId('badge', HTMLInputElement);
  badge.checked = true; // a reload would keep it off
  badge.addEventListener('change', () => (viewer.badge = badge.checked));
}

/** @param {Viewer} viewer */
function wireKeeping(viewer) {
  const note = byId('stage-note', HTMLElement);
  const keep = (
    /** @type {string} */ id,
    /** @type {'png' | 'jpeg'} */ format,
    /** @type {(file: File) => unknown} */ give,
  ) =>
    byId(id, HTMLButtonElement).addEventListener('click', async () => {
      try {
        const file = await labelledFile(viewer.canvas, format, 'face-swapped');
        await give(file);
        say(note, `${file.name}: labelled as synthetic in its metadata.`, 'good');
      } catch (error) {
        say(note, wordsOf(error), 'bad');
      }
    });
  keep('save-png', 'png', download);
  keep('save-jpeg', 'jpeg', download);
  keep('share', 'jpeg', share);
  byId('share', HTMLButtonElement).hidden = !canShare();
}

/** @param {string} url */
async function fileOf(url) {
  const answer = await fetch(url);
  const name = url.split('/').at(-1) ?? 'photo';
  return new File([await answer.blob()], name, { type: 'image/jpeg' });
}
