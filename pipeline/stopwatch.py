"""How long each stage of a swap takes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

_KEPT = 4096  # times per stage that the percentiles are taken of


@dataclass(slots=True)
class StageTimes:
    """The times of one stage in milliseconds; of a long video only the latest are kept."""

    n: int = 0
    sum_ms: float = 0.0
    latest_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def add(self, ms: float) -> None:
        """Count one time."""
        self.n += 1
        self.sum_ms += ms
        self.latest_ms.append(ms)


class Stopwatch:
    """Time spent in each stage: detect, align, generate, blend; any thread may add to it.

    From file to file also read and write, or decode and encode, which run beside the others.
    """

    def __init__(self) -> None:
        """Begin without any stage."""
        self.stages: dict[str, StageTimes] = {}
        self._lock = threading.Lock()

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Count the time inside the `with` block for `stage`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, (time.perf_counter() - start) * 1e3)

    def add(self, stage: str, ms: float) -> None:
        """Count a time in milliseconds for `stage`."""
        with self._lock:
            self.stages.setdefault(stage, StageTimes()).add(ms)

    def summary(self) -> dict[str, dict[str, float]]:
        """Per stage: how often, median, 90th percentile and sum, in milliseconds."""
        with self._lock:
            return {
                name: {
                    "n": stage.n,
                    "p50": round(float(np.percentile(stage.latest_ms, 50)), 3),
                    "p90": round(float(np.percentile(stage.latest_ms, 90)), 3),
                    "sum": round(stage.sum_ms, 3),
                }
                for name, stage in self.stages.items()
            }
