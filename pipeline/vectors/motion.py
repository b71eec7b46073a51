"""Vectors of the One Euro filter, and of the quantiles in result rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.face import Face
from pipeline.faces.pyramid import Pyramid
from pipeline.faces.tracking import Tracker
from pipeline.vectors.folder import Folder, numbers

_SEED = 1
_FRAMES = 24


class _Scripted:
    """A detector that sees a given mesh in every frame."""

    def __init__(self, meshes: list[NDArray[np.float64]]) -> None:
        self._meshes = iter(meshes)

    def find(self, _picture: Pyramid, **_: object) -> list[Face]:
        return [Face(next(self._meshes), 1.0)]

    def glance(self, _picture: Pyramid, known: list[Face]) -> list[Face]:
        return known

    def track(self, _picture: Pyramid, _face: Face) -> Face:
        return Face(next(self._meshes), 1.0)


def write_filter(folder: Folder) -> None:
    """A face that rests, moves, and rests again, seen with noise at uneven times."""
    rng = np.random.default_rng(_SEED)
    shape = np.array([[0, 0], [100, 0], [50, 60], [20, 100], [80, 100]], np.float64)
    where = np.concatenate([np.zeros(8), np.linspace(0, 90, 8), np.full(8, 90.0)])
    meshes = [
        np.round(shape + np.array([x, 0.5 * x]) + rng.normal(0, 0.7, shape.shape), 4) for x in where
    ]
    seconds = np.round(np.cumsum(rng.uniform(0.02, 0.06, _FRAMES)), 4)
    tracker = Tracker(_Scripted(meshes))  # type: ignore[arg-type]
    blank = Pyramid(np.zeros((64, 64, 3), np.uint8))
    smooth = [tracker.step(blank, float(at))[0][1].mesh for at in seconds]
    folder.cases(
        "one_euro",
        "Landmarks `seen` (frames x 5 x 2, pixels) at `seconds`, and `smooth`, what the tracker "
        "shows. The cutoff is 1.5 Hz + 30 Hz times the speed of the face in sizes of the face per "
        "second; the speed is low-passed at 1 Hz.",
        {"pixels": 1e-3},
        [{"seconds": seconds.tolist(), "seen": numbers(np.stack(meshes), 4),
          "smooth": numbers(np.stack(smooth))}],
    )  # fmt: skip


def write_statistics(folder: Folder) -> None:
    """Latencies, and the statistics of a result row: quantiles by linear interpolation."""
    rng = np.random.default_rng(_SEED)
    cases = []
    for latencies in ([12.5], [3.0, 1.0], rng.gamma(4, 5, 101).round(3).tolist()):
        p50, p90, p99 = np.percentile(latencies, (50, 90, 99))
        row = {
            "n": len(latencies), "mean_ms": np.mean(latencies), "p50_ms": p50, "p90_ms": p90,
            "p99_ms": p99, "min_ms": min(latencies), "max_ms": max(latencies),
        }  # fmt: skip
        stage = {name: round(float(value), 6) for name, value in row.items()}
        cases.append({"latencies_ms": latencies, "stage": stage})
    folder.cases(
        "statistics",
        "Latencies of one stage in milliseconds and their summary in a result row.",
        {"ms": 1e-5},
        cases,
    )
