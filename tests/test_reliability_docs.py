"""docs/reliability.md names tests that exist."""

import re

from conftest import ROOT

PAGE = (ROOT / "docs/reliability.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "`test_" in line]


def test_every_promise_names_a_test_that_exists() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        file = ""
        for name in re.findall(r"`(test_\w+)`", row):
            if (ROOT / f"tests/{name}.py").exists():
                file = (ROOT / f"tests/{name}.py").read_text()
                continue
            assert f"def {name}(" in file, name


def test_every_promise_has_a_test() -> None:
    promises = [
        line
        for line in PAGE.splitlines()
        if line.startswith("| ") and not line.startswith("| promise")
    ]
    assert promises == ROWS
