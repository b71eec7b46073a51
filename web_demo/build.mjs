/**
 * Puts what the page needs besides its own modules into `vendor/`: `node build.mjs`, after `npm ci`.
 *
 * LiteRT.js is written for bundlers and for classic workers. Three lines are changed. The import by
 * name, and how its script is loaded: it runs unbundled in a module worker. And what its environment
 * is made of, which the caller may say: otherwise it starts WebGPU in any case.
 */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const MODULES = new URL('node_modules/@litertjs/', import.meta.url);
const VENDOR = new URL('vendor/', import.meta.url);
// With threads, without, and for browsers without relaxed SIMD.
const RUNTIMES = ['litert_wasm_threaded', 'litert_wasm', 'litert_wasm_compat'];

await rm(VENDOR, { recursive: true, force: true });
const [packageName, beside] = ['@litertjs/wasm-utils', './wasm-utils.js'];
await copy('core/dist/index.js', 'core.js', {
  [`"${packageName}"`]: `"${beside}"`,
  'await Environment.create()': 'await Environment.create(options?.environment)',
});
await copy('core/dist/index.d.ts', 'core.d.ts', {
  [`'${packageName}'`]: `'${beside}'`,
  'interface LoadLiteRtOptions extends LoadOptions {':
    'interface LoadLiteRtOptions extends LoadOptions {\n    environment?: EnvironmentOptions;',
});
await copy('wasm-utils/dist/index.js', 'wasm-utils.js', { ' importScripts(': ' await import(' });
await copy('wasm-utils/dist/index.d.ts', 'wasm-utils.d.ts');
for (const name of RUNTIMES.map((runtime) => `${runtime}_internal`)) {
  // A module's variables are its own; the loader looks for a global one.
  const script = await readFile(new URL(`core/wasm/${name}.js`, MODULES), 'utf8');
  await write(`litert/wasm/${name}.js`, `${script}\nglobalThis.ModuleFactory ??= ModuleFactory;\n`);
  const wasm = `wasm/${name}.wasm`;
  await cp(new URL(`core/${wasm}`, MODULES), new URL(`litert/${wasm}`, VENDOR));
}
const { version: litertjs } = JSON.parse(
  await readFile(new URL('core/package.json', MODULES), 'utf8'),
);
await write(
  'litert/NOTICE.txt',
  `LiteRT.js ${litertjs} (npm @litertjs/core and @litertjs/wasm-utils), Copyright Google LLC,
Apache License 2.0, https://www.apache.org/licenses/LICENSE-2.0. Changed: how its parts are loaded.
`,
);
await write('build.json', `${JSON.stringify({ ...(await versions()), litertjs })}\n`);
console.error(`LiteRT.js ${litertjs} lies in ${fileURLToPath(VENDOR)}`);

/**
 * @param {string} from
 * @param {string} to
 * @param {Record<string, string>} [changes] new text by old text, which has to be there once
 */
async function copy(from, to, changes = {}) {
  // Source maps are not copied, so nothing may point to them.
  let text = (await readFile(new URL(from, MODULES), 'utf8')).replace(
    /\/\/# sourceMappingURL.*/,
    '',
  );
  for (const [old, by] of Object.entries(changes)) {
    const parts = text.split(old);
    if (parts.length !== 2) {
      throw new Error(`${from} has ${old} ${parts.length - 1} times; expected once. See build.mjs`);
    }
    text = parts.join(by);
  }
  await write(`litert/${to}`, text);
}

/**
 * Version and commit of the toolkit, for result rows.
 *
 * @returns {Promise<{ version: string, commit: string }>}
 */
async function versions() {
  const project = await readFile(new URL('../pyproject.toml', import.meta.url), 'utf8').catch(
    () => '',
  );
  const version = /^version = "(.+)"/m.exec(project)?.[1] ?? 'unknown';
  try {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    const ask = ['-C', folder, 'rev-parse', '--short', 'HEAD'];
    const told = execFileSync('git', ask, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return { version, commit: told.trim() };
  } catch {
    return { version, commit: 'unknown' };
  }
}

/**
 * @param {string} to
 * @param {string} text
 */
async function write(to, text) {
  const place = new URL(to, VENDOR);
  await mkdir(new URL('.', place), { recursive: true });
  await writeFile(place, text);
}
