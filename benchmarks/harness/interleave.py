"""Time several contenders in turns, so that a slow minute of the machine affects all alike."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from benchmarks.harness.worker import Ended, Frames, Loaded, Task
from model.errors import FaceSwapError

_ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 10


class WorkerFailed(FaceSwapError):
    """A contender could not be loaded, or crashed; the message is the reason in its row."""

    exit_code = 3


@dataclass
class Measurement:
    """The measurements of one contender; `reason` says why some are missing."""

    loaded: Loaded | None = None
    rounds: list[Frames] = field(default_factory=list)
    peak_rss_mb: float | None = None
    reason: str | None = None

    @property
    def total_ms(self) -> list[float]:
        """Latencies of all frames."""
        return [ms for frames in self.rounds for ms in frames.total_ms]

    @property
    def invoke_ms(self) -> list[float]:
        """Time of the runtime's own call within each frame."""
        return [ms for frames in self.rounds for ms in frames.invoke_ms]

    @property
    def rounds_ms(self) -> tuple[float, ...]:
        """The median of each round."""
        return tuple(float(np.median(frames.total_ms)) for frames in self.rounds)


class Worker:
    """A child process with one contender in it."""

    def __init__(self, task: Task) -> None:
        """Start it; `loaded` waits until it is ready."""
        self._log = Path(task.log)
        self._child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.harness.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=child_environment(),
            start_new_session=True,  # Ctrl-C is the parent's to handle: it keeps what was measured
        )  # fmt: skip
        self._tell(json.dumps(asdict(task)))

    def loaded(self) -> Loaded:
        """Wait until the model is loaded.

        Raises:
            WorkerFailed: the model cannot be loaded, or the runtime crashed.
        """
        return Loaded(**self._answer())

    def frames(self, count: int) -> Frames:
        """Run `count` timed frames.

        Raises:
            WorkerFailed: the runtime crashed.
        """
        self._tell(str(count))
        return Frames(**self._answer())

    def end(self) -> Ended:
        """End the process, and get its peak memory.

        Raises:
            WorkerFailed: it crashed before.
        """
        assert self._child.stdin is not None
        self._child.stdin.close()
        return Ended(**self._answer())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _tell(self, line: str) -> None:
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the missing answer says it better
            self._child.stdin.write(line + "\n")
            self._child.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            code = self._child.wait()
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            words = self._log.read_text(errors="replace").strip().splitlines()
            raise WorkerFailed(f"it {how}" + (f": {words[-1][:200]}" if words else ""))
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise WorkerFailed(answer["failed"])
        return answer


def interleave(
    tasks: Sequence[Task], runs: int, rounds: int, tell: Callable[[str], None]
) -> tuple[list[Measurement], bool]:
    """Measure all tasks in turns; the order within a round moves on by one each time.

    Args:
        tasks: what to measure; one whose `frames` is False is only loaded and checked.
        runs: timed frames of each, spread over the rounds.
        rounds: how many turns each gets.
        tell: hears about the progress.

    Returns:
        A measurement per task, and whether Ctrl-C cut it short; what was measured stays.
    """
    measured = [Measurement() for _ in tasks]
    per_round = max(1, round(runs / rounds))
    with contextlib.ExitStack() as stack:
        workers: dict[int, Worker] = {}
        try:
            for i, task in enumerate(tasks):
                workers[i] = stack.enter_context(Worker(task))
                # One after another: two that load at once would slow each other down.
                with _reason_kept(measured[i], workers, i):
                    measured[i].loaded = workers[i].loaded()
                tell(f"loaded {i + 1}/{len(tasks)}")
            for turn in range(rounds):
                timed = [i for i in workers if tasks[i].frames]
                start = turn % max(1, len(timed))
                for i in timed[start:] + timed[:start]:
                    with _reason_kept(measured[i], workers, i):
                        measured[i].rounds.append(workers[i].frames(per_round))
                tell(f"round {turn + 1}/{rounds}")
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
        for i, worker in list(workers.items()):
            with _reason_kept(measured[i], workers, i):
                if not interrupted:
                    measured[i].peak_rss_mb = worker.end().peak_rss_mb
    for measurement in measured:
        if not measurement.rounds and measurement.reason is None and interrupted:
            measurement.reason = "interrupted before its first round"
    return measured, interrupted


@contextlib.contextmanager
def _reason_kept(measurement: Measurement, workers: dict[int, Worker], i: int) -> Any:
    """Record why a contender failed, remove its worker, and go on with the others."""
    try:
        yield
    except WorkerFailed as error:
        measurement.reason = str(error)
        workers.pop(i, None)


def child_environment() -> dict[str, str]:
    """This process's environment, in which a child imports this toolkit from any folder."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def scratch_log() -> Path:
    """A new temporary file for what one worker's native code prints."""
    handle, name = tempfile.mkstemp(prefix="mobilefsgan-", suffix=".log")
    os.close(handle)
    return Path(name)
