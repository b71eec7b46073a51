"""What int8 is calibrated on: the built-in set and the user's folder."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from export.quantize.calibration import BUILT_IN, built_in, from_folder
from model.errors import BadInput
from pipeline.faces.portraits import faces, varied

SIZE, EMBEDDING_SIZE = 64, 16


def save(folder: Path, name: str, picture: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    Image.fromarray(picture).save(folder / name)


def test_the_built_in_set_is_reproducible_and_says_what_it_is() -> None:
    record = built_in(SIZE, EMBEDDING_SIZE, None, 4).record()
    assert record == built_in(SIZE, EMBEDDING_SIZE, None, 4).record()
    assert (record.set, record.pairs, record.faces) == (BUILT_IN, 4, 4)


def test_its_embeddings_are_unit_vectors_and_all_different() -> None:
    embeddings = built_in(SIZE, EMBEDDING_SIZE, None, 8).embeddings
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
    assert len(np.unique(embeddings, axis=0)) == 8


def test_no_variation_is_the_plain_portrait_that_parity_uses() -> None:
    plain = faces(2, SIZE)
    assert all((a != b).any() for a in varied(6, SIZE) for b in plain)


def test_aligned_faces_of_a_folder_are_used_and_the_rest_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for i, face in enumerate(faces(3, SIZE)):
        save(folder, f"{i}.png", face)
    save(folder, "photo.png", np.tile(np.arange(120, dtype=np.uint8)[:, None], (90, 1, 3)))
    save(folder, "blank.png", np.full((SIZE, SIZE, 3), 128, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "notes.txt").write_text("who is on the photos")
    found = from_folder(folder, SIZE, EMBEDDING_SIZE, None)
    assert found.record().set == "mine"
    assert len(found.faces) == 3
    left_out = {"without a face": 1, "blank": 1, "unreadable": 1, "of another kind": 1}
    assert found.skipped == left_out


def test_the_content_tells_what_is_a_picture(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    for name, kind in {"IMG_0001.jpg": "HEIF", "b.jfif": "JPEG", "c": "PNG"}.items():
        (tmp_path / name).touch()
        Image.fromarray(faces(1, SIZE)[0]).save(tmp_path / name, kind)
    found = from_folder(tmp_path, SIZE, EMBEDDING_SIZE, None)
    assert (len(found.faces), found.skipped) == (3, {})


def test_faces_in_photos_are_found_and_aligned(tmp_path: Path) -> None:
    from skimage import data

    save(tmp_path / "p", "astronaut.png", data.astronaut())
    (found,) = from_folder(tmp_path / "p", 256, EMBEDDING_SIZE, None).faces
    # The portrait's points were found with another detector: the two cuts differ by a few pixels.
    (_, known) = faces(2, 256)
    assert np.corrcoef(found.ravel(), known.ravel())[0, 1] > 0.95


def test_a_grey_face_counts_as_rgb(tmp_path: Path) -> None:
    grey = np.asarray(Image.fromarray(faces(1, SIZE)[0]).convert("L"))
    save(tmp_path / "g", "grey.png", grey)
    assert from_folder(tmp_path / "g", SIZE, EMBEDDING_SIZE, None).faces.shape == (1, SIZE, SIZE, 3)


def test_a_huge_picture_is_left_out_before_it_is_decoded(tmp_path: Path) -> None:
    (tmp_path / "h").mkdir()
    Image.new("1", (12000, 12000)).save(tmp_path / "h" / "huge.png")
    with pytest.raises(BadInput, match="1 too large"):
        from_folder(tmp_path / "h", SIZE, EMBEDDING_SIZE, None)


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_a_folder_that_gives_nothing_is_refused_in_clear_words(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "x"
    if kind == "file":
        place.write_text("x")
    if kind == "empty":
        place.mkdir()
    words = {"missing": "does not exist", "file": "is not a folder", "empty": "no pictures"}
    with pytest.raises(BadInput, match=words[kind]):
        from_folder(place, SIZE, EMBEDDING_SIZE, None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every folder")
def test_a_folder_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "x"
    place.mkdir(mode=0)
    with pytest.raises(BadInput, match="cannot be read"):
        from_folder(place, SIZE, EMBEDDING_SIZE, None)
