"""Label results as synthetic: in the metadata, and visibly on request.

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
from pipeline.media.xmp import IPTC, META, RDF, XMP, forget, packet_of, parse

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
TOOL = "MobileFSGAN toolkit"
COMMENT = f"Synthetic: a face in it was swapped. Digital source type: {SOURCE_TYPE}"

_SOURCE_TYPE = f"{{{IPTC}}}DigitalSourceType"

_BADGE_TEXT = "AI · face swapped"
_BADGE_HEIGHT = 0.035  # of the picture's shorter edge
_BADGE_LEAST = 14  # pixels; below this nobody could read it


def xmp_packet(existing: bytes | None = None) -> bytes:
    """An XMP packet with the digital source type, and all that `existing` says besides.

    A packet that cannot be parsed, or that declares entities, is replaced.
    """
    root = parse(existing) if existing else None
    if root is None:
        root = ET.Element(f"{{{META}}}xmpmeta")
        ET.SubElement(root, f"{{{RDF}}}RDF")
    rdf = root if root.tag == f"{{{RDF}}}RDF" else root.find(f".//{{{RDF}}}RDF")
    if rdf is None:
        rdf = ET.SubElement(root, f"{{{RDF}}}RDF")
    forget(rdf, lambda name: name == _SOURCE_TYPE)
    description = ET.SubElement(rdf, f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})
    ET.SubElement(description, _SOURCE_TYPE).text = SOURCE_TYPE
    if existing is None:
        ET.SubElement(description, f"{{{XMP}}}CreatorTool").text = TOOL
    return packet_of(root)


def source_type(packet: bytes) -> str | None:
    """The digital source type that an XMP packet states, None where it states none."""
    root = parse(packet)
    if root is None:
        return None
    for element in root.iter():
        if element.tag == _SOURCE_TYPE and element.text:
            return element.text.strip()
        if _SOURCE_TYPE in element.attrib:
            return element.attrib[_SOURCE_TYPE]
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
