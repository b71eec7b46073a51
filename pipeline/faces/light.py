"""Give a swapped face the light and the colours of the face that it replaces."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.pyramid import Image8

Mask = NDArray[np.float32]

_GAIN = (0.6, 1.6)  # how far contrast may be changed to match; more would amplify noise
_STEP = 3  # every third row and column of a face is enough to measure its tone
_BINS = 32  # of luma
_STRAY = 1.5  # chroma may stray that many times as far from the target's tone as the target's does
_EXACT = 1e-3


class Tone(NamedTuple):
    """The chroma that each luma has on a face: none where it is grey, brown where it is sepia.

    Attributes:
        luma: (N,) float, increasing, in levels.
        chroma: (N, 2) float, the mean red and blue difference at each of `luma`, in levels.
        stray: root mean square distance of the face's chroma to that, in levels.
    """

    luma: NDArray[np.float64]
    chroma: NDArray[np.float64]
    stray: float


def match_light(swapped: Image8, aligned: Image8, mask: Mask) -> Image8:
    """`swapped` with the mean, the contrast and the tone that `aligned` has under `mask`.

    Mean and contrast are matched per channel (Reinhard et al., 2001). That leaves chroma on a face
    that has none, in a grey photo for one: the chroma of every pixel is then moved towards the
    target's tone, until it strays from it about as much as the target's own.

    Args:
        swapped: (S, S, 3) uint8 RGB.
        aligned: (S, S, 3) uint8 RGB.
        mask: (S, S) float32; what lies above 0.5 is measured.

    Returns:
        (S, S, 3) uint8 RGB.
    """
    under = (mask[::2] > 0.5).astype(np.uint8)  # every other row tells as much
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
    """The tone of (N, 3) float32 luma, red and blue difference, at least one row."""
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
    """(H, W, 3) float32 luma in 0..255, red and blue difference about 0.5, of uint8 RGB."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2YCrCb), np.float32)


def _stray(colours: NDArray[np.float32], of: Tone) -> float:
    """Root mean square distance of (N, 3) colours' chroma to a tone."""
    away = [
        colours[:, 1 + i] - np.interp(colours[:, 0], of.luma, of.chroma[:, i]) for i in range(2)
    ]
    return float(np.sqrt(np.mean(np.square(away))))
