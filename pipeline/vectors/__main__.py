"""Write the test vectors of the apps: `python -m pipeline.vectors -o tests/vectors`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from model import arguments
from model.errors import guard


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Write all vectors, and print the names of the files."""
    parser = arguments.Parser(prog="python -m pipeline.vectors", description=__doc__)
    parser.add_argument("-o", "--output-dir", type=Path, required=True, help="where they go")
    args = parser.parse_args(argv)

    from pipeline.vectors.blending import write_edges, write_lights, write_masks, write_portraits
    from pipeline.vectors.camera import write_yuv
    from pipeline.vectors.detection import write_boxes, write_meshes
    from pipeline.vectors.folder import Folder
    from pipeline.vectors.geometry import write_fits, write_warps
    from pipeline.vectors.manifests import write_manifests
    from pipeline.vectors.motion import write_filter, write_statistics

    folder = Folder()
    for write in (
        write_fits, write_warps, write_boxes, write_meshes, write_lights, write_masks,
        write_portraits, write_edges, write_filter, write_statistics, write_manifests, write_yuv,
    ):  # fmt: skip
        print(f"vectors: {write.__name__.removeprefix('write_')}", file=sys.stderr)
        write(folder)
    print("\n".join(folder.write(args.output_dir)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
