"""What an export says while it works."""

import pytest

from export.stages import Stages


def test_a_stage_is_named_when_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    stages = Stages()
    with stages.stage("layers ranked"):
        assert capsys.readouterr().err == "   ...    layers ranked\n"
        stages.note("40 layers")
    assert capsys.readouterr().err.split(" s  ")[1].split() == ["layers", "ranked", "40", "layers"]


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with Stages(quiet=True).stage("layers ranked"):
        pass
    assert capsys.readouterr().err == ""
