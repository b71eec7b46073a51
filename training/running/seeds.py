"""Seeds derived from several numbers, so that a step's randomness depends on its number alone."""

from __future__ import annotations

import numpy as np


def seed_of(*parts: int) -> int:
    """One seed from several whole numbers; different numbers or orders give different seeds."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
