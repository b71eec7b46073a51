/** What the visitor does while something older is under way: the newest wins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PageError } from '../page/faults.js';
import { closeFilm, openFilm } from '../page/film.js';
import { Live } from '../page/live.js';
import { Sources } from '../page/sources.js';
import { Targets } from '../page/targets.js';
import { Frames, settled, Stub, stubPage, until, WorkerStub } from './stubs.js';

const PATIENCE_MS = 15_000;
const film = (/** @type {string} */ name) => new File(['\0\0\0\x18ftypisom'], name);
const photo = (/** @type {string} */ name) => new File([Uint8Array.of(0xff, 0xd8, 0xff)], name);

/** @param {any} stub */
const any = (stub) => stub;

/** @param {Promise<unknown>} opening */
const outcome = (opening) =>
  opening.then(
    () => 'opened',
    (error) => (error instanceof PageError ? error.code : error.name),
  );

/**
 * Drop a file onto a part of the page.
 *
 * @param {Stub} place
 * @param {File} file
 */
function drop(place, file) {
  place.dispatchEvent(Object.assign(new Event('drop'), { dataTransfer: { files: [file] } }));
}

test('a film that is opened before the last one showed a picture stays open', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const video = new Stub();
  const first = outcome(openFilm(any(video), film('a.mp4')));
  await until(() => video.src);
  const older = video.src;
  const second = outcome(openFilm(any(video), film('b.mp4')));
  await until(() => video.src && video.src !== older);
  const newer = video.src;
  video.dispatchEvent(new Event('loadeddata'));
  assert.equal(await second, 'opened');
  t.mock.timers.tick(PATIENCE_MS);
  assert.notEqual(await first, 'opened');
  assert.equal(video.src, newer);
});

test('a film that is closed while its first bytes are read does not come', async () => {
  const video = new Stub();
  const closed = outcome(openFilm(any(video), film('a.mp4')));
  closeFilm(any(video));
  await settled();
  assert.equal(video.src, '');
  assert.equal(await closed, 'AbortError');
});

test('a film without a picture is closed after 15 s', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const video = new Stub();
  const opening = outcome(openFilm(any(video), film('a.mp4')));
  await until(() => video.src);
  t.mock.timers.tick(PATIENCE_MS);
  assert.equal(await opening, 'film-damaged');
  assert.equal(video.src, '');
});

test('a film that is opening is forgotten when another kind of target is chosen', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const page = stubPage();
  const kind = new Stub();
  page('target-card').radios = [kind];
  const video = new Stub();
  document.createElement = () => any(video);
  new Targets(any({ clear() {}, setVideo() {} }));
  drop(page('stage'), new File(['\0\0\0\x18ftypisom'], 'a.mp4', { type: 'video/mp4' }));
  await until(() => video.src);
  kind.dispatchEvent(new Event('change'));
  t.mock.timers.tick(PATIENCE_MS);
  await settled();
  assert.equal(page('target-note').textContent, '');
});

/** The source panel, with an engine whose answers are the pictures' names. */
function sourcePanel() {
  const page = stubPage();
  WorkerStub.orders = [];
  /** @type {unknown[]} */
  const used = [];
  /** @type {(embedding: string) => void} */
  let answerFile = () => {};
  const engine = {
    embed: async (/** @type {{ name: string }} */ { name }) => name,
    embeddingFromFile: () => new Promise((resolve) => (answerFile = resolve)),
  };
  const session = { use: async (/** @type {(of: any) => any} */ task) => task(engine) };
  const sources = new Sources(any(session), (embedding) => used.push(embedding));
  const decode = (/** @type {string} */ name) => {
    const bitmap = {
      name,
      width: 9,
      height: 9,
      closed: false,
      close: () => (bitmap.closed = true),
    };
    const order = WorkerStub.orders.find(({ file }) => file.name === name);
    WorkerStub.answer(order, { bitmap, width: 9, height: 9 });
    return bitmap;
  };
  return {
    sources,
    page,
    used,
    decode,
    ordered: (/** @type {number} */ count) => until(() => WorkerStub.orders.length === count),
    good: () => until(() => any(page('source-note').dataset).kind === 'good'),
    answerFile: (/** @type {string} */ embedding) => answerFile(embedding),
  };
}

test('a source photo that decodes slowly changes nothing once a newer one is there', async () => {
  const { sources, page, used, decode, ordered, good } = sourcePanel();
  sources.usePhoto(photo('a.jpg'));
  await ordered(1);
  sources.usePhoto(photo('b.jpg'));
  await ordered(2);
  const newer = decode('b.jpg');
  await good();
  const older = decode('a.jpg');
  await until(() => older.closed);
  await settled();
  assert.match(page('source-note').textContent, /The face of b\.jpg is the source/);
  assert.equal(page('source-thumb').drawn, newer);
  assert.deepEqual(used, ['b.jpg']);
});

test('an embedding that is read slowly does not hide the thumbnail of a newer photo', async () => {
  const { sources, page, used, decode, ordered, good, answerFile } = sourcePanel();
  drop(page('source-card'), new File(['npy'], 'me.npy'));
  await settled();
  sources.usePhoto(photo('b.jpg'));
  await ordered(1);
  decode('b.jpg');
  await good();
  answerFile('me');
  await settled();
  assert.equal(page('source-thumb').hidden, false);
  assert.deepEqual(used, ['b.jpg']);
});

for (const native of [true, false]) {
  const by = native ? 'requestVideoFrameCallback' : 'requestAnimationFrame';
  test(`a pause ends the loop of frames that a resume starts again: ${by}`, () => {
    stubPage();
    const frames = new Frames();
    const video = new Stub();
    if (native) {
      const requestVideoFrameCallback = frames.request;
      Object.assign(video, { requestVideoFrameCallback, cancelVideoFrameCallback: frames.cancel });
    } else {
      const requestAnimationFrame = frames.request;
      Object.assign(globalThis, { requestAnimationFrame, cancelAnimationFrame: frames.cancel });
    }
    const session = { use: async () => {} };
    const options = { embedding: null, faces: 'largest', mirrored: false };
    const live = new Live(any({ video, session, viewer: {}, options, events: {} }));
    for (let i = 0; i < 3; i++) {
      live.start();
      frames.show();
      assert.equal(frames.waiting.size, 1);
      live.stop();
      assert.equal(frames.waiting.size, 0);
    }
  });
}
