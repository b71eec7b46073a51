"""Every word of every command line is checked while it is parsed: exit 2, one line."""

import argparse
import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from model import arguments

ROOT = Path(__file__).resolve().parent.parent
BAD = ["0", "-1", "nan", "inf", "1e30", "x", "", " 1", "1_0", "٣", "9" * 5000]


def commands() -> Iterator[str]:
    """Modules that build a parser; one that delegates to another's is seen there."""
    for folder in ("model", "pipeline", "export", "training", "benchmarks", "mobilefsgan"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            text = file.read_text()
            if "arguments.Parser(" in text and "def main(" in text:
                yield ".".join(file.relative_to(ROOT).with_suffix("").parts)
    yield "export.onnx"  # through export.cli, whose function takes the format


class Parsed(Exception):
    """Thrown in place of parsing; carries the parser."""


def parser_of(command: str, monkeypatch: pytest.MonkeyPatch) -> argparse.ArgumentParser:
    def caught(parser: argparse.ArgumentParser, *_: Any) -> None:
        raise Parsed(parser)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", caught)
    main: Callable[[list[str]], int] = importlib.import_module(command).main
    with pytest.raises(Parsed) as found:
        main([])
    parser = found.value.args[0]
    assert isinstance(parser, argparse.ArgumentParser)
    return parser


@pytest.mark.parametrize("command", list(commands()))
def test_numbers_out_of_bounds_are_usage_errors(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = parser_of(command, monkeypatch)
    for action in parser._actions:
        flag = action.option_strings[-1] if action.option_strings else action.dest
        assert action.type not in (int, float), f"{flag} takes any number"
        numeric = isinstance(action.type, arguments.WholeNumber | arguments.Number)
        assert numeric or not number(action.default), f"{flag} has no type of model.arguments"
        for text in BAD if numeric else ():
            said = refusal(parser, action, text)
            if said is None:
                value = action.type(text)
                assert text == "0", f"{flag} takes {text!r}"
                assert action.type.low <= value <= action.type.high
                continue
            assert re.match(f"argument .*{flag}.*; expected ", said)
            assert len(said) < 200
            assert "\n" not in said


@pytest.mark.parametrize("command", list(commands()))
def test_help_tells_every_default(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for action in parser_of(command, monkeypatch)._actions:
        if action.default not in (None, False, True, [], argparse.SUPPRESS):
            assert "default" in (action.help or ""), action.option_strings


def refusal(parser: argparse.ArgumentParser, action: argparse.Action, text: str) -> str | None:
    """What the parser says to a value, or None where it takes it; anything else is a traceback."""
    try:
        parser._get_value(action, text)
    except argparse.ArgumentError as error:
        return str(error)
    return None


def number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@pytest.mark.parametrize("command", list(commands()))
def test_an_unknown_flag_is_one_line_and_exit_code_2(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert importlib.import_module(command).main(["a", "--no-such-flag"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert err.endswith(" --help\n")
    assert err.count("\n") == 1


def test_a_number_out_of_bounds_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from export import verify

    assert verify.main(["bundle", "--threads", "0"]) == 2
    assert capsys.readouterr().err == (
        "error: argument --threads: '0'; expected a whole number from 1 to 256. "
        "See python -m export.verify --help\n"
    )


def test_every_parser_is_of_that_kind() -> None:
    for floor in ("model", "pipeline", "export", "training", "benchmarks", "mobilefsgan"):
        for file in sorted((ROOT / floor).rglob("*.py")):
            assert "argparse.ArgumentParser(" not in file.read_text(), file


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (arguments.threads, "256", 256),
        (arguments.seed, str(2**63 - 1), 2**63 - 1),
        (arguments.count, "+7", 7),
        (arguments.share, "1", 1.0),
        (arguments.minutes, "0.5", 0.5),
        (arguments.interval_minutes, "0", 0.0),
        (arguments.checkpoint, "runs/my net[2].pt", Path("runs/my net[2].pt")),
    ],
)
def test_values_within_bounds_are_taken(
    kind: Callable[[str], object], text: str, value: object
) -> None:
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (arguments.threads, "257"),
        (arguments.seed, str(2**63)),
        (arguments.share, "1.01"),
        (arguments.minutes, "0"),
        (arguments.stem, ""),
        (arguments.stem, "a/b"),
        (arguments.stem, ".hidden"),
        (arguments.stem, "two\nlines"),
        (arguments.stem, "n" * 201),
        (arguments.checkpoint, "..pt"),
        (arguments.checkpoint, "."),
        (arguments.checkpoint, "not-utf-8-\udcff.pt"),
    ],
)
def test_values_out_of_bounds_are_refused(kind: Callable[[str], object], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="; expected "):
        kind(text)


@pytest.mark.parametrize("command", ["export.cli", "pipeline.command_line", "benchmarks.latency"])
def test_precisions_are_those_of_the_contract(command: str) -> None:
    text = (ROOT / f"{command.replace('.', '/')}.py").read_text()
    assert "choices=arguments.PRECISIONS" in text
