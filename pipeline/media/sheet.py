"""Write a grid of pictures with captions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.errors import UsageError
from model.files import check_place, write_atomically
from pipeline.faces.pyramid import Image8

_CAPTION = 16  # pixels
KINDS = (".webp", ".png", ".jpg", ".jpeg")


class Tile(NamedTuple):
    """A picture, or None for an empty place, and its caption."""

    image: Image8 | None
    caption: str


def check_kind(path: Path) -> None:
    """Refuse a file that a grid cannot be written to, before any work is done.

    Raises:
        UsageError: its ending is of no kind of picture.
        BadInput: the place cannot be written to.
    """
    if path.suffix.lower() not in KINDS:
        raise UsageError(f"{path.name} is no kind of picture; end it in one of {', '.join(KINDS)}")
    check_place(path)


def write_grid(path: Path, rows: Sequence[Sequence[Tile]], edge: int = 160) -> None:
    """Write rows of tiles as one picture, labelled as synthetic.

    Args:
        path: .webp, .png or .jpg.
        rows: tiles from left to right; rows may differ in length.
        edge: of a tile in pixels.

    Raises:
        BadInput: the file cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont

    from pipeline.media.label import xmp_packet

    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (columns * edge, len(rows) * (edge + _CAPTION)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for j, row in enumerate(rows):
        for i, (picture, caption) in enumerate(row):
            left, top = i * edge, j * (edge + _CAPTION)
            if picture is not None:
                tile = Image.fromarray(np.ascontiguousarray(picture))
                sheet.paste(tile.resize((edge - 2, edge), Image.Resampling.LANCZOS), (left, top))
            middle = (left + edge / 2, top + edge + _CAPTION / 2)
            draw.text(middle, caption, fill="black", anchor="mm", font=font)
    write_atomically(path, lambda beside: sheet.save(beside, quality=80, xmp=xmp_packet()))
