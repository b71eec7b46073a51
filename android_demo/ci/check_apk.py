"""Check a signed APK, and say what it is made of: check_apk.py APK AAPT2.

A fault is a line on stderr and exit 1.
"""

import re
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

from pack_apk import ABIS, STORED

_LOAD = 1  # type of an ELF segment that is mapped


class Fault(Exception):
    """What is wrong with the APK."""


def said(*command: str) -> str:
    """What a tool prints.

    Raises:
        Fault: it fails.
    """
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise Fault(f"{' '.join(command[:2])} failed: {(done.stderr or done.stdout).strip()[:500]}")
    return done.stdout


def expect(holds: bool, fault: str) -> None:
    """Raise `Fault` where something does not hold."""
    if not holds:
        raise Fault(fault)


def check_signature(apk: str) -> None:
    """Schemes v2 and v3."""
    words = said("apksigner", "verify", "--verbose", "--min-sdk-version", "26", apk)
    for scheme in ("v2", "v3"):
        expect(
            re.search(rf"Verified using {scheme} scheme .*: true", words) is not None,
            f"the APK has no signature of scheme {scheme}",
        )


def check_manifest(apk: str, aapt2: str) -> None:
    """Versions, ABIs, permissions, as `badging` tells them."""
    words = said(aapt2, "dump", "badging", apk)
    for line in ("package: name='org.mobilefsgan.demo'", "targetSdkVersion:'36'"):
        expect(line in words, f"badging lacks {line}")
    expect(re.search(r"(sdkVersion|minSdkVersion):'26'", words) is not None, "minSdk is not 26")
    native = re.search(r"native-code: (.*)", words)
    found = re.findall(r"'([^']+)'", native[1]) if native else []
    expect(tuple(sorted(found)) == tuple(sorted(ABIS)), f"the APK is for {found}, not for {ABIS}")
    expect("android.permission.INTERNET" not in words, "the APK asks for the INTERNET permission")
    required = re.search(r"uses-feature: name='android.hardware.camera'", words)
    expect(required is None, "the APK demands a camera; photo mode works without one")


def check_code(apk: zipfile.ZipFile) -> int:
    """Number of method references; `invoke-custom` fails on phones."""
    with tempfile.NamedTemporaryFile(suffix=".dex") as dex:
        dex.write(apk.read("classes.dex"))
        dex.flush()
        count = said("dexdump", "-d", dex.name).count("invoke-custom")
    expect(count == 0, f"the code has {count} invoke-custom; compile with -Xlambdas=class")
    return int(struct.unpack_from("<I", apk.read("classes.dex"), 88)[0])


def check_alignment(path: str, apk: zipfile.ZipFile) -> None:
    """Stored files begin where `pack_apk` put them."""
    with Path(path).open("rb") as file:
        for entry in apk.infolist():
            alignment = STORED.get(Path(entry.filename).suffix)
            if not alignment:
                continue
            file.seek(entry.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            begins = entry.header_offset + 30 + name + extra
            expect(entry.compress_type == 0, f"{entry.filename} is compressed")
            expect(begins % alignment == 0, f"{entry.filename} begins at {begins}")


def page_kb(library: bytes) -> int:
    """The page size in KB for which a 64-bit ELF's segments are aligned."""
    at, size, count = (
        struct.unpack_from("<Q", library, 32)[0],
        *struct.unpack_from("<HH", library, 54),
    )
    segments = (struct.unpack_from("<IIQQQQQQ", library, at + i * size) for i in range(count))
    return min(s[7] for s in segments if s[0] == _LOAD) // 1024


def main(path: str, aapt2: str) -> None:
    """Check everything, then print sizes."""
    check_signature(path)
    check_manifest(path, aapt2)
    with zipfile.ZipFile(path) as apk:
        methods = check_code(apk)
        check_alignment(path, apk)
        parts: Counter[str] = Counter()
        for entry in apk.infolist():
            kind = entry.filename.split("/")
            name = "/".join(kind[:2]) if kind[0] in ("lib", "assets") else kind[0]
            parts[name] += entry.compress_size
            if entry.filename.endswith(".so"):
                print(f"{entry.filename}: {page_kb(apk.read(entry))} KB pages inside")
        print(f"{Path(path).stat().st_size / 1e6:.1f} MB, {methods} methods; of that, in MB:")
        for name, size in parts.most_common(8):
            print(f"{size / 1e6:8.2f}  {name}")
    print("signature v2 and v3, manifest, code and alignment: checked")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:3])
    except Fault as fault:
        print(f"{sys.argv[1]}: {fault}", file=sys.stderr)
        sys.exit(1)
