"""The (face, embedding) pairs that 8-bit ranges are measured on: built in, or the user's faces.

Never noise: a network's activations on noise are not those on faces, and ranges taken from it
would clip or waste levels.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.proof.samples import embed
from export.stages import progress
from model.contract import Calibration
from model.errors import BadInput, ImageError
from model.tensors import Signature
from pipeline.faces.portraits import varied
from pipeline.tensor import to_tensor

if TYPE_CHECKING:
    from model.mobilefacenet import MobileFaceNet

BUILT_IN = "built-in portraits"
BUILT_IN_PAIRS = 48
FOLDER_PAIRS = 256
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_MAX_PIXELS = 64_000_000  # a phone's largest photo; anything above is a scan or an attack
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

    def feed(self, border: Signature, i: int) -> dict[str, NDArray[Any]]:
        """The inputs of a model file for pair `i`, by name."""
        return {
            spec.name: to_tensor(self.face(i), spec) if spec.color else self.embeddings[i : i + 1]
            for spec in border.inputs
        }

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

    Pictures of exactly `face_size` px are taken for aligned faces; in others faces are looked for
    and aligned. Each face meets another face's identity where there is an encoder, and random ones.

    Args:
        folder: holds photos or aligned faces as picture files; grey ones count as RGB.
        face_size: edge of an aligned face in pixels.
        embedding_size: length of the embeddings.
        encoder: tells the faces' identities.
        bar: show the progress on stderr.

    Raises:
        BadInput: the folder cannot be read, or no picture in it can be used.
        BackendUnavailable: there are photos, and the face detector is not installed.
    """
    faces: list[NDArray[np.uint8]] = []
    skipped: Counter[str] = Counter()
    paths = _pictures(folder)[: 4 * FOLDER_PAIRS]
    for i in progress(len(paths), "faces to calibrate on", bar):
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
            f"people, or aligned faces of {face_size}x{face_size} px, as {', '.join(_SUFFIXES)}. "
            "Without --calibration a built-in set is used"
        )
    stacked = np.stack(faces[:FOLDER_PAIRS])
    embeddings = _cross(stacked, FOLDER_PAIRS, embedding_size, encoder)
    return CalibrationSet(folder.resolve().name, stacked, embeddings, dict(skipped))


def _cross(
    faces: NDArray[np.uint8], count: int, embedding_size: int, encoder: MobileFaceNet | None
) -> NDArray[np.float32]:
    """`count` unit embeddings, (count, E): every second one a face's own, but for another face."""
    rng = np.random.default_rng(_SEED)
    embeddings = rng.standard_normal((count, embedding_size)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    if encoder is not None:
        for i in range(0, count, 2):
            embeddings[i] = embed(encoder, faces[(i + 1) % len(faces)])[0]
    return embeddings


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        kind = "is not a folder" if folder.exists() else "does not exist"
        raise BadInput(
            f"{folder} {kind}; expected a folder of photos or aligned faces for --calibration"
        )
    try:
        list(folder.iterdir())
        return sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise BadInput(
            f"{folder} cannot be read ({error.strerror}); expected a folder of photos. "
            "Give yourself the right to read it"
        ) from None


def _read(path: Path, face_size: int) -> list[NDArray[np.uint8]] | str:
    """The aligned faces of a picture file, (H, W, 3) uint8 RGB each, or why there are none."""
    from PIL import Image

    from pipeline.media import photo

    try:
        with Image.open(path) as image:
            if image.width * image.height > _MAX_PIXELS:
                return "too large"
        picture = photo.read(path).image
    except (ImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "unreadable"
    if picture.std() < _MIN_CONTRAST:
        return "blank"
    if picture.shape[:2] == (face_size, face_size):
        return [picture]
    from pipeline.faces.detect import aligned_faces

    return aligned_faces(picture, face_size, thorough=False) or "without a face"
