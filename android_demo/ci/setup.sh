#!/usr/bin/env bash
# Install what android_demo/ci/apk.sh needs beside a JDK and Maven: apksigner, zipalign, aapt and dexdump, from Debian's
# packages. All else comes from Maven Central while it builds.
set -euo pipefail
missing=()
for tool in apksigner zipalign aapt dexdump; do command -v "$tool" >/dev/null || missing+=("$tool"); done
[ "${#missing[@]}" -gt 0 ] || exit 0
command -v apt-get >/dev/null || {
  echo "missing: ${missing[*]}; expected Debian's packages of these names, or Android's build-tools on the PATH" >&2
  exit 3
}
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
