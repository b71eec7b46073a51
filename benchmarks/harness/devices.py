"""Run the demo app's own benchmark on a phone that is plugged in, and fetch its rows.

Both apps take the same settings, write result rows (`benchmarks.harness.rows`) to a file, and end
it with a line `{"done": true}`, so that half a file is never taken for a whole one.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.harness import rows as results
from benchmarks.harness.rows import Row
from model.errors import BackendUnavailable

APP_ID = "org.mobilefsgan.demo"
Phone = Literal["android", "ios"]
_TIMEOUT_S = 600.0
_POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the app's benchmark is told."""

    backends: Sequence[str]
    runs: int
    threads: int
    timeout_s: float = _TIMEOUT_S


def rows_from(phone: Phone, settings: Settings) -> list[Row]:
    """Start the app's benchmark, wait for it, and fetch what it measured.

    Raises:
        BackendUnavailable: the tool is not installed, no phone answers, or the app does not end.
        ContractError: the app wrote something that is no result row.
    """
    run = _on_android if phone == "android" else _on_ios
    with tempfile.TemporaryDirectory() as folder:
        # A new name each time: the rows of an earlier run must not pass for those of this one.
        fetched = Path(folder) / f"rows-{time.time_ns()}.jsonl"
        run(settings, fetched)
        return results.read(fetched, ends=True)


def _on_android(settings: Settings, fetched: Path) -> None:
    adb = _tool("adb", "install Android's platform-tools, and allow USB debugging on the phone")
    if "\tdevice" not in _call(adb, "devices"):
        raise BackendUnavailable(
            "adb sees no phone; expected one with USB debugging allowed. Plug it in, look at its "
            "screen for the question, and check with: adb devices"
        )
    place = f"/sdcard/Android/data/{APP_ID}/files/{fetched.name}"
    _call(
        adb, "shell", "am", "start", "-W", "-n", f"{APP_ID}/.BenchmarkActivity",
        "--es", "backends", ",".join(settings.backends), "--ei", "runs", str(settings.runs),
        "--ei", "threads", str(settings.threads), "--es", "out", fetched.name,
    )  # fmt: skip

    def fetch() -> bool:
        done = subprocess.run([adb, "pull", place, str(fetched)], capture_output=True, check=False)
        return done.returncode == 0

    _wait_for(fetch, fetched, settings.timeout_s)


def _on_ios(settings: Settings, fetched: Path) -> None:
    if sys.platform != "darwin":
        raise BackendUnavailable(
            "an iPhone is reached through Xcode's devicectl, on a Mac only. Run this command there"
        )
    xcrun = _tool("xcrun", "install Xcode 15 or later")
    listing = Path(fetched.parent) / "devices.json"
    _call(xcrun, "devicectl", "list", "devices", "--json-output", str(listing))
    found = json.loads(listing.read_text(encoding="utf-8"))["result"]["devices"]
    if not found:
        raise BackendUnavailable("no iPhone is paired with this Mac. Plug one in and trust the Mac")
    phone = found[0]["identifier"]
    _call(
        xcrun, "devicectl", "device", "process", "launch", "--device", phone,
        "--terminate-existing", APP_ID, "--benchmark", "--runs", str(settings.runs),
        "--out", fetched.name,
    )  # fmt: skip

    def fetch() -> bool:
        done = subprocess.run(
            [xcrun, "devicectl", "device", "copy", "from", "--device", phone,
             "--domain-type", "appDataContainer", "--domain-identifier", APP_ID,
             "--source", f"Documents/{fetched.name}", "--destination", str(fetched)],
            capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode == 0

    _wait_for(fetch, fetched, settings.timeout_s)


def _wait_for(fetch: Callable[[], bool], fetched: Path, timeout_s: float) -> None:
    """Fetch every two seconds until the last line says that the app is done."""
    ends = time.monotonic() + timeout_s
    while time.monotonic() < ends:
        if fetch() and _is_done(fetched):
            return
        time.sleep(_POLL_S)
    raise BackendUnavailable(
        f"the app did not finish its benchmark in {timeout_s:.0f} s; expected its rows to end "
        'with {"done": true}. Is the screen unlocked, and the app the benchmark build?'
    )


def _is_done(fetched: Path) -> bool:
    lines = fetched.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return bool(lines) and lines[-1].replace(" ", "") == '{"done":true}'


def _tool(name: str, remedy: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackendUnavailable(f"{name} is not installed; {remedy}")
    return found


def _call(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or "Error" in done.stdout:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BackendUnavailable(
            f"{Path(command[0]).name} {command[1]} failed: {words[-1] if words else 'no words'}. "
            f"Is the demo app ({APP_ID}) installed?"
        )
    return done.stdout
