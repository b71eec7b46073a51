"""Export to Core ML only: `python -m export.coreml CKPT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from model.errors import guard


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Export to Core ML only."""
    from export.cli import export_command

    return export_command("mlpackage", argv)


if __name__ == "__main__":
    sys.exit(main())
