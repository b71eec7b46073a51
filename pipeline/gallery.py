"""The pictures of docs/swap.md: `python -m pipeline.gallery`.

Each of the two public-domain portraits gets the other's face, by every backend that the bundle has
files for and that can run here; below each result is how far it is from the first one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from model import arguments
from model.errors import BackendUnavailable, ContractError, guard

if TYPE_CHECKING:
    from PIL import Image

    from model.contract import Precision
    from pipeline.faces.pyramid import Image8
    from pipeline.swap import FaceSwapper

_COLUMNS: tuple[tuple[str, Precision], ...] = (
    ("pytorch", "fp32"),
    ("onnx", "fp32"),
    ("tflite", "fp32"),
    ("tflite", "int8"),
    ("coreml", "fp32"),
)
_TILE, _CAPTION = 180, 18  # pixels


class Tile(NamedTuple):
    """A picture and what is written below it."""

    image: Image8
    caption: str


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Swap, arrange, write."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.gallery", description=__doc__)
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="default: newest below dist/")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/img/swap.webp"))
    parser.add_argument("--threads", type=arguments.threads, default=2, help="default: 2")
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    args = parser.parse_args(argv)

    from pipeline.bundles import newest_bundle
    from pipeline.faces.portraits import PORTRAITS, open_portrait
    from pipeline.media import photo
    from pipeline.media.label import xmp_packet

    bundle = args.bundle or newest_bundle()
    photo.check_writable(args.output)
    portraits = [open_portrait(portrait) for portrait in PORTRAITS]
    rows: list[list[Tile]] = [
        [Tile(portraits[0], "source"), Tile(portraits[1], "target")],
        [Tile(portraits[1], "source"), Tile(portraits[0], "target")],
    ]
    first: list[Image8] = []
    agreement: dict[str, list[float]] = {}
    for name, precision in _COLUMNS:
        swapper = _open(bundle, name, precision, args.threads)
        if swapper is None:
            continue
        column = f"{name} {precision}"
        pictures = [
            swapper.swap(target, swapper.identity(source))
            for source, target in (portraits, portraits[::-1])
        ]
        first = first or pictures
        agreement[column] = [
            _psnr_db(picture, other, target)
            for picture, other, target in zip(pictures, first, portraits[::-1], strict=True)
        ]
        for row, picture, psnr in zip(rows, pictures, agreement[column], strict=True):
            row.append(Tile(picture, column if first is pictures else f"{column}: {psnr:.0f} dB"))
    image = _arrange([[_cropped(tile) for tile in row] for row in rows])
    args.output.parent.mkdir(parents=True, exist_ok=True)
    photo.write(args.output, photo.Photo(image), image, xmp_packet())
    if args.json:
        print(json.dumps({"file": str(args.output), "bundle": str(bundle), "psnr_db": agreement}))
    else:
        print(args.output)
    return 0


def _open(bundle: Path, backend: str, precision: Precision, threads: int) -> FaceSwapper | None:
    from pipeline.swap import FaceSwapper

    try:
        return FaceSwapper.load(bundle, backend=backend, precision=precision, threads=threads)
    except (BackendUnavailable, ContractError) as error:
        print(f"without {backend} {precision}: {error}", file=sys.stderr)
        return None


def _psnr_db(picture: Image8, other: Image8, target: Image8) -> float:
    """Between two swaps, over the pixels that either changed."""
    from pipeline.metrics import psnr_db

    changed = (picture != target).any(axis=2) | (other != target).any(axis=2)
    return round(psnr_db(picture[changed].astype(float), other[changed].astype(float), 255), 1)


def _cropped(tile: Tile) -> Tile:
    """The head alone; both portraits have it in the upper middle."""
    height, width = tile.image.shape[:2]
    edge = min(height, width) * 5 // 8
    left = (width - edge) // 2 if height > width else (width - edge) // 2 - width // 16
    return Tile(tile.image[: edge + height // 12, left : left + edge], tile.caption)


def _arrange(rows: list[list[Tile]]) -> Image8:
    import numpy as np
    from PIL import Image

    width, height = _TILE * len(rows[0]), (_TILE + _CAPTION) * len(rows)
    sheet = Image.new("RGB", (width, height), "white")
    for j, row in enumerate(rows):
        for i, tile in enumerate(row):
            _place(sheet, tile, i * _TILE, j * (_TILE + _CAPTION))
    return np.asarray(sheet)


def _place(sheet: Image.Image, tile: Tile, left: int, top: int) -> None:
    from PIL import Image, ImageDraw, ImageFont, ImageOps

    fitted = ImageOps.fit(Image.fromarray(tile.image), (_TILE - 4, _TILE), Image.Resampling.LANCZOS)
    sheet.paste(fitted, (left + 2, top))
    ImageDraw.Draw(sheet).text(
        (left + _TILE / 2, top + _TILE + _CAPTION / 2),
        tile.caption,
        fill="black",
        anchor="mm",
        font=ImageFont.load_default(12),
    )


if __name__ == "__main__":
    sys.exit(main())
