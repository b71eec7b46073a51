#!/usr/bin/env bash
# Make dist/android/mobilefsgan-debug.apk, with the bundle of app/src/main/assets inside, without Google's SDK:
# Kotlin -> ProGuard -> dx -> aapt2 -> aligned zip -> apksigner. Then check what was made. `python -m export.bundle
# --android BUNDLE` puts a bundle there; without one the APK is made, and its app says that it has no bundle.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
demo=$here/.. repo=$here/../..
made=$demo/app/target/android dist=$repo/dist/android
command -v mvn >/dev/null && command -v keytool >/dev/null || {
  echo "no APK: a JDK (17 or newer) and Maven are not installed" >&2
  exit 3
}
bash "$here/setup.sh"
export MAVEN_OPTS=${MAVEN_OPTS:--Xmx1g}
mkdir -p "$dist" "$made"
trap 'rm -f "$dist/mobilefsgan-debug.apk.part"' EXIT

echo "compile" >&2
commit=$(git -C "$repo" rev-parse --short HEAD 2>/dev/null || echo unknown)
rm -rf "$demo/app/target/classes" # of sources that are gone
maven() { mvn -q -B -ntp -T1 "$@" >&2; }
maven -f "$demo/pom.xml" -Papp -pl app,tflite,litert -am -Dmaven.test.skip=true package \
  dependency:copy-dependencies -DincludeScope=runtime
maven -f "$here/tools.xml" dependency:copy-dependencies -DoutputDirectory="$made/jars"

echo "shrink" >&2
android=$(cat "$made/android-jar.txt")
java=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/.*java.home = //p')
{
  cat "$here/apk.pro"
  for jar in "$demo/app/target/classes" "$demo/tflite/target/classes" "$demo"/app/target/dependency/*.jar; do
    echo "-injars $jar(!META-INF/**,!module-info.class)"
  done
  echo "-outjars $made/shrunk.jar"
  echo "-libraryjars $android"
  # android-all has no java.lang: without it ProGuard would not see what overrides what.
  for module in java.base java.logging; do
    echo "-libraryjars $java/jmods/$module.jmod(!**.jar;!module-info.class)"
  done
} > "$made/apk.pro"
rm -f "$made/shrunk.jar"
java -Xmx1g -cp "$made/jars/*" proguard.ProGuard @"$made/apk.pro" > "$made/proguard.log" || { tail -20 "$made/proguard.log" >&2; exit 1; }

echo "to dex" >&2
rm -rf "$made/dex" && mkdir "$made/dex"
java -Xmx1g -cp "$made/jars/*" com.android.dx.command.Main --dex --min-sdk-version=26 \
  --output="$made/dex/classes.dex" "$made/shrunk.jar" >&2

echo "package" >&2
bash "$here/resources.sh" "$made/tools/prebuilt/linux/aapt2" "$android" "$made" "$commit"
apk=$dist/mobilefsgan-debug.apk
python3 "$here/pack_apk.py" "$made" "$demo/tflite/target/archives" "$demo/app/src/main/assets" \
  "$made/unsigned.apk"
keys=${XDG_CACHE_HOME:-$HOME/.cache}/mobilefsgan/android-debug.keystore
[ -f "$keys" ] || { mkdir -p "$(dirname "$keys")"; keytool -genkeypair -keystore "$keys" -storepass android -keypass android \
  -alias debug -dname "CN=Android Debug" -keyalg RSA -keysize 2048 -validity 10000 2>/dev/null; }
apksigner sign --ks "$keys" --ks-pass pass:android --ks-key-alias debug --v1-signing-enabled false \
  --v2-signing-enabled true --v3-signing-enabled true --out "$apk.part" "$made/unsigned.apk"
rm -f "$apk.part.idsig"
python3 "$here/check_apk.py" "$apk.part" "$made/tools/prebuilt/linux/aapt2"
mv "$apk.part" "$apk"
echo "dist/android/${apk##*/}"
