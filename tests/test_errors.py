import os
import signal
from collections.abc import Sequence

import pytest

from model.errors import (
    BackendUnavailable,
    BadInput,
    CheckpointError,
    ContractError,
    ConversionError,
    FaceSwapError,
    ImageError,
    ParityError,
    UsageError,
    VideoError,
    guard,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ParityError, 1),
        (UsageError, 2),
        (BackendUnavailable, 3),
        (ConversionError, 3),
        (BadInput, 4),
        (CheckpointError, 4),
        (ContractError, 4),
        (ImageError, 4),
        (VideoError, 4),
    ],
)
def test_each_error_ends_in_one_line_and_its_exit_code(
    error: type[FaceSwapError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @guard
    def main(argv: Sequence[str] | None = None) -> int:
        raise error("what was wrong")

    assert main([]) == code
    assert capsys.readouterr().err == "error: what was wrong\n"


def test_a_bug_is_not_hidden() -> None:
    @guard
    def main(argv: Sequence[str] | None = None) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        main([])


def test_a_python_without_the_packages_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @guard
    def main(argv: Sequence[str] | None = None) -> int:
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")

    assert main([]) == 3
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no module numpy" in err
    assert "pip install" in err


def test_a_missing_module_of_the_toolkit_is_a_bug() -> None:
    @guard
    def main(argv: Sequence[str] | None = None) -> int:
        raise ModuleNotFoundError("No module named 'model.gone'", name="model.gone")

    with pytest.raises(ModuleNotFoundError):
        main([])


def test_sigterm_unwinds_like_ctrl_c() -> None:
    cleaned = []

    @guard
    def main(argv: Sequence[str] | None = None) -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            cleaned.append(True)
        return 0

    assert main([]) == 130
    assert cleaned
