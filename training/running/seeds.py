"""Seeds made of several numbers, so that a step needs no state but its own number."""

from __future__ import annotations

import numpy as np


def seed_of(*parts: int) -> int:
    """One seed from several whole numbers, none of which may run into another."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
