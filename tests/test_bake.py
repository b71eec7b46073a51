"""The identity that is baked in: from a photo, an aligned face or an embedding, by one rule."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from export.networks import read_identity
from model.errors import BadInput, ImageError, UsageError
from model.mobilefacenet import MobileFaceNet, MobileFaceNetConfig
from model.seeded import seeded_identity_encoder
from pipeline.faces.portraits import PORTRAITS, faces, portrait_path

SIZE = 8


@pytest.fixture(scope="module")
def encoder() -> MobileFaceNet:
    return seeded_identity_encoder(MobileFaceNetConfig(4, SIZE))


def test_a_photo_gives_nearly_the_identity_of_the_aligned_face(
    encoder: MobileFaceNet, tmp_path: Path
) -> None:
    aligned = tmp_path / "aligned.png"
    Image.fromarray(faces(2)[1]).save(aligned)
    notes: list[str] = []
    paths = (portrait_path(PORTRAITS[1]), aligned)
    found, wanted = (read_identity(path, encoder, SIZE, notes.append) for path in paths)
    assert found.shape == (1, SIZE)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert float((found * wanted).sum()) > 0.95
    assert not notes


@pytest.mark.parametrize("length", [4.0, 1e-30, 1e30, 1.0])
def test_an_embedding_of_any_length_is_divided_by_it_with_a_note(
    length: float, encoder: MobileFaceNet, tmp_path: Path
) -> None:
    direction = np.full(SIZE, SIZE**-0.5)
    np.save(tmp_path / "me.npy", direction * length)
    notes: list[str] = []
    found = read_identity(tmp_path / "me.npy", encoder, SIZE, notes.append)
    np.testing.assert_allclose(found[0], direction, rtol=1e-5)
    assert len(notes) == (length != 1)
    assert all("is divided by its norm" in note for note in notes)


def test_what_is_no_identity_is_refused(encoder: MobileFaceNet, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "grey").save(tmp_path / "empty.png")
    with pytest.raises(ImageError, match="shows no face"):
        read_identity(tmp_path / "empty.png", encoder, SIZE, print)
    with pytest.raises(BadInput, match="does not exist"):
        read_identity(tmp_path / "nothing.png", encoder, SIZE, print)
    with pytest.raises(UsageError, match="--identity CKPT"):
        read_identity(tmp_path / "empty.png", None, SIZE, print)
