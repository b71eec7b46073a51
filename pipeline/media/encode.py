"""Encode a picture with its metadata; what the format cannot hold of these is left out."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from PIL import Image

_XMP_IN_TIFF = 0x02BC
_FOLDERS = (0x8769, 0x8825)  # Exif and GPS


class Packets(NamedTuple):
    """What goes into a file beside the pixels.

    Attributes:
        exif: the camera's notes.
        icc: colour profile.
        xmp: packet.
        least_xmp: the packet where `xmp` does not fit, a bare label; or None.
    """

    exif: bytes | None
    icc: bytes | None
    xmp: bytes | None
    least_xmp: bytes | None


def encode(
    picture: Image.Image, format: str, options: dict[str, Any], packets: Packets
) -> tuple[bytes | None, str]:
    """The file, and what of the metadata had to stay out; or None, and why it cannot be made.

    A format has limits of its own, 64 kB in a JPEG for one: what it does not take is dropped, the
    least important first; the label stays.
    """
    why = ""
    for left_out in ("", "EXIF", "XMP", "EXIF and XMP", "EXIF, XMP and colour profile"):
        extra = dict(options)
        if packets.icc and "profile" not in left_out:
            extra["icc_profile"] = packets.icc
        packet = packets.least_xmp if "XMP" in left_out else packets.xmp
        kept = None if "EXIF" in left_out else packets.exif
        written = io.BytesIO()
        try:
            extra |= _metadata_options(format, kept, packet)
            picture.save(written, format, **extra)
        except Exception as error:  # an encoder may raise anything
            why = why or " ".join(str(error).split()) or type(error).__name__
        else:
            return written.getvalue(), left_out
    return None, why


def _metadata_options(format: str, kept: bytes | None, packet: bytes | None) -> dict[str, Any]:
    """How Pillow takes EXIF and an XMP packet in this format."""
    if format == "TIFF":
        notes = Image.Exif()
        if kept:
            notes.load(kept)
        if packet:
            notes[_XMP_IN_TIFF] = packet
        # libtiff, which compresses, cannot write folders of EXIF entries; Pillow's own writer can.
        plain = {"compression": "raw"} if any(folder in notes for folder in _FOLDERS) else {}
        return {"exif": notes, **plain} if kept or packet else {}
    options: dict[str, Any] = {"exif": kept} if kept else {}
    if packet and format == "PNG":
        from PIL import PngImagePlugin

        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", packet.decode("utf-8", "replace"))
    elif packet:
        options["xmp"] = packet
    return options
