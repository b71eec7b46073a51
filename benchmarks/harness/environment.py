"""Describe this machine and this toolkit for a result row."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.harness.rows import App, Device

_ROOT = Path(__file__).resolve().parents[2]
# Instruction sets that multiply and add 8-bit numbers at once; without one, int8 gains little.
DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}
_WIDE = {"avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16"}
_TOOLS = ("torch", "onnxruntime", "ai-edge-litert", "coremltools", "numpy")


def device() -> Device:
    """This machine."""
    return Device(
        model=platform.machine(),
        os=f"{platform.system()} {platform.release()}",
        soc=_processor(),
        cores=cores(),
    )


def app() -> App:
    """Version of this toolkit, and its commit where it is a git clone."""
    return App(_version("mobilefsgan-toolkit") or "unknown", _commit())


def tools(names: tuple[str, ...] = _TOOLS) -> dict[str, str]:
    """Installed versions, by package."""
    found = {name: _version(name) for name in names}
    return {name: known for name, known in found.items() if known}


def cores() -> int:
    """Cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def now() -> str:
    """Date and time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _processor() -> str:
    """Name and the instruction sets that decide how fast a network runs."""
    shown = sorted(_instruction_sets() & (DOT_PRODUCTS | _WIDE))
    return " ".join([_processor_name(), *([f"({' '.join(shown)})"] if shown else [])])


def _instruction_sets() -> set[str]:
    if sys.platform == "darwin":  # every Apple processor has them
        return {"asimddp"} if platform.machine() == "arm64" else set()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    flags = (line for line in lines if line.startswith(("flags", "Features")))
    return set(next(flags, "").partition(":")[2].split())


def _processor_name() -> str:
    if sys.platform == "darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _commit() -> str:
    if not (_ROOT / ".git").exists():  # installed, perhaps inside the repository of something else
        return "unknown"
    return _output("git", "-C", str(_ROOT), "rev-parse", "--short", "HEAD") or "unknown"


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
