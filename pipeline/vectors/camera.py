"""Vectors of camera pictures: YUV planes to an upright RGB picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from pipeline.vectors.folder import Folder

_SEED = 2
_SIZES = ((8, 6), (7, 5), (5, 8))  # width and height; odd ones share chroma with a missing pixel


def write_yuv(folder: Folder) -> None:
    """Random planes at even and odd sizes, by Pillow's YCbCr, at all turns and mirrored."""
    rng = np.random.default_rng(_SEED)
    cases = []
    for width, height in _SIZES:
        y = rng.integers(0, 256, (height, width), np.uint8)
        half = ((height + 1) // 2, (width + 1) // 2)
        u, v = (rng.integers(0, 256, half, np.uint8) for _ in range(2))
        whole = [plane.repeat(2, axis=0).repeat(2, axis=1)[:height, :width] for plane in (u, v)]
        # JFIF is BT.601 in full range, as the planes of Android's YUV_420_888 are.
        picture = Image.fromarray(np.stack([y, *whole], axis=-1), "YCbCr")
        rgb = np.asarray(picture.convert("RGB"))
        for quarters in range(4):
            for mirror in (False, True):
                turned = np.rot90(rgb, -quarters)
                shown = turned[:, ::-1] if mirror else turned
                cases.append(
                    {
                        "width": width,
                        "height": height,
                        "y": y.tolist(),
                        "u": u.tolist(),
                        "v": v.tolist(),
                        "rotation_deg": 90 * quarters,
                        "mirror": mirror,
                        "result": shown.tolist(),
                    }
                )
    folder.cases(
        "yuv",
        "Planes `y` (height x width) and `u`, `v` (half of that, rounded up) of a camera, 0 to 255 "
        "in full range. `result` is the RGB picture, turned clockwise by `rotation_deg`, then with "
        "left and right exchanged where `mirror`. A chroma sample counts for its 2 x 2 pixels. An "
        "app replays it with every row stride and pixel stride that its camera may use.",
        {"max_abs_levels": 1},
        cases,
    )
