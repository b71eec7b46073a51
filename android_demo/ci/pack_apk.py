"""Zip an APK whose stored files are aligned: pack_apk.py MADE ARCHIVES ASSETS OUT.

Native libraries are stored and start at multiples of 16 KB, so that devices with 16 KB pages map
them from the APK; Debian's zipalign knows 4 KB only. apksigner keeps what the alignment field of an
entry asks for.
"""

import struct
import sys
import zipfile
from pathlib import Path

ABIS = ("arm64-v8a", "x86_64")
STORED = {".so": 16384, ".tflite": 4096, ".onnx": 4096, ".arsc": 4}
_ALIGNMENT_FIELD = 0xD935  # of Android's zip tools: the alignment, then padding
_LOCAL_HEADER = 30  # bytes, before name and extra field


def put(apk: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a file; kinds in STORED uncompressed and aligned, all others compressed."""
    entry = zipfile.ZipInfo(name, (2008, 1, 1, 0, 0, 0))
    alignment = STORED.get(Path(name).suffix)
    entry.compress_type = zipfile.ZIP_STORED if alignment else zipfile.ZIP_DEFLATED
    if alignment:
        begins = apk.fp.tell() + _LOCAL_HEADER + len(name) + 6
        padding = -begins % alignment
        entry.extra = struct.pack("<HHH", _ALIGNMENT_FIELD, 2 + padding, alignment) + bytes(padding)
    apk.writestr(entry, data)


def main(made: Path, archives: Path, assets: Path, out: Path) -> None:
    """Resources, code, native libraries of two ABIs, and assets."""
    with zipfile.ZipFile(out, "w") as apk:
        with zipfile.ZipFile(made / "resources.ap_") as resources:
            for name in resources.namelist():
                put(apk, name, resources.read(name))
        put(apk, "classes.dex", (made / "dex" / "classes.dex").read_bytes())
        for archive in sorted(archives.glob("*.aar")):
            with zipfile.ZipFile(archive) as aar:
                for name in aar.namelist():
                    if name.endswith(".so") and name.split("/")[1] in ABIS:
                        put(apk, name.replace("jni/", "lib/", 1), aar.read(name))
        # ONNX Runtime's Android archive is not on Maven Central, so its models would be of no use.
        for file in sorted(p for p in assets.rglob("*") if p.is_file() and p.suffix != ".onnx"):
            put(apk, f"assets/{file.relative_to(assets).as_posix()}", file.read_bytes())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
