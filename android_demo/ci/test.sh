#!/usr/bin/env bash
# All checks of the Android demo: core and adapters, the app under Robolectric, and an APK with the bundle inside.
# MOBILEFSGAN_BUNDLE is the folder of an exported bundle, PYTHON a Python that has this project installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export PYTHON=${PYTHON:-python}

"$here/test-core.sh"
if [ -n "${MOBILEFSGAN_BUNDLE:-}" ]; then
  (cd "$here/../.." && "$PYTHON" -m export.bundle --android "$MOBILEFSGAN_BUNDLE" >/dev/null)
elif [ "${CI:-}" = true ]; then
  echo "MOBILEFSGAN_BUNDLE is not set; expected the folder of an exported bundle" >&2
  exit 2
else
  echo "SKIPPED android_demo: MOBILEFSGAN_BUNDLE is not set, so the APK gets no new bundle"
fi
"$here/test-app.sh" --apk
