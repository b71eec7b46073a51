"""Sources of a swap: names, photos and identities, and swappers that threads share."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from doubles import IDENTITY, MeanColour, Painter, needs_detector, portrait, swapper
from PIL import Image

from model.aligned_face import face_template
from model.contract import Align
from model.errors import BadInput, ImageError
from pipeline.cli import main
from pipeline.faces.detect import Detector
from pipeline.faces.face import Face, align_matrix
from pipeline.faces.facemesh import turned_aside
from pipeline.files import spare, swap_folder, swap_photo
from pipeline.media import photo
from pipeline.people import load_identity, person, photos_of
from pipeline.request import Outcome, Request
from pipeline.swap import FaceSwapper


def test_many_photos_in_one_source_are_longer_than_a_name_may_be() -> None:
    names = [f"photo-{i:04d}-of-me.jpg" for i in range(25)]
    assert photos_of(",".join(names)) == [Path(name) for name in names]


@pytest.mark.parametrize("source", ["x" * 300, "a\0b.jpg", "x" * 300 + ".npy"])
def test_a_name_that_no_file_can_have_is_refused_in_words(source: str) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        person(FaceSwapper(Painter(np.copy), MeanColour, None), source)  # type: ignore[arg-type]


def test_a_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert photos_of("~/a.jpg,~/b.jpg") == [Path("/home/me/a.jpg"), Path("/home/me/b.jpg")]


def test_a_home_folder_is_expanded_after_an_equals_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "me.jpg").touch()
    command = ["~/me.jpg", "~/me.jpg", "--output=~/me.jpg", "--bundle=~/none"]
    assert main(command) == 2
    assert f"{tmp_path / 'me.jpg'} was given" in capsys.readouterr().err


def test_an_output_that_is_a_link_is_replaced_and_its_goal_kept(tmp_path: Path) -> None:
    (tmp_path / "goal.png").write_bytes(b"mine")
    (tmp_path / "out.png").symlink_to(tmp_path / "goal.png")
    image = np.zeros((9, 9, 3), np.uint8)
    photo.write(tmp_path / "out.png", photo.Photo(image), image)
    assert (tmp_path / "goal.png").read_bytes() == b"mine"
    assert not (tmp_path / "out.png").is_symlink()


def test_a_name_too_long_for_a_result_does_not_end_a_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for stem in ("a", "b" * 250):
        Image.new("RGB", (9, 9)).save(tmp_path / "in" / f"{stem}.gif")
    Image.new("RGB", (9, 9)).save(tmp_path / "in" / f"{'b' * 250}.bmp")
    refused: list[str] = []

    def copy(target: Path, output: Path) -> Outcome:
        spare(output, [target])
        taken = photo.read(target)
        photo.write(output, taken, taken.image)
        return Outcome(output, {})

    done = swap_folder(
        tmp_path / "in", tmp_path / "out", copy, lambda file, error: refused.append(str(error))
    )
    assert len(done) + len(refused) == 3
    assert all("File name too long" in why for why in refused)


@pytest.mark.parametrize("name", ["out.jpg", "out.HEIC", "out.mp4", "out.avi"])
def test_a_folder_s_results_do_not_go_into_a_folder_named_as_a_file(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    assert main(["me.jpg", str(tmp_path / "photos"), "-o", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert "give a folder with -o" in error
    assert error.count("\n") == 1
    assert not (tmp_path / name).exists()


def test_the_target_may_come_after_flags(tmp_path: Path, capsys) -> None:
    target = tmp_path / "target.jpg"
    target.write_bytes(b"mine")
    assert main(["me.jpg", "--threads", "1", str(target), "-o", str(target)]) == 2
    assert "would overwrite it" in capsys.readouterr().err


def test_an_identity_of_another_length_is_normalised_with_a_note(tmp_path: Path) -> None:
    np.save(tmp_path / "me.npy", 2 * IDENTITY)
    notes: list[str] = []
    np.testing.assert_array_equal(load_identity(tmp_path / "me.npy", 4, notes.append), IDENTITY)
    assert "has L2 norm 2" in notes[0]


def _header(text: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        _header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999,)}\n"),
        _header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}\n"),
        _header(b"{'descr': '<f4', 'shape': (4,)}\n"),
        _header(b"(" * 500),
        _header(b"\xff\xfe{\n"),
        b"PK\x03\x04" + bytes(30),
        _header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}\n") + bytes(3),
    ],
    ids=["huge", "negative", "no order", "deep", "bytes", "zip", "cut"],
)
def test_a_damaged_identity_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "me.npy").write_bytes(content)
    with pytest.raises(BadInput):
        load_identity(tmp_path / "me.npy", 4)


@needs_detector
def test_several_faces_in_a_source_are_noted(tmp_path: Path) -> None:
    picture = np.full((600, 1100, 3), 90, np.uint8)
    picture[:512, :512], picture[:, 560:1072] = portrait(1), portrait(0)
    Image.fromarray(picture).save(tmp_path / "two.png")
    notes: list[str] = []
    person(swapper(), str(tmp_path / "two.png"), notes.append)
    assert notes == [f"{tmp_path / 'two.png'}: the source shows 2 faces; the largest is taken"]


class Alone:
    """Fails where two threads are inside at once; a thread stays long enough for others to come."""

    def __init__(self) -> None:
        self._busy = threading.Lock()

    def __enter__(self) -> None:
        assert self._busy.acquire(blocking=False), "two threads run one model"
        time.sleep(0.01)

    def __exit__(self, *_: object) -> None:
        self._busy.release()


def test_threads_may_share_a_swapper() -> None:
    painting, embedding, opened = Alone(), Alone(), []

    def paint(face: np.ndarray) -> np.ndarray:
        with painting:
            return 255 - face

    class Encoder(MeanColour):
        def __init__(self) -> None:
            super().__init__()
            opened.append(self)

        def run(self, face: np.ndarray) -> dict[str, np.ndarray]:
            with embedding:
                return super().run(face)

    shared = FaceSwapper(Painter(paint), Encoder, None)  # type: ignore[arg-type]
    faces = [np.full((shared.size, shared.size, 3), level, np.uint8) for level in range(0, 240, 30)]

    def work(face: np.ndarray) -> np.ndarray:
        return shared.generate(face, shared.embed(face))

    with ThreadPoolExecutor(4) as pool:
        for face, result in zip(faces, pool.map(work, faces), strict=True):
            np.testing.assert_array_equal(result, 255 - face)
    assert len(opened) == 1


@needs_detector
def test_threads_may_share_the_models_of_a_bundle(bundle: Path) -> None:
    shared = FaceSwapper.load(bundle, threads=1)
    small = np.ascontiguousarray(portrait(1)[:300, 100:400])

    def work(_: int) -> np.ndarray:
        return shared.swap(small, shared.identity(small))

    wanted = work(0)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(work, range(8)):
            np.testing.assert_array_equal(result, wanted)


def turned(face: Face, angle_deg: float) -> Face:
    """The face on a head that turns aside: cheeks come together, and the nose wanders off."""
    across = face.mesh[454] - face.mesh[234]
    length, middle = float(np.linalg.norm(across)), (face.mesh[454] + face.mesh[234]) / 2
    mesh = face.mesh.copy()
    nearer = np.radians(angle_deg)
    for cheek in (234, 454):
        mesh[cheek] = middle + (mesh[cheek] - middle) * np.cos(nearer)
    mesh[1] = mesh[1] + across / length * np.sin(nearer) * length / 3
    return Face(mesh, face.score)


@needs_detector
@pytest.mark.parametrize("index", [0, 1])
def test_a_face_fades_out_as_it_turns_aside(index: int) -> None:
    (face,) = Detector().find(portrait(index))
    assert turned_aside(face.mesh) < 0.2
    weights = [turned(face, angle).frontal for angle in (0, 20, 60, 70, 80)]
    assert weights[:2] == [1, 1]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] == 0


@needs_detector
def test_a_face_seen_from_the_side_is_refused_in_words(tmp_path: Path, monkeypatch) -> None:
    double, image = swapper(), portrait(1)
    (face,) = double.find(image)
    monkeypatch.setattr(double.detector, "find", lambda *_, **__: [turned(face, 80)])
    with pytest.raises(ImageError, match="seen from the side"):
        double.swap(image, IDENTITY)
    Image.fromarray(image).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match="seen from the side"):
        swap_photo(double, tmp_path / "a.png", tmp_path / "b.png", Request((IDENTITY,)))
    monkeypatch.setattr(double.detector, "find", lambda *_, **__: [face, turned(face, 80)])
    both = Request((IDENTITY,), faces="all")
    outcome = swap_photo(double, tmp_path / "a.png", tmp_path / "b.png", both)
    assert outcome.notes == ("face 1 is seen from the side and stays as it is",)


@needs_detector
def test_the_bundles_template_is_used() -> None:
    shifted = tuple((x + 10, y) for x, y in face_template(256))
    double = FaceSwapper(Painter(np.copy), MeanColour, Detector(), align=Align(256, shifted))
    (face,) = double.find(portrait(1))
    moved = double._matrix(face, 256) - align_matrix(face, 256)
    np.testing.assert_allclose(moved, [[0, 0, 10], [0, 0, 0]], atol=1e-9)
