import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES = /** @type {Record<string, string>} */ ({
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
});

/**
 * Serve the page with the headers of `_headers`, on a free port of this machine.
 *
 * @param {object} options
 * @param {Record<string, string>} options.folders by the path that they are served at, such as `/bundle/`
 * @param {Record<string, string | Uint8Array>} [options.extra] files by path, before all others
 * @param {string[]} [options.without] names of headers that are left out
 * @returns {Promise<{ origin: string, close: () => void }>}
 */
export function serve({ folders, extra = {}, without = [] }) {
  const headers = readHeaders().filter(([name]) => !without.includes(name));
  const server = createServer((request, response) => {
    const asked = decodeURIComponent(new URL(request.url ?? '/', 'http://here').pathname);
    const path = asked === '/' ? '/index.html' : asked;
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    for (const [name, value] of [...headers, ['Content-Type', type]]) {
      response.setHeader(name, value);
    }
    if (path in extra) return response.end(extra[path]);
    const inside = normalize(path);
    const place = Object.keys(folders).find((prefix) => inside.startsWith(prefix));
    const file = place ? join(folders[place], inside.slice(place.length)) : join(ROOT, inside);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.statusCode = 404;
      return response.end();
    }
    return createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = /** @type {import('node:net').AddressInfo} */ (server.address());
      const close = () => {
        server.close();
        server.closeAllConnections();
      };
      resolve({ origin: `http://127.0.0.1:${address.port}`, close });
    });
  });
}

/** Names and values of the headers that `_headers` gives to all files. */
function readHeaders() {
  const lines = readFileSync(join(ROOT, '_headers'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const found = /^ +([\w-]+): (.*)$/.exec(line);
    return found ? [/** @type {[string, string]} */ ([found[1], found[2]])] : [];
  });
}
