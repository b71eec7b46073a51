"""Some hundreds of damaged files of each kind; `python tests/fuzzing.py` tries more."""

import pytest
from fuzzing import MOST_MB, SUBJECTS, Subject, run

# These take longest.
CASES = {"generator": 12, "package": 60, "photo": 40, "film": 20}
USUAL_CASES = 150


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_damaged_files_are_read_or_refused_in_one_line(subject: Subject) -> None:
    if subject.name == "package":
        pytest.importorskip("coremltools")
    kind, _, _ = subject.name.partition(" .")
    tally = run(subject, seed=0, cases=CASES.get(kind, USUAL_CASES))
    assert not tally.faults
    assert tally.refused, "nothing was damaged"
    assert tally.grown_mb < MOST_MB
