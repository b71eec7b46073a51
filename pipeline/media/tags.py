"""What of a film's metadata goes into a result: the names by which FFmpeg knows them, and texts."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Made anew for every file.
_OF_THE_FILE = frozenset(("major_brand", "minor_version", "compatible_brands", "encoder"))
# Tags that describe the stream that was read and would be wrong: statistics, VP9's alpha.
_OF_THE_STREAM = ("DURATION", "BPS", "NUMBER_OF_", "_STATISTICS_", "ENCODER", "ALPHA_MODE")
# Tags that tell where, by whom owned or with which device a film was taken.
_TELLS = re.compile(
    r"location|gps|geo|latitude|longitude|altitude|xyz|6709|place|direction|serial|owner|identif"
    r"|uid|umid|firmware|maker|telemetry|device|imei"
)
_VENDOR = re.compile(r"(com|org|net|io|jp|cn)\.")  # private tags: com.android.version
_APPLE = "com.apple.quicktime."
_APPLES_USUAL = frozenset(
    ("album", "artist", "author", "comment", "copyright", "creationdate", "description", "director",
     "displayname", "genre", "information", "keywords", "make", "model", "performer", "producer",
     "publisher", "rating.user", "software", "title", "year")
)  # fmt: skip


def of_container(metadata: Mapping[str, str], *, keep_all: bool = False) -> dict[str, str]:
    """The tags of a whole film, or of a chapter, that go into a result.

    As with photos, what tells where or with which device a film was taken stays behind, make and
    model excepted, and so do private tags.

    Args:
        metadata: text by name, as PyAV reads it with `surrogateescape`.
        keep_all: keep those, too.

    Returns:
        Valid Unicode.
    """
    return {
        key: text
        for key, text in _readable(metadata).items()
        if key.lower() not in _OF_THE_FILE and (keep_all or _travels(key.lower()))
    }


def of_stream(metadata: Mapping[str, str], *, keep_all: bool = False) -> dict[str, str]:
    """The tags of a stream that go into the stream made from it; otherwise as `of_container`."""
    return {
        key: text
        for key, text in of_container(metadata, keep_all=keep_all).items()
        if not key.upper().startswith(_OF_THE_STREAM)
    }


def _travels(key: str) -> bool:
    if key.startswith(_APPLE):
        return key.removeprefix(_APPLE) in _APPLES_USUAL
    return not (_VENDOR.match(key) or _TELLS.search(key))


def _readable(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata as valid Unicode: text that is not UTF-8 is taken for Windows-1252."""
    return {_text(key): _text(value) for key, value in metadata.items()}


def _text(stored: str) -> str:
    try:
        stored.encode()
    except UnicodeEncodeError:
        return stored.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return stored
