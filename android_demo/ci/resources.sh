#!/usr/bin/env bash
# Compile the app's resources: resources.sh AAPT2 ANDROID_JAR OUT [COMMIT]
# Writes OUT/resources.ap_ (binary manifest and resources), OUT/java (R.java) and OUT/AndroidManifest.xml.
set -euo pipefail
aapt2=$1 android_jar=$2 out=$3 commit=${4:-unknown}
app=$(cd "$(dirname "$0")/../app" && pwd)
chmod +x "$aapt2"
mkdir -p "$out/java" "$out/flat"
echo "$android_jar" > "$out/android-jar.txt" # for apk.sh
rm -f "$out"/flat/*
python3 "$app/../ci/merge_manifest.py" "$app/src/main/AndroidManifest.xml" "$app/src/debug/AndroidManifest.xml" \
  > "$out/AndroidManifest.xml"
rm -rf "$out/res"
cp -r "$app/src/main/res" "$out/res"
sed -i.bak "s/>unknown</>$commit</" "$out/res/values/commit.xml" && rm "$out/res/values/commit.xml.bak"
"$aapt2" compile --dir "$out/res" -o "$out/flat"
"$aapt2" link -I "$android_jar" --manifest "$out/AndroidManifest.xml" --java "$out/java" \
  --custom-package org.mobilefsgan.demo --min-sdk-version 26 --target-sdk-version 36 \
  --version-code 1 --version-name 0.1.0 --debug-mode --auto-add-overlay -o "$out/resources.ap_" "$out"/flat/*.flat
