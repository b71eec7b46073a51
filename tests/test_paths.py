"""Names that no file system takes, wherever an export or a model command is given a path."""

from pathlib import Path

import pytest

import export.onnx
import export.sensitivity
import export.verify
import pipeline.mlpackage

NAMES = {"too long": "n" * 300, "NUL": "a\0b", "a file as folder": "/dev/null/x"}
FLAGS = ["--identity", "--bake-identity", "--calibration", "-o"]


def refusal(capsys: pytest.CaptureFixture[str], code: int) -> None:
    assert code in (2, 4)
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if "error: " in line]) == 1
    assert len(lines[-1]) < 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("flag", FLAGS)
def test_every_path_of_an_export_is_refused_in_one_line(
    flag: str, name: str, tiny_checkpoints: tuple[Path, Path], tmp_path: Path, capsys
) -> None:
    given = {"-o": str(tmp_path), "--precision": "int8", flag: NAMES[name]}
    words = [word for pair in given.items() for word in pair]
    refusal(capsys, export.onnx.main([str(tiny_checkpoints[0]), "--quiet", *words]))
    assert not list(tmp_path.iterdir())


def test_a_recipe_is_refused_before_the_work(
    tiny_checkpoints: tuple[Path, Path], tmp_path: Path, capsys
) -> None:
    (tmp_path / "recipe.json").write_text("{")
    given = ["--recipe", str(tmp_path / "recipe.json"), "-o", str(tmp_path / "dist")]
    refusal(
        capsys,
        export.onnx.main([str(tiny_checkpoints[0]), "--precision", "int8", "--quiet", *given]),
    )
    assert not (tmp_path / "dist").exists()


def test_a_ranking_refuses_its_place_before_the_work(
    tiny_checkpoints: tuple[Path, Path], tmp_path: Path, monkeypatch, capsys
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("export.quantize.ranking.rank", None)  # not reached
    refusal(
        capsys, export.sensitivity.main([str(tiny_checkpoints[0]), "-o", str(tmp_path / "file")])
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "module", [export.onnx, export.sensitivity, export.verify, pipeline.mlpackage]
)
def test_the_first_path_of_a_command_is_refused_in_one_line(module, name: str, capsys) -> None:
    refusal(capsys, module.main([NAMES[name]]))
