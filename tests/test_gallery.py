"""The pictures of the documents, drawn by stand-ins for the models."""

import numpy as np
import pytest
from doubles import needs_detector, swapper

from pipeline.gallery import details


@pytest.mark.slow
@needs_detector
def test_an_eye_of_each_portrait_without_and_with_detail() -> None:
    plain, boosted = swapper(), swapper()
    for row in details(plain, boosted):
        assert [tile.caption for tile in row] == [
            "target", "--no-detail", "--detail", "--no-detail --boost 512",
        ]  # fmt: skip
        target, blurred, detailed, _ = (tile.image for tile in row)
        assert {tile.image.shape for tile in row} == {target.shape}

        def far(image: np.ndarray, target: np.ndarray = target) -> float:
            return np.abs(image.astype(int) - target).mean()

        assert far(detailed) < far(blurred)  # 256 px do not hold what the target shows
