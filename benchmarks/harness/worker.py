"""Child process: load one model into one runtime, and time frames whenever the parent asks.

A process of its own gives each runtime its own memory figure, its own threads and its own crash.
The protocol is one JSON object a line: a `Task` comes in, `Loaded` goes out; a number of frames
comes in, `Frames` goes out; end of input, `Ended` goes out.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from model.errors import FaceSwapError


@dataclass(frozen=True, slots=True)
class Task:
    """What to load and run.

    Attributes:
        opener: "module:function", gives a backend; see `benchmarks.harness.openers`.
        arguments: of the opener.
        imports: modules to import before the clock starts: load_ms is the model's, not Python's.
        golden: folder with samples to replay; None runs on a ramp and checks nothing.
        warmup: frames before the first timed one.
        log: where native libraries' words go.
        frames: False only replays the samples: an interpreter's time means nothing.
    """

    opener: str
    arguments: dict[str, Any]
    imports: tuple[str, ...]
    golden: str | None
    warmup: int
    log: str
    frames: bool = True


@dataclass(frozen=True, slots=True)
class Loaded:
    """The model is loaded; `load_ms` is the file's time alone, `first_ms` the first frame's."""

    load_ms: float
    first_ms: float
    measured: str
    partitions: int | None
    ops: dict[str, int]
    psnr_db: float | None
    max_abs: float | None


@dataclass(frozen=True, slots=True)
class Frames:
    """Times of frames: whole, and of the runtime's own call within each."""

    total_ms: list[float] = field(default_factory=list)
    invoke_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ended:
    """The most memory that this process ever held at once."""

    peak_rss_mb: float


def main() -> int:
    """Serve one task; a user's mistake goes back as {"failed": reason}."""
    task = Task(**json.loads(sys.stdin.readline()))
    answers = _answers_apart(task.log)
    try:
        loaded, frame = _load(task)
    except FaceSwapError as error:
        _send(answers, {"failed": str(error)})
        return 0
    except Exception as error:  # runtimes raise what they like; the parent shows it as a row
        _send(answers, {"failed": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"})
        return 0
    _send(answers, asdict(loaded))
    gc.disable()  # a collection in the middle of a frame is Python's time, not the model's
    for line in sys.stdin:
        _send(answers, asdict(_timed(frame, int(line))))
        gc.collect()
    _send(answers, asdict(Ended(peak_rss_mb())))
    return 0


def peak_rss_mb() -> float:
    """The most memory this process held, in megabytes of 10^6 bytes."""
    if sys.platform == "linux":  # ru_maxrss remembers the parent's size across fork and exec
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS counts in bytes


def _answers_apart(log: str) -> TextIO:
    """Keep stdout for answers, and send whatever native code prints to the log."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(target, 1)
    os.dup2(target, 2)
    return answers


def _load(task: Task) -> tuple[Loaded, Callable[[], float]]:
    """Load, warm up, replay the samples; the figures, and a function that runs a frame."""
    from benchmarks.harness.openers import opener

    for name in task.imports:
        importlib.import_module(name)
    started = time.perf_counter()
    backend = opener(task.opener)(**task.arguments)
    load_ms = 1e3 * (time.perf_counter() - started)
    samples, feeds = _inputs(backend, task.golden)

    def frame() -> float:
        backend.run(**feeds)
        return float(backend.invoke_ms)

    first_ms = 0.0
    if task.frames:
        started = time.perf_counter()
        frame()
        first_ms = 1e3 * (time.perf_counter() - started)
        for _ in range(task.warmup - 1):
            frame()
    psnr, max_abs = _check(backend, samples)
    return (
        Loaded(
            load_ms, first_ms, backend.measured, getattr(backend, "partitions", None),
            getattr(backend, "ops_by_device", {}), psnr, max_abs,
        ),
        frame,
    )  # fmt: skip


def _inputs(backend: Any, golden: str | None) -> tuple[list[Any], dict[str, Any]]:
    """The golden samples, and the inputs to time: those of the first sample, or a ramp."""
    import numpy as np

    from export.proof.golden import feeds, read_golden

    samples = read_golden(Path(golden)) if golden else []
    if samples:
        return samples, feeds(backend.spec, samples[0])
    size = next(t.shape[1 if t.layout == "NHWC" else 2] for t in backend.spec.inputs if t.color)
    ramp = np.linspace(0, 1, size * size * 3, dtype=np.float32).reshape(size, size, 3)
    vectors = [t for t in backend.spec.inputs if not t.color]
    sample = {"target": ramp[None]}
    if vectors:
        ones = np.ones(vectors[0].shape, np.float32)
        sample["embedding"] = ones / np.linalg.norm(ones)
    return [], feeds(backend.spec, sample)


def _check(backend: Any, samples: list[Any]) -> tuple[float | None, float | None]:
    """Worst PSNR in dB and largest difference over the golden samples, pictures in [0, 1]."""
    import numpy as np

    from export.proof.golden import feeds
    from pipeline.metrics import psnr_db
    from pipeline.tensor import to_unit

    if not samples or backend.spec.model == "identity":
        return None, None
    output = backend.spec.outputs[0]
    psnrs, differences = [], []
    for sample in samples:
        picture = to_unit(backend.run(**feeds(backend.spec, sample))[output.name], output)
        psnrs.append(psnr_db(picture, sample["image"][0], peak=1.0))
        differences.append(float(np.abs(picture - sample["image"][0]).max()))
    worst, largest = float(np.min(psnrs)), float(np.max(differences))
    return (worst, largest) if np.isfinite([worst, largest]).all() else (0.0, None)


def _timed(frame: Callable[[], float], count: int) -> Frames:
    """Time `count` frames, after one untimed frame that warms the caches."""
    frame()
    timed = Frames()
    for _ in range(count):
        started = time.perf_counter()
        invoke_ms = frame()
        timed.total_ms.append(1e3 * (time.perf_counter() - started))
        timed.invoke_ms.append(invoke_ms)
    return timed


def _send(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
