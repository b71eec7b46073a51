"""EXIF: what of a photo's notes goes into the result that is made of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PIL import Image

ORIENTATION = 0x0112
_EXIF, _GPS, _INTEROP = 0x8769, 0x8825, 0xA005

_Entry = tuple[int | None, int, Any]  # its folder, None for the first; tag; value

# How the picture was taken and by whom, and what its colours mean: tags of Exif 3.0. Left out are
# those that tell where (GPS) and with which device (serial numbers, owner, maker notes, unique id).
_TRAVELS_0 = frozenset(
    # Description, make, model, resolution, software, time, artist, colour, rating, copyright.
    {0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x013E, 0x013F}
    | {0x0211, 0x0214, 0x4746, 0x8298}
)
_TRAVELS_EXIF = frozenset(
    # Exposure, sensitivity, version, times and their offsets.
    {0x829A, 0x829D, 0x8822, 0x8824, 0x8827, *range(0x8830, 0x8836), 0x9000, 0x9003, 0x9004}
    | {0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292}
    # Shutter, aperture, brightness, bias, distance, metering, light, flash, focal length.
    | {*range(0x9201, 0x920B), 0xA000, 0xA001, 0xA20B, 0xA20E, 0xA20F, 0xA210, 0xA215, 0xA217}
    # Kind of source and scene, rendering, exposure mode, white balance, zoom, lens model, gamma.
    | {0xA300, 0xA301, *range(0xA401, 0xA40B), 0xA40C, 0xA432, 0xA433, 0xA434, 0xA500}
)
# How a TIFF file lays out its own pixels; packets that are carried in another way or not at all.
_OF_THE_FILE = frozenset(
    {*range(0x00FE, 0x0108), 0x010A, 0x0111, *range(0x0115, 0x011A), 0x011C, 0x0120, 0x0121}
    | {0x013D, 0x0140, *range(0x0142, 0x0146), 0x014A, 0x0152, 0x0153, 0x015B}
    | {0x0201, 0x0202, 0x0212, 0x0213, 0x02BC, 0x83BB, 0x8649, 0x8773, 0x935C}
)


def notes_of(opened: Image.Image) -> Image.Exif | None:
    """The EXIF of a photo; None where it is damaged. Ask once: Pillow raises at the first time."""
    try:
        return opened.getexif()
    except Exception:  # Pillow's readers of notes raise what they please
        return None


def orientation(exif: Image.Exif | None) -> int:
    """How the stored pixels have to be turned, 1..8; 1 where the file does not say so readably."""
    try:
        value = exif.get(ORIENTATION, 1) if exif is not None else 1
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def carried(exif: Image.Exif | None, *, keep_all: bool = False) -> tuple[bytes | None, list[str]]:
    """What of a photo's EXIF goes into a result, and what is to be said.

    Orientation and thumbnail stay behind in any case: the pixels are upright, and the thumbnail
    shows the face as it was.

    Args:
        exif: what `notes_of` the photo gave.
        keep_all: keep what tells where and with which device it was taken as well.

    Returns:
        EXIF as bytes, None where nothing is left; and notes.
    """
    damaged = "its EXIF is damaged and left out"
    if exif is None:
        return None, [damaged]
    try:
        found: list[_Entry] = [(None, tag, _value(exif, tag)) for tag in list(exif)]
        folders = (_EXIF, _GPS) if keep_all else (_EXIF,)
        found += [(ifd, tag, value) for ifd in folders for tag, value in exif.get_ifd(ifd).items()]
    except Exception:
        return None, [damaged]
    wanted = [entry for entry in found if _wanted(*entry[:2], keep_all)]
    if not wanted:
        return None, []
    packed = _packed(wanted)
    if packed is not None:
        return packed, []
    sound = [entry for entry in wanted if _packed([entry]) is not None]
    count = len(wanted) - len(sound)
    note = f"{count} of {len(wanted)} EXIF entries are damaged and left out"
    return (_packed(sound) if sound else None), [note]


def _value(exif: Image.Exif, tag: int) -> Any:
    try:
        return exif[tag]
    except Exception:
        return None  # cannot be packed, so it counts as damaged


def _wanted(ifd: int | None, tag: int, keep_all: bool) -> bool:
    if ifd is None:
        # The folders' own entries are made when they are written.
        of_file = tag in _OF_THE_FILE or tag in (ORIENTATION, _EXIF, _GPS, _INTEROP)
        return not of_file and (keep_all or tag in _TRAVELS_0)
    return tag != _INTEROP and (keep_all or tag in _TRAVELS_EXIF)


def _packed(entries: Iterable[_Entry]) -> bytes | None:
    """The entries as EXIF; None where one of them has a value that cannot be written."""
    made = Image.Exif()
    for ifd, tag, value in entries:
        if value is None:
            return None
        (made if ifd is None else made.get_ifd(ifd))[tag] = value
    try:
        return made.tobytes()
    except Exception:
        return None
