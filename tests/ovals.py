"""A drawn mesh: a round face with a round mouth."""

from __future__ import annotations

import numpy as np

from pipeline.faces.facemesh import MOUTH, OVAL


def oval_mesh(centre: tuple[float, float], radius: float) -> np.ndarray:
    """A mesh whose outline is a circle, with a mouth below its middle."""
    mesh = np.tile(np.array(centre, float), (468, 1))
    for indexes, at, reach in ((OVAL, (0, 0), radius), (MOUTH, (0, radius / 2), radius / 5)):
        angle = np.linspace(0, 2 * np.pi, len(indexes), endpoint=False)
        circle = np.stack([np.sin(angle), -np.cos(angle)], axis=1) * reach
        mesh[list(indexes)] = np.array(centre) + at + circle
    return mesh
