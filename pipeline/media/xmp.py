"""XMP packets: read without trust, keep what may travel, write.

A packet comes with a file of anyone: no entities, no deep nesting, and any fault in it means that
the packet is not used, never that the picture is lost.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
XMP = "http://ns.adobe.com/xap/1.0/"
DC = "http://purl.org/dc/elements/1.1/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_PREFIXES = {"rdf": RDF, "x": META, "Iptc4xmpExt": IPTC, "xmp": XMP, "dc": DC}
_LARGEST_BYTES = 8 << 20
_DEEPEST = 64  # elements within elements; real packets have about ten

# What no longer holds: the pixels are upright now, and the small picture shows the face as it was.
_OF_THE_ORIGINAL = (f"{{{_TIFF}}}Orientation", f"{{{XMP}}}Thumbnails")

# Properties that tell neither where a picture was taken nor with which device, by namespace.
_TRAVELS: dict[str, Callable[[str], bool]] = {
    RDF: lambda name: name not in ("about", "ID", "nodeID", "resource"),  # name a document
    "http://www.w3.org/XML/1998/namespace": frozenset(("lang",)).__contains__,
    DC: lambda name: name != "coverage",  # where, in words
    _TIFF: lambda _: True,
    XMP: frozenset(
        ("CreateDate", "ModifyDate", "MetadataDate", "CreatorTool", "Rating", "Label")
    ).__contains__,
    "http://ns.adobe.com/xap/1.0/rights/": lambda _: True,
    "http://ns.useplus.org/ldf/xmp/1.0/": lambda _: True,  # licences
    "http://creativecommons.org/ns#": lambda _: True,
    "http://ns.adobe.com/exif/1.0/": lambda name: (
        not name.startswith("GPS") and name not in ("MakerNote", "ImageUniqueID", "UserComment")
    ),
    "http://cipa.jp/exif/1.0/": lambda name: "Serial" not in name and "Owner" not in name,
    "http://ns.adobe.com/exif/1.0/aux/": frozenset(("Lens", "LensInfo")).__contains__,
    "http://ns.adobe.com/photoshop/1.0/": frozenset(
        ("ColorMode", "ICCProfile", "Credit", "Source", "Headline", "DateCreated")
    ).__contains__,
    IPTC: frozenset(("DigitalSourceType",)).__contains__,
}


def parse(packet: bytes) -> ET.Element | None:
    """The root of a packet; None where it is no XML, too large, too deep or declares a DOCTYPE."""
    if len(packet) > _LARGEST_BYTES:
        return None
    try:
        parser = ET.XMLParser(target=_Bounded())
        parser.feed(packet.strip(b"\0 \r\n\t"))
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError):  # the latter two: encodings, unknown or not
        return None
    return root


def packet_of(root: ET.Element) -> bytes:
    """A packet, UTF-8."""
    for prefix, namespace in _PREFIXES.items():
        ET.register_namespace(prefix, namespace)
    begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode()
    return begin + ET.tostring(root, encoding="utf-8") + b'<?xpacket end="w"?>'


def carried(packet: bytes, *, keep_all: bool = False) -> bytes | None:
    """What of a packet goes into a result; None where it cannot be parsed.

    Orientation and thumbnail stay behind in any case.

    Args:
        packet: as the file holds it.
        keep_all: keep what tells where and with which device the picture was taken as well.
    """
    root = parse(packet)
    if root is None:
        return None
    if keep_all:
        for rdf in root.iter(f"{{{RDF}}}RDF"):
            forget(rdf, _OF_THE_ORIGINAL.__contains__)
        return packet_of(root)
    # A packet of its own: nothing travels that stands outside of the descriptions.
    kept = ET.Element(f"{{{META}}}xmpmeta")
    all_of_them = ET.SubElement(kept, f"{{{RDF}}}RDF")
    for rdf in root.iter(f"{{{RDF}}}RDF"):
        for description in rdf:
            _strip(description)
            all_of_them.append(description)
    return packet_of(kept)


def _strip(element: ET.Element) -> None:
    """Remove what does not travel from a description, at any depth: properties have properties."""
    for name in [name for name in element.attrib if not _travels(name)]:
        del element.attrib[name]
    for child in list(element):
        if _travels(child.tag):
            _strip(child)
        else:
            element.remove(child)


def forget(rdf: ET.Element, unwanted: Callable[[str], bool]) -> None:
    """Remove the properties of an rdf:RDF whose `{namespace}name` is `unwanted`."""
    for description in rdf:
        for name in [name for name in description.attrib if unwanted(name)]:
            del description.attrib[name]
        for child in [child for child in description if unwanted(child.tag)]:
            description.remove(child)


class _Bounded(ET.TreeBuilder):
    """Builds a tree, and refuses a DOCTYPE (entities can be a bomb) and deep nesting."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, *_: object) -> None:
        raise ValueError("XMP has no DOCTYPE")

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("nested too deep")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ET.Element:
        self._depth -= 1
        return super().end(tag)


def _travels(name: str) -> bool:
    if name in _OF_THE_ORIGINAL:
        return False
    namespace, _, local = name.removeprefix("{").partition("}")
    return namespace in _TRAVELS and _TRAVELS[namespace](local)
