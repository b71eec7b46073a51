"""The scripts that find or set up Swift for ios_demo, with stand-ins for the system's commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

IOS = Path(__file__).parents[1] / "ios_demo"
SWIFT_6 = "echo 'swift-driver version: 1.115 Apple Swift version 6.1.2 (swiftlang)'"
OPENSTACK = "echo 'python-swiftclient 4.6.0'"  # a command of the same name
PASS_ON = 'shift; exec "$@"'  # unshare --mount COMMAND...
MAKES_SWIFT = 'for last; do case "$last" in *.partial) mkdir -p "$last/usr/bin";; esac; done'
FAILS = (
    'echo "E: no such mirror"; for d; do case "$d" in *.partial) mkdir -p "$d";; esac; done; exit 1'
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("flock"), reason="the scripts set up Swift on Linux"
)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of commands that come before the system's: root's, on a Debian without Swift."""
    commands = tmp_path / "commands"
    commands.mkdir()
    for name, text in {
        "swift": OPENSTACK,
        "id": "echo 0",
        "unshare": PASS_ON,
        "mount": "",
        "chroot": "echo 'Swift version 6.0.3'",
        "apt-get": "",
        "df": "echo Avail; echo 9000000",
        "debootstrap": f"echo once >>{tmp_path}/calls; sleep 0.3; {MAKES_SWIFT}",
    }.items():
        _command(commands, name, text)
    return commands


def _command(commands: Path, name: str, text: str) -> None:
    (commands / name).write_text(f"#!/bin/sh\n{text}\n")
    (commands / name).chmod(0o755)


def _start(script: str, machine: Path, **variables: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k != "CI"} | variables
    environment["PATH"] = f"{machine}:/usr/bin:/bin"
    environment["XDG_CACHE_HOME"] = str(machine.parent / "cache")
    return subprocess.Popen(
        [str(IOS / script)], env=environment, text=True, stdout=-1, stderr=subprocess.PIPE
    )


def _run(script: str, machine: Path, **variables: str) -> tuple[int, str, str]:
    process = _start(script, machine, **variables)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def _folder(machine: Path) -> Path:
    return machine.parent / "cache/mobilefsgan/swift-trixie"


def test_a_swift_of_the_machine_is_used(machine: Path) -> None:
    _command(machine, "swift", SWIFT_6)
    assert _run("swift-setup.sh", machine)[:2] == (0, "/\n")


def test_two_at_once_set_it_up_once(machine: Path) -> None:
    both = [_start("swift-setup.sh", machine) for _ in range(2)]
    assert [one.communicate(timeout=60)[0] for one in both] == [f"{_folder(machine)}\n"] * 2
    assert (machine.parent / "calls").read_text() == "once\n"


def test_a_half_made_folder_is_no_swift(machine: Path) -> None:
    whole = (machine / "debootstrap").read_text()
    _command(machine, "debootstrap", FAILS)
    code, out, err = _run("swift-setup.sh", machine)
    assert (code, out) == (3, "")
    assert "E: no such mirror" in err
    assert not _folder(machine).exists()
    (machine / "debootstrap").write_text(whole)
    assert _run("swift-setup.sh", machine)[0] == 0
    assert (_folder(machine) / "usr/bin").is_dir()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("id", "echo 1000", "needs root"),
        ("unshare", "exit 1", "does not allow mounts"),
        ("df", "echo Avail; echo 1000", "5 GB"),
        ("chroot", "exit 1", "does not start"),
    ],
)
def test_no_swift_is_said_aloud_and_fails_in_ci(
    machine: Path, name: str, text: str, reason: str
) -> None:
    _command(machine, name, text)
    code, out, err = _run("check", machine)
    assert code == 0
    assert out.startswith("SKIPPED ios")
    assert reason in err
    assert _run("check", machine, CI="true")[0] == 1
