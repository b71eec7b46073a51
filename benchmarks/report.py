"""Merge result rows of any origin into one table and plots: `python benchmarks/report.py FILES`.

Rows come from `benchmarks/latency.py --json` and from the demo apps.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

if not __package__:
    import harness.run_as_file  # noqa: F401

from model import arguments
from model.errors import BadInput, guard


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Check every row, print one Markdown table, draw what was asked for."""
    parser = arguments.Parser(prog="python benchmarks/report.py", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="result rows, one JSON object a line")
    parser.add_argument("-o", "--output-dir", type=Path, metavar="DIR",
                        help="write report.md, latency.png and quality.png there")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the merged rows on stdout instead")
    args = parser.parse_args(argv)

    from benchmarks.harness import plot, table
    from benchmarks.harness import rows as results
    from model.files import write_atomically

    rows = [row for file in args.files for row in results.read(file)]
    if not rows:
        raise BadInput(f"no result rows in {', '.join(map(str, args.files))}; expected one a line")
    text = table.markdown(rows)
    print(results.dumps(rows) if args.json else text)
    if args.output_dir:
        page = args.output_dir / "report.md"
        write_atomically(page, lambda beside: beside.write_text(text + "\n", encoding="utf-8"))
        if any(row.total for row in rows):
            plot.latency(rows, args.output_dir / "latency.png")
        if any(plot.judged(row) for row in rows):
            plot.quality(rows, args.output_dir / "quality.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
