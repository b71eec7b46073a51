"""The (face, embedding) pairs that 8-bit ranges are measured on: built in, or the user's faces.

They are faces, never noise: activations on noise differ from those on faces, so its ranges would
clip values or waste levels.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.faces import faces_in
from model.contract import Calibration
from model.errors import BadInput, ImageError
from model.tensors import Signature
from pipeline.faces.portraits import varied
from pipeline.progress import counted
from pipeline.tensor import inputs_for

if TYPE_CHECKING:
    from model.mobilefacenet import MobileFaceNet

BUILT_IN = "built-in portraits"
BUILT_IN_PAIRS = 48
FOLDER_PAIRS = 256
_MIN_CONTRAST = 4.0  # standard deviation in levels; a face has 30 and more
_SEED = 2204_08339  # not the seed of the parity samples, so that no pair is in both


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """Pairs to calibrate on.

    Attributes:
        name: what the manifest calls the set.
        faces: aligned faces, (F, H, W, 3) uint8 RGB.
        embeddings: unit embeddings, (N, E) float32; pair i is face i modulo F with embedding i.
        skipped: how many files of the folder could not be used, by reason.
    """

    name: str
    faces: NDArray[np.uint8]
    embeddings: NDArray[np.float32]
    skipped: dict[str, int]

    def __len__(self) -> int:
        return len(self.embeddings)

    def face(self, i: int) -> NDArray[np.uint8]:
        """The face of pair `i`, (H, W, 3) uint8 RGB."""
        return self.faces[i % len(self.faces)]

    def feed(self, signature: Signature, i: int) -> dict[str, NDArray[Any]]:
        """The inputs of a model file for pair `i`, by name."""
        return inputs_for(signature.inputs, self.face(i), self.embeddings[i : i + 1])

    @property
    def sha256(self) -> str:
        """Hash of all faces and embeddings: two sets with one hash give the same ranges."""
        sha = hashlib.sha256(np.ascontiguousarray(self.faces).tobytes())
        sha.update(np.ascontiguousarray(self.embeddings).tobytes())
        return sha.hexdigest()

    def record(self) -> Calibration:
        """What the manifest keeps of it."""
        return Calibration(self.name, len(self), len(self.faces), self.sha256)


def built_in(
    face_size: int, embedding_size: int, encoder: MobileFaceNet | None, count: int = BUILT_IN_PAIRS
) -> CalibrationSet:
    """The two public-domain portraits, varied, crossed with random and with their own identities.

    Args:
        face_size: edge of the aligned faces in pixels.
        embedding_size: length of the embeddings.
        encoder: adds the identities of the portraits; without it all are random.
        count: how many pairs.
    """
    faces = np.stack(varied(count, face_size, seed=_SEED))
    return CalibrationSet(BUILT_IN, faces, _cross(faces, count, embedding_size, encoder), {})


def from_folder(
    folder: Path,
    face_size: int,
    embedding_size: int,
    encoder: MobileFaceNet | None,
    *,
    bar: bool = False,
) -> CalibrationSet:
    """The faces of a folder and of those below it, crossed with identities.

    Pictures of exactly `face_size` px are taken for aligned faces; in others faces are found and
    aligned. Every second pair has the identity of another face where there is an encoder; the
    other identities are random.

    Args:
        folder: holds photos or aligned faces, of any kind that `pipeline.media.photo` reads.
        face_size: edge of an aligned face in pixels.
        embedding_size: length of the embeddings.
        encoder: tells the faces' identities.
        bar: show the progress on stderr.

    Raises:
        BadInput: the folder cannot be read, or no picture in it can be used.
        BackendUnavailable: there are photos, and the face detector is not installed.
    """
    from pipeline.media.photo import READABLE

    faces: list[NDArray[np.uint8]] = []
    skipped: Counter[str] = Counter()
    paths, others = _pictures(folder)
    if others:
        skipped["of another kind"] = others
    paths = paths[: 4 * FOLDER_PAIRS]
    for i in counted(len(paths), "searched for faces", shown=bar, unit="photo"):
        if len(faces) >= FOLDER_PAIRS:
            break
        found = _read(paths[i], face_size)
        if isinstance(found, str):
            skipped[found] += 1
        else:
            faces += found
    if not faces:
        why = ", ".join(f"{count} {reason}" for reason, count in skipped.items())
        raise BadInput(
            f"{folder} holds no face to calibrate on ({why or 'no pictures'}); expected photos of "
            f"people, or aligned faces of {face_size}x{face_size} px, as {', '.join(READABLE)}. "
            "Without --calibration a built-in set is used"
        )
    stacked = np.stack(faces[:FOLDER_PAIRS])
    embeddings = _cross(stacked, FOLDER_PAIRS, embedding_size, encoder)
    return CalibrationSet(folder.resolve().name, stacked, embeddings, dict(skipped))


def _cross(
    faces: NDArray[np.uint8], count: int, embedding_size: int, encoder: MobileFaceNet | None
) -> NDArray[np.float32]:
    """`count` unit embeddings, (count, E): every second one of a face, but not of the pair's."""
    rng = np.random.default_rng(_SEED)
    embeddings = rng.standard_normal((count, embedding_size)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    if encoder is not None:
        from model.wrap import embed

        for i in range(0, count, 2):
            embeddings[i] = embed(encoder, faces[(i + 1) % len(faces)])[0]
    return embeddings


def _pictures(folder: Path) -> tuple[list[Path], int]:
    """The picture files below a folder, by content or name, and how many other files there are."""
    from pipeline.media.kinds import kind_of
    from pipeline.media.photo import READABLE

    if not folder.is_dir():
        kind = "is not a folder" if folder.exists() else "does not exist"
        raise BadInput(
            f"{folder} {kind}; expected a folder of photos or aligned faces for --calibration"
        )
    try:
        list(folder.iterdir())
        files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name[0] != ".")
    except OSError as error:
        raise BadInput(
            f"{folder} cannot be read ({error.strerror}); expected a folder of photos. "
            "Give yourself the right to read it"
        ) from None
    pictures = [p for p in files if p.suffix.lower() in READABLE or kind_of(p) == "photo"]
    return pictures, len(files) - len(pictures)


def _read(path: Path, face_size: int) -> list[NDArray[np.uint8]] | str:
    """The aligned faces of a picture file, (H, W, 3) uint8 RGB each, or why there are none."""
    try:
        faces = faces_in(path, face_size, thorough=False)
    except ImageError as error:
        return "too large" if "too large" in str(error) else "unreadable"
    if not faces:
        return "without a face"
    return [face for face in faces if face.std() >= _MIN_CONTRAST] or "blank"
