"""What the present bundle holds, and what a new one takes over from it or takes away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.contract import Checkpoint, Manifest, ModelSpec
from model.errors import BadInput, ContractError
from model.manifest import load_bundle
from model.place import GOLDEN_BAKED, MANIFEST_NAME
from model.untrusted import LARGEST_TEXT_BYTES, read_regular


def replaced(
    place: Path,
    checkpoint: Checkpoint,
    identity: Checkpoint | None,
    baked: NDArray[np.float32] | None,
    *,
    overwrite: bool,
) -> str:
    """What a new bundle takes away from the present one, in words; empty where nothing is lost.

    Args:
        place: where the bundle goes.
        checkpoint: the generator's weights.
        identity: the identity encoder's weights.
        baked: the identity to bake in, (1, E) float32; None for plain models.
        overwrite: the user agreed.

    Raises:
        BadInput: something would be lost, and the user did not agree.
    """
    if not (place / MANIFEST_NAME).is_file():
        return ""
    try:
        manifest = load_bundle(place)
    except ContractError as error:
        lost = f"a bundle that cannot be read: {error}"
    else:
        lost = _lost(place, manifest, checkpoint, identity, baked)
    if lost and not overwrite:
        raise BadInput(
            f"{place} holds {lost}. Give --overwrite to replace it, or another --output-dir"
        )
    return f"replaces {lost}" if lost else ""


def taken_over(
    place: Path,
    checkpoint: Checkpoint,
    identity: Checkpoint | None,
    specs: Sequence[ModelSpec],
    baked: NDArray[np.float32] | None,
) -> tuple[list[ModelSpec], Checkpoint | None]:
    """Models of the present bundle that stay, and the identity encoder that they belong to."""
    if not (place / MANIFEST_NAME).is_file():
        return [], identity
    try:
        manifest = load_bundle(place)
    except ContractError:
        return [], identity
    if _lost(place, manifest, checkpoint, identity, None):
        return [], identity
    stay = list(manifest.models)
    if any(map(is_baked, specs)) and _holds_another_identity(place, manifest, baked):
        stay = [spec for spec in stay if not is_baked(spec)]
    return stay, identity or manifest.identity_checkpoint


def is_baked(spec: ModelSpec) -> bool:
    """Whether a model is a generator for one source."""
    return spec.model == "generator" and len(spec.inputs) == 1


def _lost(
    place: Path,
    manifest: Manifest,
    checkpoint: Checkpoint,
    identity: Checkpoint | None,
    baked: NDArray[np.float32] | None,
) -> str:
    old, old_identity = manifest.checkpoint, manifest.identity_checkpoint
    if old.sha256 != checkpoint.sha256:
        return (
            f"a bundle of other weights: {old.file}, sha256 {old.sha256[:12]}, "
            f"where {checkpoint.file} has {checkpoint.sha256[:12]}"
        )
    if identity and old_identity and identity.sha256 != old_identity.sha256:
        return (
            f"a bundle with another identity encoder: {old_identity.file}, "
            f"sha256 {old_identity.sha256[:12]}"
        )
    if baked is not None and _holds_another_identity(place, manifest, baked):
        return "a generator with another identity baked in"
    return ""


def _holds_another_identity(
    place: Path, manifest: Manifest, baked: NDArray[np.float32] | None
) -> bool:
    """Whether there are baked generators of another source; one without samples counts as such."""
    if not any(is_baked(spec) for spec in manifest.models):
        return False
    try:
        there = read_regular(place / GOLDEN_BAKED / "0-embedding.bin", LARGEST_TEXT_BYTES)
    except ContractError:
        return True
    return baked is None or there != baked.astype("<f4").tobytes()
