#!/usr/bin/env bash
# Everything that proves the web demo: build, lint, tests in Node, tests in headless Chromium.
# The last need Chromium (setup-chromium.sh), MOBILEFSGAN_BUNDLE and, for one test,
# MOBILEFSGAN_PUBLISHED_BUNDLE, two folders made by `python -m export`; without them they are
# skipped, in CI (CI=true) they fail.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v npm > /dev/null; then
  echo "SKIPPED: the tests of web_demo need Node.js 20 or newer" >&2
  [ "${CI:-}" != true ] || exit 3
  exit 0
fi
[ "${CI:-}" != true ] || ./setup-chromium.sh > /dev/null
npm ci --no-audit --no-fund
npm run --silent lint # builds first
npm test --silent
npm run --silent test:chromium
