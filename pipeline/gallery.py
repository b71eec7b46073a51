"""The pictures of docs/swap.md: `python -m pipeline.gallery`.

Each of the two public-domain portraits gets the other's face, by every backend that the bundle has
files for and that can run here; below each result is how far it is from the first one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model import arguments
from model.errors import BackendUnavailable, ContractError, guard

if TYPE_CHECKING:
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
_TILE = 180  # pixels


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Swap, arrange, write."""
    parser = arguments.Parser(prog="python -m pipeline.gallery", description=__doc__)
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="default: newest below dist/")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/img/swap.webp"))
    parser.add_argument("--threads", type=arguments.threads, default=2, help="default: 2")
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    args = parser.parse_args(argv)

    from model.manifest import load_bundle
    from pipeline.bundles import newest_bundle
    from pipeline.faces.portraits import PORTRAITS, open_portrait
    from pipeline.media.sheet import Tile, check_kind, write_grid

    bundle = args.bundle or newest_bundle()
    load_bundle(bundle)
    check_kind(args.output)
    portraits = [open_portrait(portrait) for portrait in PORTRAITS]
    rows: list[list[Tile]] = [
        [Tile(_cropped(portraits[0]), "source"), Tile(_cropped(portraits[1]), "target")],
        [Tile(_cropped(portraits[1]), "source"), Tile(_cropped(portraits[0]), "target")],
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
            caption = column if first is pictures else f"{column}: {psnr:.0f} dB"
            row.append(Tile(_cropped(picture), caption))
    if not agreement:
        raise BackendUnavailable(
            f"nothing in {bundle} can be executed here; nothing was written. "
            "Run python -m export.doctor"
        )
    write_grid(args.output, rows, _TILE)
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


def _cropped(picture: Image8) -> Image8:
    """The head alone, square; both portraits have it in the upper middle."""
    import numpy as np
    from PIL import Image, ImageOps

    height, width = picture.shape[:2]
    edge = min(height, width) * 5 // 8
    left = (width - edge) // 2 if height > width else (width - edge) // 2 - width // 16
    head = Image.fromarray(picture[: edge + height // 12, left : left + edge])
    return np.asarray(ImageOps.fit(head, (_TILE, _TILE), Image.Resampling.LANCZOS))


if __name__ == "__main__":
    sys.exit(main())
