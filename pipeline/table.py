"""Tables of ready-made cells, for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def plain(rows: Sequence[Sequence[str]], left: Collection[str] = ()) -> str:
    """Aligned columns, two spaces apart.

    Args:
        rows: the header, then the lines; as many cells in each.
        left: titles of the columns that are aligned to the left, as words are; numbers are not.
    """
    from tabulate import tabulate

    # The header goes in as a row: tabulate widens columns below a header of its own.
    text = tabulate(
        _printable(rows), tablefmt="plain", disable_numparse=True,
        colalign=_alignment(rows[0], left),
    )  # fmt: skip
    return "\n".join(line.rstrip() for line in text.splitlines())


def markdown(rows: Sequence[Sequence[str]], left: Collection[str] = ()) -> str:
    """A Markdown table; arguments as those of `plain`."""
    from tabulate import tabulate

    # A bar within a cell would end it.
    cells = [[cell.replace("|", "\\|") for cell in row] for row in _printable(rows)]
    return tabulate(
        cells[1:], cells[0], "pipe", disable_numparse=True, colalign=_alignment(rows[0], left)
    )


def _printable(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Cells on one line without control characters: some come from files of others."""
    return [["".join(c if c.isprintable() else " " for c in cell) for cell in row] for row in rows]


def _alignment(header: Sequence[str], left: Collection[str]) -> list[str]:
    return ["left" if title in left else "right" for title in header]
