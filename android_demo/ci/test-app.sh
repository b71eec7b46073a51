#!/usr/bin/env bash
# Test the Android app: Robolectric's tests and screenshots, then `benchmarks/latency.py --device android` against the
# app's own BenchmarkActivity. Screenshots lie in app/target/screenshots. `--apk` makes and checks the APK as well.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
demo=$here/.. repo=$here/../..

skip() {
  echo "SKIPPED android_demo/app: $1"
  [ "${CI:-}" != true ]
  exit
}
command -v mvn >/dev/null || skip "Maven is not installed"
command -v javac >/dev/null || skip "a JDK of version 17 or newer is not installed"

export MAVEN_OPTS=${MAVEN_OPTS:--Xmx1g}
python=${PYTHON:-python}
app=$demo/app/target
log=$demo/target.app.log
status=0
mvn -B -ntp -T1 -f "$demo/pom.xml" -Papp -pl app,tflite -am -Dtest='org/mobilefsgan/demo/*Test' \
  -Dsurefire.failIfNoSpecifiedTests=false package dependency:build-classpath -Dmdep.outputFile=target/classpath.txt \
  -Dmdep.includeScope=test > "$log" 2>&1 || status=$?
grep -E "Tests run:|\[ERROR\]|kt:[0-9]+:[0-9]+" "$log" || true
grep -q "Tests run: [1-9]" "$log" || { echo "no test ran"; status=1; }
[ "$status" = 0 ] || { echo "the whole log: android_demo/target.app.log"; exit 1; }

# Rows of the app, through the same command that talks to a phone.
opens=(java.io java.lang java.util java.net)
flags="-Xmx1500m -Drobolectric.offline=true -Drobolectric.dependency.dir=$HOME/.cache/mobilefsgan/robolectric"
flags="$flags -Dmobilefsgan.vectors=$repo/tests/vectors"
for package in "${opens[@]}"; do flags="$flags --add-opens=java.base/$package=ALL-UNNAMED"; done
rows=$app/rows.jsonl
export PYTHONPATH=$repo # for a Python that has not installed the project
cd "$repo"
ANDROID_TEST_FLAGS=$flags ANDROID_TEST_CLASSPATH=$app/test-classes:$app/classes:$(cat "$app/classpath.txt") \
  PATH="$here/phone:$PATH" "$python" benchmarks/latency.py --device android --backend all --runs 3 --json "$rows"
"$python" - "$rows" <<'EOF'
import sys
from pathlib import Path

from benchmarks.harness import rows

read = rows.read(Path(sys.argv[1]))
assert len(read) == 8 and all(row.source == "android" for row in read), len(read)
assert all(row.check and row.check.psnr_db for row in read)
print(f"{len(read)} rows from the app validate")
EOF
"$python" benchmarks/report.py "$rows" "$repo"/benchmarks/results/*.jsonl > "$app/merged.md"
echo "merged with the kept rows into one table of $(grep -c "^|" "$app/merged.md") lines"
if [ "${1:-}" = --apk ]; then bash "$here/apk.sh"; fi
