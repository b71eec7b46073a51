"""Vectors of similarity fits and of resampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.aligned_face import FACE_SIZE, face_template
from pipeline.faces.align import similarity
from pipeline.faces.pyramid import Pyramid
from pipeline.vectors.folder import Folder, numbers
from pipeline.vectors.scenes import scenes

_SEED = 0


def write_fits(folder: Folder) -> None:
    """Five points to the template: random similarities with noise, and the portraits' faces."""
    template, rng = np.array(face_template(FACE_SIZE)), np.random.default_rng(_SEED)
    given = [template, *(scene.face.points for scene in scenes())]
    for turn_deg, zoom in ((0, 0.25), (37, 1.5), (-120, 0.8), (180, 3.0)):
        angle = np.deg2rad(turn_deg)
        c, s = zoom * np.cos(angle), zoom * np.sin(angle)
        turned = template @ np.array([[c, s], [-s, c]]) + rng.uniform(-50, 400, 2)
        given.append(turned + rng.normal(0, zoom, template.shape))
    folder.cases(
        "fit",
        "Least-squares similarity (rotation, uniform scale, shift; never a mirror) that maps "
        "`points` (5 x 2, x and y in pixels) onto `template`; `matrix` is 2 x 3.",
        {"matrix_abs": 1e-4},
        [
            {
                "points": numbers(points),
                "template": numbers(template),
                "matrix": numbers(similarity(np.round(points, 6), np.round(template, 6)), 9),
            }
            for points in given
        ],
    )


def pattern() -> NDArray[np.uint8]:
    """A picture of smooth waves and one sharp edge, (48, 64, 3) uint8 RGB."""
    y, x, color = np.mgrid[0:48, 0:64, 0:3].astype(np.float64)
    waves = 128 + 90 * np.sin(0.13 * x + 0.3 * color) * np.cos(0.17 * y - 0.2 * color)
    waves[(x > 40) & (y > 30)] = 20
    return np.rint(waves).astype(np.uint8)


def write_warps(folder: Folder) -> None:
    """A pattern resampled bicubically (faces) and bilinearly (detectors' views)."""
    image = pattern()
    shown = folder.array("pattern", image)
    cases = []
    for number, (turn_deg, zoom, shift, smooth) in enumerate(
        (
            (0, 1.0, (0.0, 0.0), True),
            (0, 1.0, (0.5, 0.25), True),
            (25, 1.6, (6.0, -3.0), True),
            (-70, 0.9, (10.0, 40.0), True),
            (10, 0.3, (5.0, 4.0), True),
            (25, 1.6, (6.0, -3.0), False),
            (10, 0.3, (5.0, 4.0), False),
        )
    ):
        angle = np.deg2rad(turn_deg)
        c, s = zoom * np.cos(angle), zoom * np.sin(angle)
        matrix = np.array([[c, -s, shift[0]], [s, c, shift[1]]])
        result = Pyramid(image).cut(matrix, (40, 36), smooth=smooth)
        cases.append(
            {
                "image": shown,
                "matrix": numbers(matrix, 9),
                "width": 40,
                "height": 36,
                "smooth": smooth,
                "result": folder.array(f"warp-{number}", result),
            }
        )
    folder.cases(
        "warp",
        "Resample `image` (uint8 RGB) by `matrix` (2 x 3, picture to result, pixel centres at the "
        "integers) into `width` x `height`; black outside. `smooth`: bicubic, else bilinear. A "
        "picture that is shrunk is halved first as often as it fits.",
        {"mean_abs_levels": 1.0, "p99_abs_levels": 8.0},
        cases,
    )
