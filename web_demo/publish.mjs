/**
 * Makes a folder for any static host: `node publish.mjs DIR`.
 *
 * It holds the page, its vendor files, a bundle and `_headers`, and nothing else. The service worker
 * gets a version: a hash over all files.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const NEEDED = {
  'vendor/build.json': 'run: npm ci && npm run build',
  'bundle/manifest.json': 'run: python -m export.bundle --web BUNDLE',
};
const VERSION = "const VERSION = 'development';";

const [to] = process.argv.slice(2);
if (!to || to.startsWith('-')) fail(2, 'expected a folder: node publish.mjs DIR');
for (const [file, remedy] of Object.entries(NEEDED)) {
  if (!existsSync(join(HERE, file))) fail(4, `${file} is missing; ${remedy}`);
}
if (existsSync(to) && (await readdir(to)).length) {
  fail(4, `${to} is not empty; expected a new or an empty folder`);
}
const { files } = JSON.parse(await readFile(join(HERE, 'package.json'), 'utf8'));
await mkdir(to, { recursive: true });
for (const name of [...files, '_headers']) {
  await cp(join(HERE, name), join(to, name), { recursive: true });
}
const version = await hashOf(to);
const worker = await readFile(join(to, 'sw.js'), 'utf8');
if (!worker.includes(VERSION)) fail(1, `sw.js lacks the line ${VERSION}`);
await writeFile(join(to, 'sw.js'), worker.replace(VERSION, `const VERSION = '${version}';`));
console.log(to);
console.error(`version ${version}. Netlify and Cloudflare Pages read _headers; other hosts need:`);
const headers = await readFile(join(to, '_headers'), 'utf8');
for (const line of headers.split('\n').filter((each) => /^ +\S/.test(each))) console.error(line);

/**
 * Sixteen hex digits over the names and contents of all files.
 *
 * @param {string} folder
 */
async function hashOf(folder) {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
  for (const path of paths.sort()) {
    const content = createHash('sha256').update(await readFile(path));
    hash.update(`${path.slice(folder.length)} ${content.digest('hex')}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * @param {number} code of the exit
 * @param {string} words
 * @returns {never}
 */
function fail(code, words) {
  console.error(`error: ${words}`);
  process.exit(code);
}
