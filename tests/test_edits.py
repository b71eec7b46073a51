"""Edits of faces, on the two public-domain portraits: what they change, and what they leave."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.faces.portraits import faces
from training.data.landmarks import Landmarks
from training.data.records import EDITS
from training.edits.all import EDITORS, edit
from training.edits.subject import EditedFace, EditFailed, alike
from training.edits.warp import field, moved

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def landmarks() -> Landmarks:
    return Landmarks()


@pytest.fixture(scope="module")
def portraits(landmarks: Landmarks) -> list[tuple[np.ndarray, np.ndarray]]:
    """Both, aligned at 256, with their landmarks."""
    return [(face, landmarks.find(face)) for face in faces(2)]


def changed(face: np.ndarray, edited: np.ndarray) -> np.ndarray:
    """(S, S) bool: the pixels that are not the same bit by bit."""
    return (face != edited).any(axis=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
def test_every_edit_is_drawn_from_its_seed(name, portraits) -> None:
    face, mesh = portraits[1]
    before = face.copy()
    first, again, other = (edit(name, face, mesh, seed) for seed in (0, 0, 1))
    assert first.shape == face.shape
    assert first.dtype == np.uint8
    assert (face == before).all()
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_lower_corners_keep_their_bits(name, seed, portraits) -> None:
    for face, mesh in portraits:
        touched = changed(face, edit(name, face, mesh, seed))
        assert touched.any()
        assert not touched[-16:, :16].any()
        assert not touched[-16:, -16:].any()


@pytest.mark.parametrize("name", ["glasses", "sunglasses"])
@pytest.mark.parametrize("seed", SEEDS)
def test_glasses_change_the_band_of_the_eyes_alone(name, seed, portraits) -> None:
    for face, mesh in portraits:
        touched = changed(face, edit(name, face, mesh, seed))
        eyes = mesh[[33, 133, 362, 263], 1].mean()
        rows = np.flatnonzero(touched.any(axis=1))
        unit = EditedFace(face, mesh).unit
        assert rows.min() > eyes - 0.65 * unit
        assert rows.max() < eyes + 0.65 * unit
        for corners in ([33, 133], [362, 263]):
            x, y = np.rint(mesh[corners, :2].mean(axis=0)).astype(int)
            assert touched[y - 14 : y + 14, x - 14 : x + 14].mean() > 0.5


def test_sunglasses_darken_the_eyes(portraits) -> None:
    face, mesh = portraits[1]
    edited = edit("sunglasses", face, mesh, 0)
    x, y = np.rint(mesh[[33, 133], :2].mean(axis=0)).astype(int)
    patch = np.s_[y - 10 : y + 10, x - 10 : x + 10]
    assert edited[patch].mean() < 0.7 * face[patch].mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_fat_moves_the_jaw_outwards_and_keeps_the_eyes(seed, portraits, landmarks) -> None:
    for face, mesh in portraits:
        found = landmarks.find(edit("fat", face, mesh, seed))
        wider = {
            name: np.ptp(found[pair, 0]) / np.ptp(mesh[pair, 0])
            for name, pair in {"jaw": [172, 397], "eyes": [33, 263], "mouth": [61, 291]}.items()
        }
        assert wider["jaw"] > 1.07
        # The mesh has a mean face in it: it draws eyes and mouth a little after the jaw.
        assert wider["eyes"] < 0.6 * (wider["jaw"] - 1) + 1
        assert wider["mouth"] < wider["jaw"]


def test_grin_widens_and_lifts_the_corners_of_the_mouth(portraits, landmarks) -> None:
    face, mesh = portraits[0]
    found = landmarks.find(edit("grin", face, mesh, 0))
    corners, eyes = [61, 291], [33, 263]
    assert np.ptp(found[corners, 0]) > 1.04 * np.ptp(mesh[corners, 0])
    assert np.ptp(found[eyes, 0]) == pytest.approx(np.ptp(mesh[eyes, 0]), rel=0.03)
    assert (found[corners, 1] < mesh[corners, 1] - 1).all()


def test_beard_covers_the_chin_and_spares_eyes_and_lips(portraits) -> None:
    face, mesh = portraits[1]
    subject = EditedFace(face, mesh)
    edited = edit("beard", face, mesh, 1)
    chin = np.rint(mesh[[199, 152], :2].mean(axis=0)).astype(int)
    patch = np.s_[chin[1] - 6 : chin[1] + 6, chin[0] - 6 : chin[0] + 6]
    assert edited[patch].mean() < 0.8 * face[patch].mean()
    above = subject.grid[..., 1] < 0.55
    assert not changed(face, edited)[above].any()


def test_bald_shows_skin_where_hair_was(portraits) -> None:
    face, mesh = portraits[1]
    subject = EditedFace(face, mesh)
    top = subject.inside(subject.at(10))[0, 1]
    x, y = subject.grid[..., 0], subject.grid[..., 1]
    head = (np.abs(x) < 0.3) & (y < top - 0.2) & (y > top - 0.5)
    edited = edit("bald", face, mesh, 0)
    before, after = (
        alike(picture.astype(np.float32), subject.skin, (28, 14, 16), 1.5, 0.5)[head].mean()
        for picture in (face, edited)
    )
    assert after > before + 0.2
    assert not changed(face, edited)[y > 0.5].any()


def test_fringe_hides_the_forehead_only(portraits) -> None:
    face, mesh = portraits[1]
    subject = EditedFace(face, mesh)
    touched = changed(face, edit("fringe", face, mesh, 0))
    assert touched[np.hypot(subject.grid[..., 0], subject.grid[..., 1] + 0.3) < 0.15].mean() > 0.5
    assert not touched[subject.grid[..., 1] > 0.8].any()


def test_a_bald_head_takes_no_fringe_and_is_not_made_bald(portraits, landmarks) -> None:
    face, mesh = portraits[1]
    bald = edit("bald", face, mesh, 0)
    bald[: round(mesh[10, 1]) + 8] = np.rint(EditedFace(face, mesh).skin)
    for name in ("fringe", "bald"):
        with pytest.raises(EditFailed, match="bald"):
            edit(name, bald, mesh, 0)


def test_an_edit_that_changes_nothing_is_refused(portraits, monkeypatch) -> None:
    face, mesh = portraits[0]
    monkeypatch.setitem(EDITORS, "grin", lambda subject, _random: subject.pixels)
    with pytest.raises(EditFailed, match="nothing changed"):
        edit("grin", face, mesh, 0)


def test_a_warp_moves_what_is_near_and_nothing_else(portraits) -> None:
    face, mesh = portraits[0]
    subject = EditedFace(face, mesh)
    moves = np.zeros((468, 2))
    moves[152] = (0, 5)
    shift = field(subject, moves, 0.4)
    x, y = mesh[152, :2]
    rows, columns = np.mgrid[:256, :256]
    far = np.hypot(columns - x, rows - y - 5) > 0.4 * subject.unit + 8
    assert (shift[far] == 0).all()
    # The field at the landmark's new place points back to where it was.
    assert shift[round(y) + 5, round(x)] == pytest.approx((0, -5), abs=1.5)
    warped = moved(subject.pixels, shift)
    assert (warped[far] == subject.pixels[far]).all()


def test_head_axes_there_and_back(portraits) -> None:
    for face, mesh in portraits:
        subject = EditedFace(face, mesh)
        places = subject.inside(mesh[:, :2])
        assert subject.outside(places) == pytest.approx(mesh[:, :2])
        assert places[9] == pytest.approx((0, 0))
        assert places[152, 1] > 1.3  # the chin is below the brows
        assert subject.grid[int(mesh[152, 1]), int(mesh[152, 0])] == pytest.approx(
            places[152], abs=0.05
        )
