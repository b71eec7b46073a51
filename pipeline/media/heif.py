"""HEIF pictures, which Pillow reads and writes through pillow-heif, told by their first bytes.

HEIF, AVIF and MP4 are containers of one family (ISO/IEC 14496-12): bytes 4 to 8 are `ftyp`, and
the four bytes after them, the brand, say which one it is.
"""

from __future__ import annotations

from pathlib import Path

from model.errors import BackendUnavailable, install

SUFFIXES = (".heic", ".heif")
_BRANDS = frozenset(
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")
)
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_MATROSKA = b"\x1a\x45\xdf\xa3"


def is_heif(path: Path) -> bool:
    """Whether a file is a HEIF picture, whatever its suffix is."""
    return _brand(_head(path)) in _BRANDS


def what_instead(path: Path) -> str:
    """What a file is that no decoder takes for a picture, as the end of a sentence: `is empty`."""
    head = _head(path)
    if not head:
        return "is empty"
    brand = _brand(head)
    is_container = brand is not None and brand not in _BRANDS | _AVIF_BRANDS
    if is_container or head.startswith(_MATROSKA):
        return "holds a video by its content, whatever its name says"
    return "is no picture that can be read"


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


def _brand(head: bytes) -> bytes | None:
    """The brand of an ISO container, None where the file is none."""
    return head[8:12] if head[4:8] == b"ftyp" else None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)
