#!/usr/bin/env bash
# Find Swift 6 or newer on this machine, or set up the one of Debian 13 in a cached folder.
#
# stdout: `/` where the machine has Swift itself, else the folder that Swift runs in (ios_demo/swift
# runs it). Exit status 3, with the reason on stderr, where there is no Swift and none can be set up.
#
# The folder takes 3 GB and some minutes. It appears under its name only when it is complete.
set -euo pipefail

readonly RELEASE=trixie
cache="${XDG_CACHE_HOME:-$HOME/.cache}/mobilefsgan"
root="$cache/swift-$RELEASE"

refuse() {
  echo "Swift 6 is not installed and cannot be set up: $1" >&2
  exit 3
}

# OpenStack's command is called swift as well, so the version line decides.
own_swift_is_new_enough() {
  local major
  major=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\)\..*/\1/p' | head -n 1)
  [ "${major:-0}" -ge 6 ]
}

# The Debian mirror that this machine's own apt uses. Empty elsewhere: debootstrap knows a default.
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'ORIGIN: Debian' 'LABEL: Debian' | sort -u | head -n 1
}

set_up() {
  local partial="$root.partial" free_kb
  export DEBIAN_FRONTEND=noninteractive
  free_kb=$(df --output=avail -k "$cache" | tail -n 1)
  [ "$free_kb" -ge 5000000 ] || refuse "$cache has less than the 5 GB free that it takes."
  if ! apt-get -qq install -y debootstrap debian-archive-keyring >&2; then
    apt-get -qq update >&2
    apt-get -qq install -y debootstrap debian-archive-keyring >&2 ||
      refuse "apt-get could not install debootstrap and debian-archive-keyring."
  fi
  # What a run that was killed has left. It has no mounts: they ended with its namespace.
  rm -rf --one-file-system "$partial"
  echo "Setting up Swift in $root; this takes some minutes." >&2
  # In a mount namespace, so that what debootstrap mounts goes away with it in any case.
  # shellcheck disable=SC2046 # an empty mirror is no argument
  unshare --mount debootstrap --variant=minbase --force-check-gpg \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    --include=swiftlang,ca-certificates,libncurses-dev \
    "$RELEASE" "$partial" $(mirror) >"$root.log" 2>&1 ||
    refuse "debootstrap failed; $root.log says why. Its last line: $(tail -n 1 "$root.log")"
  rm -rf "$partial"/var/cache/apt/archives/*.deb "$partial"/var/lib/apt/lists/*
  # Swift finds its libraries through /proc.
  unshare --mount sh -c "mount --rbind /proc '$partial/proc' && chroot '$partial' swift --version" \
    >&2 || refuse "the Swift in $partial does not start."
  mv -T "$partial" "$root"
}

if own_swift_is_new_enough; then
  echo /
  exit
fi
[ "$(uname -s)" = Linux ] || refuse "on this system it has to be installed by hand."
[ "$(id -u)" = 0 ] || refuse "that needs root."
unshare --mount true 2>/dev/null || refuse "this container does not allow mounts."
if [ ! -d "$root" ]; then
  command -v apt-get >/dev/null || refuse "that needs apt-get, for debootstrap."
  mkdir -p "$cache"
  exec 9>"$root.lock"
  flock 9
  [ -d "$root" ] || set_up # the one who held the lock may have done it
fi
echo "$root"
