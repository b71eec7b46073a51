"""Give a swapped face the light and the colours of the face that it replaces."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.pyramid import Image8

Mask = NDArray[np.float32]

_GAIN = (0.6, 1.6)  # bounds of the change of contrast; a larger gain would amplify noise
_STEP = 3  # the tone is measured on every third row and column of a face
_BINS = 32  # of luma
_STRAY = 1.5  # most stray of the result, in units of the target's, see `Tone`
_EXACT = 1e-3  # levels; avoids a division by zero


class Tone(NamedTuple):
    """The mean chroma of a face at each luma: 0 in a grey picture, brown in a sepia one.

    Attributes:
        luma: (N,) float64, increasing, in levels of 255.
        chroma: (N, 2) float64, mean Cr and Cb at each `luma`, in levels of 255.
        stray: root mean square distance of the pixels' chroma from that mean, in levels of 255.
    """

    luma: NDArray[np.float64]
    chroma: NDArray[np.float64]
    stray: float


def match_light(swapped: Image8, aligned: Image8, mask: Mask) -> Image8:
    """Give `swapped` the mean, the contrast and the tone of `aligned`, as measured under `mask`.

    First, mean and contrast are matched per channel (Reinhard et al., 2001). The result can have
    more chroma than the target, as in a grey photo. Therefore the chroma of every pixel is then
    moved towards the target's tone, until its stray is at most 1.5 times the target's.

    Args:
        swapped: (S, S, 3) uint8 RGB, the generator's picture.
        aligned: (S, S, 3) uint8 RGB, the target's face.
        mask: (S, S) float32 in [0, 1]; pixels above 0.5 are measured.

    Returns:
        (S, S, 3) uint8 RGB.
    """
    under = (mask[::2] > 0.5).astype(np.uint8)  # every other row is enough
    if not under.any():
        return swapped
    (mean, spread), (wanted_mean, wanted_spread) = (
        (np.asarray(m).ravel(), np.asarray(s).ravel())
        for m, s in (cv2.meanStdDev(face[::2], mask=under) for face in (swapped, aligned))
    )
    gain = (wanted_spread / np.maximum(spread, 1.0)).clip(*_GAIN)
    gain[np.abs(gain - 1) < 1e-6] = 1.0
    levels = (np.arange(256)[:, None] - mean) * gain + wanted_mean
    table = np.rint(levels.clip(0, 255)).astype(np.uint8)
    return _match_tone(np.asarray(cv2.LUT(swapped, table[None]), np.uint8), aligned, mask)


def tone(colours: NDArray[np.float32]) -> Tone:
    """The tone of pixels, (N, 3) float32 luma, Cr and Cb; at least one pixel."""
    luma, chroma = colours[:, 0], colours[:, 1:].astype(np.float64)
    bins = (luma * (_BINS / 256)).astype(int).clip(0, _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    means = [
        np.bincount(bins, values, _BINS)[counts > 0] / counts[counts > 0]
        for values in (luma, chroma[:, 0], chroma[:, 1])
    ]
    found = Tone(means[0], np.stack(means[1:], axis=1), 0.0)
    return found._replace(stray=_stray(colours, found))


def _match_tone(swapped: Image8, aligned: Image8, mask: Mask) -> Image8:
    measured = mask[::_STEP, ::_STEP] > 0.5
    if not measured.any():
        return swapped
    of_swapped, of_target = (
        _luma_chroma(np.ascontiguousarray(face[::_STEP, ::_STEP]))[measured]
        for face in (swapped, aligned)
    )
    wanted = tone(of_target)
    kept = _STRAY * wanted.stray / max(_stray(of_swapped, wanted), _EXACT)
    if kept >= 1:
        return swapped
    colours = _luma_chroma(swapped)
    for channel in (1, 2):
        target = np.interp(np.arange(256), wanted.luma, wanted.chroma[:, channel - 1])
        of_luma = cv2.LUT(np.rint(colours[..., 0]).astype(np.uint8), target.astype(np.float32))
        colours[..., channel] = of_luma + kept * (colours[..., channel] - of_luma)
    rgb = cv2.cvtColor(colours, cv2.COLOR_YCrCb2RGB)
    return np.rint(np.asarray(rgb).clip(0, 255)).astype(np.uint8)


def _luma_chroma(image: Image8) -> NDArray[np.float32]:
    """Convert (H, W, 3) uint8 RGB to float32 luma, Cr and Cb: luma in 0..255, grey at 0.5."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2YCrCb), np.float32)


def _stray(colours: NDArray[np.float32], of: Tone) -> float:
    """Root mean square distance of the chroma of (N, 3) pixels from a tone, in levels."""
    away = [
        colours[:, 1 + i] - np.interp(colours[:, 0], of.luma, of.chroma[:, i]) for i in range(2)
    ]
    return float(np.sqrt(np.mean(np.square(away))))
