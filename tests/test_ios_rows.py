"""The rows of the iOS app's benchmark, from its own code through devicectl into our tables."""

import json
import stat
import sys
from pathlib import Path

import pytest

from benchmarks import latency, report
from benchmarks.harness import devices, rows

# Written by ios_demo/Core's own benchmark; its tests hold the file current.
WRITTEN = Path(__file__).parents[1] / "ios_demo/Core/Tests/rows.jsonl"

# A stand-in for Xcode's devicectl. The first copy finds the app still busy.
XCRUN = """#!{python}
import json, pathlib, sys
words, home = sys.argv[1:], pathlib.Path({home!r})
(home / "said").open("a").write(" ".join(words) + "\\n")
value = lambda option: words[words.index(option) + 1]
if words[:3] == ["devicectl", "list", "devices"]:
    listing = {{"result": {{"devices": [{{"identifier": "PHONE"}}][:{phones}]}}}}
    pathlib.Path(value("--json-output")).write_text(json.dumps(listing))
elif words[:4] == ["devicectl", "device", "process", "launch"]:
    (home / value("--out")).write_text({rows!r})
elif words[:4] == ["devicectl", "device", "copy", "from"]:
    lines = (home / pathlib.Path(value("--source")).name).read_text().splitlines(keepends=True)
    first = (home / "said").read_text().count("copy from") < 2
    pathlib.Path(value("--destination")).write_text("".join(lines[:1] if first else lines))
"""


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Mac with one iPhone, whose app writes what Core's own code wrote."""
    stand_in(tmp_path, monkeypatch, phones=1)
    return tmp_path


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, phones: int) -> None:
    xcrun = folder / "xcrun"
    xcrun.write_text(
        XCRUN.format(
            python=sys.executable, home=str(folder), phones=phones, rows=WRITTEN.read_text()
        )
    )
    xcrun.chmod(xcrun.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(devices, "_POLL_S", 0.01)


def test_rows_of_an_iphone_are_fetched_once_they_are_whole(mac: Path, capsys) -> None:
    kept = mac / "kept.jsonl"
    assert latency.main(["--device", "ios", "--runs", "4", "--json", str(kept), "--quiet"]) == 0
    said = (mac / "said").read_text()
    assert f"launch --device PHONE --terminate-existing {devices.APP_ID} --benchmark" in said
    assert "--runs 4 --out rows-" in said
    assert "--domain-type appDataContainer" in said
    assert said.count("copy from") == 2
    table = capsys.readouterr().out
    assert "coreml-ane" in table
    assert "no such device" in table  # the GPU's row keeps its reason
    found = rows.read(kept)
    assert {row.source for row in found} == {"ios"}
    requested = [row.backend.requested for row in found]
    assert requested == ["coreml-ane", "coreml-gpu", "coreml-cpu"] * 2  # fp16, int8
    assert found[0].check is not None
    assert found[0].thermal == rows.Thermal("nominal", "nominal")
    assert found[0].backend.ops == {"cpu": 2, "neuralEngine": 80}


def test_rows_of_an_iphone_merge_with_those_of_a_desktop(tmp_path: Path) -> None:
    phone = rows.read(WRITTEN, ends=True)
    desktop = json.loads(rows.dumps(phone[:1]))
    desktop.update(source="desktop", device={"model": "x86_64", "os": "L", "soc": "s", "cores": 2})
    both = tmp_path / "both.jsonl"
    rows.write(both, [*phone, rows.loads(json.dumps(desktop), "here")])
    assert report.main([str(both), "-o", str(tmp_path / "report")]) == 0
    table = (tmp_path / "report/report.md").read_text()
    assert "iPhone15,2" in table
    assert "x86_64" in table


def test_no_iphone_is_one_line_and_exit_3(tmp_path: Path, monkeypatch, capsys) -> None:
    stand_in(tmp_path, monkeypatch, phones=0)
    assert latency.main(["--device", "ios"]) == 3
    assert "no iPhone is paired with this Mac" in capsys.readouterr().err
