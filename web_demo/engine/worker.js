import { toData } from './errors.js';
import { Session } from './session.js';

const session = new Session();
let last = Promise.resolve();

// Calls are answered in turn: a model runs one input at a time.
self.onmessage = ({ data }) => {
  last = last.then(() => answer(data));
};

/** @param {{ id: number, method: string, given: any[] }} call */
async function answer({ id, method, given }) {
  const tell = (/** @type {unknown} */ progress) => self.postMessage({ id, progress });
  try {
    const result = await session.call(method, given, tell);
    const transfer = result?.picture ? [result.picture.data.buffer] : [];
    self.postMessage({ id, result }, { transfer });
  } catch (error) {
    self.postMessage({ id, error: toData(error) });
  }
}
