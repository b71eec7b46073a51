"""python -m training.pack RUN/run.state -o FILE: a run in a few megabytes, to be committed.

`python -m training.train --from-packed FILE` goes on with it on any machine.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from model import arguments
from model.errors import guard


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Write the small file and say what is in it."""
    parser = arguments.Parser(prog="python -m training.pack", description=__doc__)
    parser.add_argument("state", type=Path, help="run.state of a run's folder")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the file to write")
    args = parser.parse_args(argv)

    from training.running.packed import pack, unpack

    pack(args.state, args.output)
    found = unpack(args.output)
    print(
        f"step {found['steps']}, {found['samples']} samples, {found['seconds'] / 3600:.2f} hours, "
        f"{args.output.stat().st_size / 1e6:.2f} MB",
        file=sys.stderr,
    )
    print(args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
