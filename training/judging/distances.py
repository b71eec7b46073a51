"""Measures on sets of embeddings: Fréchet distance and retrieval."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def frechet(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Fréchet distance of the Gaussians that fit two sets of vectors (Dowson and Landau, 1982).

    FID is this distance over Inception features; over other features it is not FID, and its size
    compares only with distances over the same features and as many samples.

    Args:
        a: (N, D) float, N >= 2.
        b: (M, D) float, M >= 2.

    Returns:
        |mean difference|² + trace(A + B - 2 (A B)^½), at least 0.
    """
    a64, b64 = np.asarray(a, np.float64), np.asarray(b, np.float64)
    apart = float(((a64.mean(axis=0) - b64.mean(axis=0)) ** 2).sum())
    cov_a = np.atleast_2d(np.cov(a64, rowvar=False))
    cov_b = np.atleast_2d(np.cov(b64, rowvar=False))
    # The trace of (A B)^½ is that of (A^½ B A^½)^½, which is symmetric and has real roots.
    root = _root(cov_a)
    overlap = float(np.trace(_root(root @ cov_b @ root)))
    return max(0.0, apart + float(np.trace(cov_a) + np.trace(cov_b)) - 2 * overlap)


def retrieval_top1(
    found: NDArray[Any], gallery: NDArray[Any], who: NDArray[Any], people: NDArray[Any]
) -> float:
    """The share of rows whose nearest row of the gallery shows the right person, 0..1.

    Args:
        found: (N, D) unit vectors.
        gallery: (M, D) unit vectors.
        who: (N,) whom each row of `found` should show.
        people: (M,) whom each row of the gallery shows.
    """
    nearest = (found @ gallery.T).argmax(axis=1)
    return float((people[nearest] == who).mean())


def _root(symmetric: NDArray[np.float64]) -> NDArray[np.float64]:
    """The square root of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh((symmetric + symmetric.T) / 2)
    rooted: NDArray[np.float64] = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return rooted
