"""The pictures of docs/swap.md: `python -m pipeline.gallery`.

Each of the two public-domain portraits gets the other's face, by every backend that the bundle has
files for and that can run here; below each result is how far it is from the first one. With
--detail: an eye of each, without and with the target's fine detail, and swapped at 512 px instead.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model import arguments
from model.errors import BackendUnavailable, ContractError, guard

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.contract import Precision
    from pipeline.faces.pyramid import Image8
    from pipeline.media.sheet import Tile
    from pipeline.swap import FaceSwapper

_COLUMNS: tuple[tuple[str, Precision], ...] = (
    ("pytorch", "fp32"),
    ("onnx", "fp32"),
    ("tflite", "fp32"),
    ("tflite", "int8"),
    ("coreml", "fp32"),
)
_TILE = 180  # pixels
_EYE_TILE = 240


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Swap, arrange, write."""
    parser = arguments.Parser(prog="python -m pipeline.gallery", description=__doc__)
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="default: newest below dist/")
    parser.add_argument(
        "--detail", action="store_true", help="draw docs/img/detail.webp: an eye, enlarged"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE",
        help="default: docs/img/swap.webp, or detail.webp there",
    )  # fmt: skip
    parser.add_argument("--threads", type=arguments.threads, default=2, help="default: 2")
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    args = parser.parse_args(argv)

    from model.manifest import load_bundle
    from pipeline.bundles import newest_bundle
    from pipeline.media.sheet import check_kind, write_grid
    from pipeline.swap import FaceSwapper

    bundle = args.bundle or newest_bundle()
    load_bundle(bundle)
    output = args.output or Path(f"docs/img/{'detail' if args.detail else 'swap'}.webp")
    check_kind(output)
    result: dict[str, Any] = {"file": str(output), "bundle": str(bundle)}
    if args.detail:
        plain, boosted = (
            FaceSwapper.load(bundle, threads=args.threads, boost=boost) for boost in (False, True)
        )
        write_grid(output, details(plain, boosted), _EYE_TILE)
    else:
        rows, result["psnr_db"] = _backends(bundle, args.threads)
        write_grid(output, rows, _TILE)
    print(json.dumps(result) if args.json else output)
    return 0


def details(plain: FaceSwapper, boosted: FaceSwapper) -> list[list[Tile]]:
    """A row for each portrait: an eye of the target, and of its swaps.

    Args:
        plain: a bundle's models.
        boosted: the same, opened with `boost`.
    """
    import numpy as np

    from pipeline.faces.paste import Blend
    from pipeline.faces.portraits import ENLARGED, PORTRAITS, enlarged, open_portrait
    from pipeline.media.sheet import Tile

    portraits = [open_portrait(portrait) for portrait in PORTRAITS]
    targets = [(portraits[0], 1), (enlarged(portraits[1]), ENLARGED)]
    ways = [
        (plain, Blend(detail=False), "--no-detail"),
        (plain, Blend(), "--detail"),
        (boosted, Blend(detail=False), "--no-detail --boost 512"),
    ]
    rows = []
    for (target, scale), portrait, source in zip(targets, PORTRAITS, portraits[::-1], strict=True):
        left, right = (scale * np.array(point) for point in portrait.points[:2])
        identity = plain.identity(source)
        tiles = [Tile(_around(target, left, right), "target")]
        for swapper, blend, caption in ways:
            picture = swapper.swap(target, identity, blend=blend)
            tiles.append(Tile(_around(picture, left, right), caption))
        rows.append(tiles)
    return rows


def _around(picture: Image8, eye: NDArray[Any], other: NDArray[Any]) -> Image8:
    """The square around an eye, from the temple to the nose; eyes are (2,) x and y in pixels."""
    import numpy as np

    half = int(0.7 * np.linalg.norm(other - eye))
    x, y = eye.astype(int)
    return picture[y - half : y + half, x - half : x + half]


def _backends(bundle: Path, threads: int) -> tuple[list[list[Tile]], dict[str, list[float]]]:
    """A row for each portrait: source, target and the swaps; and the PSNR of every column.

    Raises:
        BackendUnavailable: no file of the bundle can be executed here.
    """
    from pipeline.faces.portraits import PORTRAITS, open_portrait
    from pipeline.media.sheet import Tile

    portraits = [open_portrait(portrait) for portrait in PORTRAITS]
    rows: list[list[Tile]] = [
        [Tile(_cropped(portraits[0]), "source"), Tile(_cropped(portraits[1]), "target")],
        [Tile(_cropped(portraits[1]), "source"), Tile(_cropped(portraits[0]), "target")],
    ]
    first: list[Image8] = []
    agreement: dict[str, list[float]] = {}
    for name, precision in _COLUMNS:
        swapper = _open(bundle, name, precision, threads)
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
    return rows, agreement


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
