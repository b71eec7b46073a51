#!/usr/bin/env bash
# Install what the tests in a browser need: Debian's Chromium. Prints where it is.
set -euo pipefail

if ! command -v chromium > /dev/null; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  command -v apt-get > /dev/null || {
    echo "setup-chromium.sh needs apt-get; install Chromium and set CHROMIUM to its path" >&2
    exit 3
  }
  wait_for_lock=(-o DPkg::Lock::Timeout=300)
  "${as_root[@]}" apt-get "${wait_for_lock[@]}" update -qq >&2
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get "${wait_for_lock[@]}" install -y -qq \
    --no-install-recommends chromium >&2
fi
command -v chromium
