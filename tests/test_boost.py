"""`--boost 512`: a face larger than the generator's picture is swapped at twice its size."""

from __future__ import annotations

import numpy as np
from doubles import IDENTITY, MeanColour, Painter, needs_detector, portrait
from PIL import Image

from pipeline.faces.detect import Detector
from pipeline.faces.paste import Blend
from pipeline.metrics import psnr_db
from pipeline.swap import FaceSwapper

pytestmark = needs_detector
ADMIRAL = portrait(0)  # the aligned face of 256 px is smaller than hers


def swapped(picture: np.ndarray, *, boost: bool) -> tuple[np.ndarray, int]:
    """The picture after a swap that copies the target, and how often the generator ran."""
    painter = Painter(np.copy)
    swapper = FaceSwapper(painter, MeanColour, Detector(), boost=boost)
    plain = Blend(detail=False)
    return swapper.swap(picture, IDENTITY, blend=plain), len(painter.identities)


def test_four_pictures_put_together_keep_more_of_the_detail_than_one() -> None:
    (plain, once), (boosted, four_times) = (swapped(ADMIRAL, boost=b) for b in (False, True))
    assert (once, four_times) == (1, 4)
    assert psnr_db(boosted, ADMIRAL, 255) > psnr_db(plain, ADMIRAL, 255) + 3


def test_a_face_that_has_no_more_detail_takes_one_run() -> None:
    small = np.asarray(Image.fromarray(ADMIRAL).reduce(2))
    assert swapped(small, boost=True)[1] == 1
