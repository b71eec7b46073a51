// Hold the Xcode project against @bacons/xcode: it has to be read, every reference has to lead to
// an object, every object has to be used, and writing it has to lose nothing.
import { readFileSync } from 'node:fs';
import { build, parse } from '@bacons/xcode/json';

const path = new URL('MobileFSGAN.xcodeproj/project.pbxproj', import.meta.url);
const project = parse(readFileSync(path, 'utf8'));
const ids = new Set(Object.keys(project.objects));

/** All words below a value that look like the id of an object. */
function references(value) {
  if (typeof value === 'string') return /^[0-9A-F]{24}$/.test(value) ? [value] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, below]) => [
    ...references(key),
    ...references(below),
  ]);
}

const used = new Set([project.rootObject, ...Object.values(project.objects).flatMap(references)]);
const dangling = [...used].filter((id) => !ids.has(id));
const unused = [...ids].filter((id) => !used.has(id));
const again = parse(build(project));
const lost = JSON.stringify(again) !== JSON.stringify(project);

if (dangling.length || unused.length || lost) {
  console.error(`project.pbxproj: dangling ${dangling}; unused ${unused}; lost by writing: ${lost}`);
  process.exit(1);
}
console.log(`project.pbxproj: ${ids.size} objects, read by @bacons/xcode, none dangling or unused`);
