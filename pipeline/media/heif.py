"""HEIF pictures, which Pillow reads and writes through pillow-heif, told by their first bytes.

HEIF, AVIF and MP4 are containers of one family (ISO/IEC 14496-12): bytes 4 to 8 are `ftyp`, and
the four bytes after them, the brand, say which one it is.
"""

from __future__ import annotations

from pathlib import Path

from model.errors import BackendUnavailable, install

SUFFIXES = (".heic", ".heif")
BRANDS = frozenset(
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")
)


def is_heif(path: Path) -> bool:
    """Whether a file is a HEIF picture, whatever its suffix is."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS


def register(path: Path) -> None:
    """Let Pillow open and save HEIF.

    Args:
        path: the file to name in the error.

    Raises:
        BackendUnavailable: pillow-heif is not installed.
    """
    try:
        import pillow_heif
    except ImportError:
        raise BackendUnavailable(
            f"{path.name}: HEIF needs pillow-heif, which is not installed. "
            f"{install('swap')}, or convert the photo to JPEG"
        ) from None
    pillow_heif.register_heif_opener()
