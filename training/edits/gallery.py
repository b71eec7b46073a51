"""Make the picture of docs/triplets.md: every edit of both public-domain portraits.

Each portrait has two rows, made with two seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from model import arguments
from model.errors import guard

_SEEDS = 2


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Edit, arrange, write."""
    parser = arguments.Parser(prog="python -m training.edits.gallery", description=__doc__)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("docs/img/edits.webp"),
        help="default: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=arguments.seed, default=0, help="of the first of the two rows"
    )
    args = parser.parse_args(argv)

    from pipeline.faces.portraits import faces
    from pipeline.media.sheet import Tile, check_kind, write_grid
    from training.data.landmarks import Landmarks
    from training.data.records import EDITS
    from training.edits.all import edit
    from training.edits.subject import EditFailed

    check_kind(args.output)
    landmarks = Landmarks()
    rows = []
    for face in faces(2):
        mesh = landmarks.find(face)
        assert mesh is not None, "the mesh finds both portraits"
        for seed in range(args.seed, args.seed + _SEEDS):
            row = [Tile(face, "photo")]
            for name in EDITS:
                try:
                    row.append(Tile(edit(name, face, mesh, seed), name))
                except EditFailed as error:
                    row.append(Tile(None, f"{name}: {error}"))
            rows.append(row)
    write_grid(args.output, rows)
    print(args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
