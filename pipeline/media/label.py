"""Say in the file that a picture is synthetic, and on the picture if asked.

IPTC's digital source type is what platforms read: "compositeWithTrainedAlgorithmicMedia" stands for
a real picture, parts of which a trained model made.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from model.contract import DUAL_USE_NOTICE
from pipeline.faces.pyramid import Image8

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
TOOL = "MobileFSGAN toolkit"
COMMENT = f"Synthetic: a face in it was swapped. Digital source type: {SOURCE_TYPE}"

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_DC = "http://purl.org/dc/elements/1.1/"
# What no longer holds: the pixels are upright now, and the small picture shows the face as it was.
_OF_THE_ORIGINAL = ("{http://ns.adobe.com/tiff/1.0/}Orientation", f"{{{_XMP}}}Thumbnails")
_PREFIXES = {"rdf": _RDF, "x": _META, "Iptc4xmpExt": _IPTC, "xmp": _XMP, "dc": _DC}

_BADGE_TEXT = "AI · face swapped"
_BADGE_HEIGHT = 0.035  # of the picture's shorter edge
_BADGE_LEAST = 14  # pixels; below this nobody could read it


def xmp_packet(existing: bytes | None = None) -> bytes:
    """An XMP packet with the digital source type, and all that `existing` says besides.

    A packet that cannot be parsed, or that declares entities, is replaced.
    """
    for prefix, namespace in _PREFIXES.items():
        ET.register_namespace(prefix, namespace)
    root = _parse(existing) if existing else None
    if root is None:
        root = ET.Element(f"{{{_META}}}xmpmeta")
        ET.SubElement(root, f"{{{_RDF}}}RDF")
    rdf = root if root.tag == f"{{{_RDF}}}RDF" else root.find(f".//{{{_RDF}}}RDF")
    if rdf is None:
        rdf = ET.SubElement(root, f"{{{_RDF}}}RDF")
    _forget(rdf, f"{{{_IPTC}}}DigitalSourceType")
    description = ET.SubElement(rdf, f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
    ET.SubElement(description, f"{{{_IPTC}}}DigitalSourceType").text = SOURCE_TYPE
    if existing is None:
        ET.SubElement(description, f"{{{_XMP}}}CreatorTool").text = TOOL
    return _packet(root)


def without_original(packet: bytes) -> bytes | None:
    """An XMP packet without orientation and thumbnail; None where it cannot be parsed."""
    root = _parse(packet)
    if root is None:
        return None
    for rdf in root.iter(f"{{{_RDF}}}RDF"):
        _forget(rdf, *_OF_THE_ORIGINAL)
    return _packet(root)


def source_type(packet: bytes) -> str | None:
    """The digital source type that an XMP packet states, None where it states none."""
    root = _parse(packet)
    if root is None:
        return None
    name = f"{{{_IPTC}}}DigitalSourceType"
    for element in root.iter():
        if element.tag == name and element.text:
            return element.text.strip()
        if name in element.attrib:
            return element.attrib[name]
    return None


def container_metadata(existing: dict[str, str]) -> dict[str, str]:
    """What a video's container says of itself: `existing`, and that it is synthetic."""
    return {
        **existing,
        "comment": COMMENT,
        "digital_source_type": SOURCE_TYPE,
        "notice": DUAL_USE_NOTICE,
    }


def stamp(image: Image8) -> None:
    """Draw a readable mark into the lower left corner of (H, W, 3) uint8 RGB, in place."""
    height, width = image.shape[:2]
    badge = _badge(max(_BADGE_LEAST, round(min(height, width) * _BADGE_HEIGHT)))
    margin = min(len(badge) // 2, height // 4, width // 4)
    top = max(0, height - margin - len(badge))
    part = image[top : top + len(badge), margin : margin + badge.shape[1]]
    fitting = badge[: part.shape[0], : part.shape[1]].astype(np.float32)
    alpha = fitting[..., 3:] / 255
    part[:] = np.rint(part * (1 - alpha) + fitting[..., :3] * alpha).astype(np.uint8)


@cache
def _badge(height: int) -> NDArray[np.uint8]:
    """White letters on a dark, rounded ground: (height, W, 4) uint8 RGBA."""
    font = ImageFont.load_default(height * 0.6)
    left, top, right, bottom = font.getbbox(_BADGE_TEXT)
    width = int(right - left) + height
    badge = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(badge)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), height // 3, fill=(0, 0, 0, 170))
    at = (height / 2 - left, (height - (bottom - top)) / 2 - top)
    draw.text(at, _BADGE_TEXT, font=font, fill=(255, 255, 255, 255))
    return np.asarray(badge)


def _parse(packet: bytes) -> ET.Element | None:
    if b"<!" in packet:  # a DOCTYPE; XMP has none, and entities can be a bomb
        return None
    try:
        return ET.fromstring(packet.strip(b"\0 \r\n\t"))
    except ET.ParseError:
        return None


def _packet(root: ET.Element) -> bytes:
    begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode()
    return begin + ET.tostring(root, encoding="utf-8") + b'<?xpacket end="w"?>'


def _forget(rdf: ET.Element, *names: str) -> None:
    for description in rdf:
        for name in names:
            description.attrib.pop(name, None)
        for child in [c for c in description if c.tag in names]:
            description.remove(child)
