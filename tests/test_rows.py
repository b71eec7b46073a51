"""Result rows: what a phone writes, a laptop reads."""

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phone import FROM_A_PHONE
from PIL import Image

from benchmarks import report
from benchmarks.harness import rows
from benchmarks.harness.commands import show
from benchmarks.harness.measure import with_ratios
from benchmarks.harness.plot import latency, quality
from benchmarks.harness.rows import App, Check, Device, MeasuredModel, Ran, Row, Runs, Stage
from benchmarks.harness.sustained import throttling
from benchmarks.harness.table import markdown, real_time, text
from model.errors import ContractError


def row(name: str, latencies_ms: list[float], **changes: object) -> Row:
    values: dict[str, object] = {
        "source": "desktop",
        "device": Device("x86_64", "Linux", "some processor", 2),
        "app": App("0", "0"),
        "model": MeasuredModel("generator", "f", "0", "tflite", "fp32", 10_000_000),
        "backend": Ran(name, name, 2),
        "runs": Runs(1, len(latencies_ms)),
        "how": "measured",
        "stages": {"total": Stage.of(latencies_ms)},
        "rounds_ms": tuple(latencies_ms),
    }
    return Row(**{**values, **changes})  # type: ignore[arg-type]


def test_a_dash_takes_the_rows_to_stdout_in_place_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = [row("tflite", [1.0]), row("onnx", [2.0])]
    show(kept, "table", Path("-"))
    assert [rows.loads(line, "stdout") for line in capsys.readouterr().out.splitlines()] == kept
    assert not list(tmp_path.iterdir())
    show(kept, "table", Path("rows.jsonl"))
    assert capsys.readouterr().out == "table\n"
    assert rows.read(Path("rows.jsonl")) == kept


@settings(deadline=None)  # the first example reads the annotations
@given(st.lists(st.floats(0.001, 1e4), min_size=1, max_size=20))
def test_a_row_comes_back_from_its_line(latencies_ms: list[float]) -> None:
    written = row("tflite", latencies_ms)
    assert rows.loads(rows.dumps([written]).strip(), "here") == written


def test_quantiles_are_interpolated_linearly() -> None:
    stage = Stage.of([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    assert (stage.p50_ms, stage.p90_ms, stage.p99_ms) == (6, 10, pytest.approx(10.9))


def test_a_row_of_an_app_is_read() -> None:
    assert rows.loads(json.dumps(FROM_A_PHONE), "phone").thermal == rows.Thermal("none", "light")


def total(**changes: float) -> dict:  # type: ignore[type-arg]
    return {"stages": {"total": {**FROM_A_PHONE["stages"]["total"], **changes}}}  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema 2"),
        ({"device": None}, r"phone\.device"),
        ({"load_ms": "fast"}, r"phone\.load_ms"),
        ({"stages": {"paint": FROM_A_PHONE["stages"]["total"]}}, "'paint'"),  # type: ignore[index]
        ({"stages": {}}, "neither a total latency nor a reason"),
        ({"how": "guessed"}, r"phone\.how"),
        (total(p50_ms=0), r"phone\.stages\.total\.p50_ms is 0; expected 1e-06"),
        (total(mean_ms=0.0), r"phone\.stages\.total\.mean_ms is 0"),
        (total(p90_ms=1e308), r"phone\.stages\.total\.p90_ms is 1e\+308"),
        (total(min_ms=-1), r"phone\.stages\.total\.min_ms is -1"),
        (total(n=0), r"phone\.stages\.total\.n is 0"),
        ({"rounds_ms": [31.0, 0]}, r"phone\.rounds_ms is 0"),
        ({"check": {"psnr_db": 1e308}}, r"phone\.check\.psnr_db is 1e\+308"),
        ({"check": {"identity_cosine": -2}}, r"phone\.check\.identity_cosine is -2"),
        ({"load_ms": -1}, r"phone\.load_ms is -1"),
        ({"ratio": 1e300}, r"phone\.ratio is 1e\+300"),
        ({"runs": {"warmup": 0, "n": -9}}, r"phone\.runs\.n is -9"),
        ({"device": {**FROM_A_PHONE["device"], "cores": -8}}, r"phone\.device\.cores is -8"),  # type: ignore[dict-item]
        (
            {"backend": {**FROM_A_PHONE["backend"], "ops": {"CPU": -4}}},  # type: ignore[dict-item]
            r"phone\.backend\.ops\.CPU is -4",
        ),
        ({"check": {"max_abs": -1}}, r"phone\.check\.max_abs is -1"),
        ({"reason": "half a pair: \ud800"}, "phone is not JSON"),
    ],
)
def test_a_row_that_breaks_the_contract_is_refused_by_name(change: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ContractError, match=message):
        rows.loads(json.dumps({**FROM_A_PHONE, **change}), "phone")


def test_a_failed_row_keeps_its_reason_through_file_and_table(tmp_path) -> None:
    failed = row("onnx", [1.0], stages={}, rounds_ms=(), reason="it was killed by signal 11")
    rows.write(tmp_path / "rows.jsonl", [failed])
    (read,) = rows.read(tmp_path / "rows.jsonl")
    assert "onnx-fp32: it was killed by signal 11" in text([read])
    assert "onnx-fp32: it was killed by signal 11" in markdown([read])


def test_a_reason_that_rows_share_is_said_once() -> None:
    nowhere = {"stages": {}, "rounds_ms": (), "reason": "it runs on Apple systems only"}
    shown = text([row("coreml", [1.0], **nowhere), row("onnx", [1.0], **nowhere)])
    assert shown.count("Apple systems only") == 1
    assert "coreml-fp32, onnx-fp32: it runs on Apple systems only" in shown


def test_a_ratio_is_paired_so_that_a_slow_minute_cancels_out() -> None:
    slow_minute = [100.0, 100.0, 1000.0]
    base, other = with_ratios(
        [row("pytorch", slow_minute), row("tflite", [ms / 4 for ms in slow_minute])], "pytorch-fp32"
    )
    assert (base.ratio, other.ratio) == (1.0, 4.0)


@pytest.mark.parametrize(
    ("p90_ms", "words"), [(33.0, "30 fps"), (33.4, "24 fps"), (41.6, "24 fps"), (41.7, "no")]
)
def test_real_time_is_judged_by_nine_of_ten_frames(p90_ms: float, words: str) -> None:
    assert real_time(row("tflite", [p90_ms] * 10)) == words


def test_an_interpreted_time_is_no_real_time() -> None:
    assert real_time(row("coreml", [1.0], how="interpreted")) == "-"


def test_a_noisy_machine_is_named() -> None:
    assert "noisy" not in text([row("tflite", [10.0, 10.1, 10.0, 9.9])])
    assert "noisy machine: the rounds of tflite-fp32" in text([row("tflite", [10, 20, 10, 20])])


@pytest.mark.parametrize(
    ("minutes_ms", "begins"),
    [([100, 101, 99], None), ([100, 100, 120, 125], 3), ([100, 120, 100, 101], None)],
)
def test_throttling_begins_where_no_later_minute_is_fast(
    minutes_ms: list[float], begins: int | None
) -> None:
    assert throttling(minutes_ms).begins == begins


def test_what_is_outside_the_runtimes_own_call_is_said() -> None:
    stages = {"total": Stage.of([100.0, 102.0]), "generate": Stage.of([99.0, 101.0])}
    assert "at most 0.99 % of a frame" in text([row("tflite", [1.0], stages=stages)])


def test_slow_8_bit_arithmetic_is_said() -> None:
    int8 = MeasuredModel("generator", "f", "0", "tflite", "int8", 1)

    def said(soc: str) -> bool:
        device = Device("x86_64", "Linux", soc, 2)
        return "8-bit dot products" in text([row("tflite", [1.0], model=int8, device=device)])

    assert said("AMD EPYC (avx2)")
    assert not said("Xeon (avx2 avx512_vnni)")
    assert not said("a processor that says nothing")


@pytest.mark.slow
def test_thousands_of_rows_with_odd_names_are_plotted_in_seconds(tmp_path) -> None:
    odd = "a$\\frac{$ \x1b[2J\n" + "long " * 20
    many = [
        row(odd, [1.0 + i / 100], device=Device(f"{odd}{i % 7}", "OS", "soc", 2), check=Check(40.0))
        for i in range(3000)
    ]
    started = time.process_time()
    assert markdown(many).count("\n") > 3000
    latency(many, tmp_path / "latency.png")
    quality(many, tmp_path / "quality.png")
    assert time.process_time() - started < 15
    with Image.open(tmp_path / "latency.png") as picture:
        assert picture.height < 5000


@pytest.mark.parametrize("end", ["\u2028", "\u0085", "\x1c"])
def test_a_line_ends_with_a_line_feed_alone(end: str, tmp_path) -> None:
    """JavaScript writes U+2028 into strings as it is."""
    device = {**FROM_A_PHONE["device"], "model": f"Phone{end}1"}  # type: ignore[dict-item]
    line = json.dumps({**FROM_A_PHONE, "device": device}, ensure_ascii=end == "\x1c")
    (tmp_path / "rows.jsonl").write_bytes(b"\xef\xbb\xbf" + f"{line}\r\n\r\n{line}\n".encode())
    assert [row.device.model for row in rows.read(tmp_path / "rows.jsonl")] == [f"Phone{end}1"] * 2


def test_a_reason_cannot_reach_the_terminal_or_the_list() -> None:
    failed = row("onnx", [1.0], stages={}, rounds_ms=(), reason="\x1b[2J\n# heading")
    for shown in (text([failed]), markdown([failed])):
        assert "\\x1b[2J\\n# heading" in shown


@pytest.mark.parametrize("kind", ["pipe", "endless", "nothing"])
def test_what_holds_no_rows_is_refused_at_once(kind: str, tmp_path, capsys) -> None:
    path = tmp_path / "rows.jsonl"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "endless":
        path.symlink_to("/dev/zero")
    else:
        path.write_text("\n")
    assert report.main([str(path)]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line or "/dev/zero" in line


def test_rows_of_a_phone_end_with_a_word_that_is_no_row(tmp_path) -> None:
    fetched = tmp_path / "rows.jsonl"
    fetched.write_text(json.dumps(FROM_A_PHONE) + '\n{"done": true}\n')
    assert len(rows.read(fetched, ends=True)) == 1
    fetched.write_bytes(b'\xff\n{"done": true}\n')
    with pytest.raises(ContractError, match="cannot be read as result rows"):
        rows.read(fetched, ends=True)
