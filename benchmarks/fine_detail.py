"""What fine detail does to large faces: `python benchmarks/fine_detail.py [BUNDLE ...]`.

The two public-domain portraits get each other's face, without and with the target's fine detail,
and swapped at 512 px instead. Sharpness is measured at cheeks and forehead, and how near the result
is to its source; then flicker, in films that are drawn from the portraits.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if not __package__:
    import harness.run_as_file  # noqa: F401

from benchmarks.harness.commands import add_bundles
from model import arguments
from model.errors import guard


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Swap, measure, print a table of sharpness and one of flicker."""
    parser = arguments.Parser(prog="python benchmarks/fine_detail.py", description=__doc__)
    add_bundles(parser, precision="fp32")
    args = parser.parse_args(argv)

    from benchmarks.harness.large_faces import in_films, in_portrait, scenes
    from pipeline.bundles import newest_bundle
    from pipeline.swap import FaceSwapper

    shown, found = scenes(), []
    for bundle in args.bundles or [newest_bundle()]:
        plain, boosted = (
            FaceSwapper.load(bundle, precision=args.precision, threads=args.threads, boost=boost)
            for boost in (False, True)
        )
        found.append({
            "bundle": str(bundle), "precision": args.precision,
            "portraits": [in_portrait(plain, boosted, scene) for scene in shown],
            "films": in_films(plain, shown),
        })  # fmt: skip
    print(json.dumps(found) if args.json else _words(found))
    return 0


def _words(found: list[dict[str, Any]]) -> str:
    from benchmarks.harness.large_faces import WAYS
    from pipeline.table import plain

    rows = [("bundle", "portrait", "face px", "way", "cheeks", "forehead", "cosine to source")]
    films = [("bundle", "noise", "plain", "detail")]
    for of in found:
        bundle = Path(of["bundle"]).name
        for portrait in of["portraits"]:
            start = (bundle, portrait["portrait"], str(portrait["face_px"]))
            rows += [
                (
                    *start,
                    way,
                    f"{r['cheeks']:.2f}",
                    f"{r['forehead']:.2f}",
                    f"{r['identity_source']:.3f}",
                )
                for way, r in ((way, portrait[way]) for way in WAYS)
            ]
        films += [
            (bundle, f"{film['noise']:g}", f"{film['plain']:.1f}", f"{film['detail']:.1f}")
            for film in of["films"]
        ]
    words = {"bundle", "portrait", "way"}
    return "\n".join([
        f"TFLite {found[0]['precision']}; sharpness as a part of the target's", plain(rows, words),
        "flicker in levels, in films with noise of so many levels", plain(films, words),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
