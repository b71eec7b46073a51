"""`python -m pipeline`, from files to files, and the Python calls behind it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, run
from doubles import IDENTITY, Painter, needs_detector, portrait, swapper
from movies import film, pictures
from PIL import Image

from model.errors import BadInput, ContractError, FaceSwapError, ImageError, UsageError
from pipeline import progress
from pipeline.backends import backend_class
from pipeline.bundles import newest_bundle
from pipeline.cli import main
from pipeline.command_line import parse_pairs
from pipeline.faces.detect import Detector
from pipeline.faces.portraits import PORTRAITS, portrait_path
from pipeline.files import is_video, swap_folder, swap_photo
from pipeline.media.label import SOURCE_TYPE, source_type
from pipeline.metrics import psnr_db
from pipeline.people import assign, load_identity, save_identity
from pipeline.request import Outcome, Request
from pipeline.swap import FaceSwapper

pytestmark = needs_detector
ADMIRAL, ASTRONAUT = (portrait_path(p) for p in PORTRAITS)


@pytest.fixture(scope="module")
def couple(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both portraits in one picture; the admiral's face is the larger."""
    picture = np.full((600, 1024, 3), 90, np.uint8)
    picture[:, :512], picture[:512, 512:] = portrait(0), portrait(1)
    path = tmp_path_factory.mktemp("couple") / "couple.png"
    Image.fromarray(picture).save(path)
    return path


def request(*people: np.ndarray, **options: object) -> Request:
    return Request(people or (IDENTITY,), **options)


def packet(path: Path) -> bytes:
    with Image.open(path) as image:
        image.load()
        return image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()


def test_a_photo_is_swapped_by_one_command(bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    result = run("pipeline", ADMIRAL, ASTRONAUT, "-o", output, "--bundle", bundle, "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["files"][0]["file"] == str(output)
    assert report["files"][0]["swapped"] == 1
    assert list(report["stages_ms"]) == ["read", "detect", "align", "generate", "blend", "write"]
    assert source_type(packet(output)) == SOURCE_TYPE
    assert (np.asarray(Image.open(output)) != portrait(1)).any()


def test_a_video_is_swapped_by_one_command_and_its_stages_are_told(
    bundle: Path, tmp_path: Path
) -> None:
    clip, output = film(tmp_path / "clip.mp4", 3), tmp_path / "out.mp4"
    words = [ADMIRAL, clip, "-o", output, "--bundle", bundle, "--stages", "--badge"]
    result = run("pipeline", *words)
    assert result.returncode == 0, result.stderr
    path, _, *stages = result.stdout.splitlines()
    assert path == str(output)
    assert sorted(line.split()[:2] for line in stages) == [
        [stage, "3"] for stage in ("align", "blend", "decode", "detect", "encode", "generate")
    ]
    assert len(pictures(output)) == 3


def test_without_pytorch_and_tensorflow_the_swap_runs_all_the_same(
    bundle: Path, tmp_path: Path
) -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'tensorflow', 'onnx', 'coremltools'): sys.modules[name] = None\n"
        "from pipeline.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    words = [ADMIRAL, ASTRONAUT, "-o", tmp_path / "out.jpg", "--bundle", bundle]
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def test_help_answers_at_once_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, pipeline.cli\n"
        "heavy = {'numpy', 'cv2', 'PIL', 'av', 'ai_edge_litert'} & sys.modules.keys()\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("other", ["pytorch", "onnx", "coreml"])
def test_backends_agree_on_a_photo(
    other: str, bundle: Path, tiny_checkpoints: tuple[Path, Path], monkeypatch
) -> None:
    available = backend_class(other).available()
    if not available:
        pytest.skip(available.why)
    # A checkpoint is looked for by its hash, in folders below the working one among others.
    monkeypatch.setattr("pipeline.bundles._CHECKPOINT_FOLDERS", (tiny_checkpoints[0].parent,))
    image, source = portrait(1), portrait(0)
    pictures = []
    for name in ("tflite", other):
        loaded = FaceSwapper.load(bundle, backend=name)
        pictures.append(loaded.swap(image, loaded.identity(source)).astype(float))
    changed = (pictures[0] != image).any(axis=2)
    assert psnr_db(pictures[0][changed], pictures[1][changed], 255) >= 45


def test_an_identity_saved_is_the_identity_loaded(bundle: Path, tmp_path: Path) -> None:
    saved = tmp_path / "me.npy"
    assert run("pipeline", ADMIRAL, "--save-identity", saved, "--bundle", bundle).returncode == 0
    loaded = FaceSwapper.load(bundle)
    wanted = loaded.identity(portrait(0))
    np.testing.assert_allclose(load_identity(saved, loaded.embedding_size), wanted, atol=1e-5)


def test_several_photos_of_a_person_are_averaged() -> None:
    double = swapper()
    one, two = double.identity(portrait(0)), double.identity(portrait(1))
    both = double.identity(portrait(0), portrait(1))
    np.testing.assert_allclose(both, (one + two) / np.linalg.norm(one + two), atol=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no .npy"),
        (b"\x93NUMPY but not quite", "no .npy"),
        (np.zeros(3, np.float32), r"shape \(3,\)"),
        (np.zeros(4, np.int64), "int64"),
        (np.zeros(4, np.float32), "zero or not finite"),
        (np.full(4, np.nan, np.float32), "zero or not finite"),
        (np.array([{}]), "no .npy"),
    ],
    ids=["empty", "cut", "length", "kind", "zero", "nan", "pickle"],
)
def test_what_is_no_identity_is_refused_in_words(
    content: bytes | np.ndarray, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "me.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content, allow_pickle=True)
    with pytest.raises(BadInput, match=message):
        load_identity(path, 4)


def test_saving_an_identity_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"cannot write .*me\.npy"):
        save_identity(tmp_path / "file" / "me.npy", IDENTITY)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "swapped"),
    [
        ({}, [True, False]),
        ({"faces": "all"}, [True, True]),
        ({"faces": 2}, [True, True]),
        ({"pairs": {1: 0}}, [False, True]),
    ],
    ids=["largest", "all", "two", "map"],
)
def test_the_faces_asked_for_are_swapped(
    options: dict[str, object], swapped: list[bool], couple: Path, tmp_path: Path
) -> None:
    outcome = swap_photo(swapper(), couple, tmp_path / "out.png", request(**options))
    assert [face["swapped"] for face in outcome.report["faces"]] == swapped[
        : len(outcome.report["faces"])
    ]
    assert outcome.report["swapped"] == sum(swapped)


def test_a_map_puts_each_person_on_the_face_asked_for(couple: Path, tmp_path: Path) -> None:
    double, other = swapper(), np.array([0, 1, 0, 0], np.float32)
    crossed = request(IDENTITY, other, pairs=parse_pairs("0:1,1:0"))
    swap_photo(double, couple, tmp_path / "out.png", crossed)
    painter = double._generator
    assert isinstance(painter, Painter)
    np.testing.assert_array_equal(painter.identities, [other, IDENTITY])


def test_several_people_go_on_the_faces_in_turn() -> None:
    faces = list(enumerate(Detector().find(portrait(0)) * 3))
    assert [who for _, who in assign(faces, ("a", "b"), "all", None)] == ["a", "b", "a"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0:",
        "a:1",
        "0:1,",
        "0:1,1:1",
        "-1:0",
        "0:1:2",
        "٣:0",
        "9" * 5000 + ":0",
        "0:" + "9" * 5000,
    ],
)
def test_a_map_that_does_not_read_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--map") as refused:
        parse_pairs(text)
    assert len(str(refused.value)) < 200


def test_a_map_of_a_person_that_is_not_there_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="source 1; there are 1"):
        request(pairs={0: 1})


def test_a_map_of_a_face_that_is_not_there_says_how_many_there_are(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="1 found"):
        swap_photo(swapper(), ASTRONAUT, tmp_path / "out.png", request(pairs={5: 0}))


def test_a_map_of_one_face_too_many_is_noted(tmp_path: Path) -> None:
    both = request(pairs={0: 0, 5: 0})
    outcome = swap_photo(swapper(), ASTRONAUT, tmp_path / "out.png", both)
    assert outcome.notes == ("--map names face 5; 1 found, largest is 0",)


def test_a_photo_without_a_face_ends_in_one_line_and_writes_nothing(
    bundle: Path, tmp_path: Path
) -> None:
    blank, output = tmp_path / "blank.png", tmp_path / "out.png"
    Image.new("RGB", (300, 200), (90, 120, 90)).save(blank)
    result = run("pipeline", ADMIRAL, blank, "-o", output, "--bundle", bundle)
    assert result.returncode == 4
    assert result.stderr.startswith("error: ")
    assert "no face found" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not output.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.jpg"], "nothing to do"),
        (["a.jpg", "."], "-o is missing"),
        (["a.jpg", "README.md", "-o", "README.md"], "would overwrite"),
        (["a.jpg", "-o", "b.jpg", "--camera", "0"], "has no TARGET"),
        (["a.jpg", "README.md", "-o", "nowhere/b.jpg"], "no folder nowhere"),
        (["a.jpg", str(ASTRONAUT), "-o", "b.mp4"], "must end in"),
        (["a.jpg", "README.md", "-o", "b.png", "--c2pa-cert", "x"], "go together"),
        (["a.jpg", "README.md", "-o", "b.png", "--opacity", "2"], "a share from 0 to 1"),
        (["a.jpg", "README.md", "-o", "b.png", "--faces", "0"], "a whole number from 1 on"),
        (["a.jpg", "README.md", "-o", "b.png", "--backend", "tensorrt"], "invalid choice"),
    ],
)
def test_flags_that_do_not_fit_are_a_usage_error(
    words: list[str], message: str, bundle: Path
) -> None:
    result = run("pipeline", *words, "--bundle", bundle)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("source", "target", "output", "message"),
    [
        ("nowhere.jpg", "there.png", "b.jpg", "there is no nowhere.jpg"),
        ("there.png,nowhere.jpg", "there.png", "b.jpg", "there is no nowhere.jpg"),
        ("nowhere.npy", "there.png", "b.jpg", "there is no nowhere.npy"),
        ("there.png", "nowhere.jpg", "b.jpg", "there is no nowhere.jpg"),
        ("there.png", "note.md", "b.mp4", "neither a photo nor a video"),
    ],
)
def test_a_given_file_that_is_missing_or_unfit_is_exit_4(
    source: str, target: str, output: str, message: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.png").write_bytes(b"mine")
    Path("note.md").write_text("words")
    assert main([source, target, "-o", output, "--bundle", "never-looked-for"]) == 4
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("me.png", "target.png"),
        ("me.png", "."),
        ("me.png", "me.png"),
        ("me.png,target.png", "me.png"),
    ],
    ids=["target", "folder of the target", "source", "one of the sources"],
)
def test_what_was_given_is_never_overwritten(
    source: str, output: str, bundle: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("me.png", "target.png"):
        Path(name).write_bytes(b"mine")
    assert main([source, "target.png", "-o", output, "--bundle", str(bundle)]) == 2
    assert "would overwrite it" in capsys.readouterr().err
    assert {p.read_bytes() for p in tmp_path.iterdir()} == {b"mine"}


def test_an_identity_is_not_saved_over_the_photo_it_is_of(tmp_path: Path, capsys) -> None:
    photo = tmp_path / "me.jpg"
    photo.write_bytes(b"mine")
    assert main([str(photo), "--save-identity", str(photo)]) == 2
    assert "must end in .npy" in capsys.readouterr().err
    assert photo.read_bytes() == b"mine"


def test_a_damaged_model_file_is_refused_in_words(bundle: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(bundle, damaged)
    file = damaged / "generator-fp32.tflite"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ContractError, match=r"generator-fp32\.tflite is not the file that"):
        FaceSwapper.load(damaged)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3), np.uint16),
        np.zeros((9, 9, 3), np.float32),
        np.zeros((0, 9, 3), np.uint8),
    ],
    ids=["grey", "transparent", "16 bits", "floating", "empty"],
)
def test_an_array_that_is_no_rgb_picture_is_refused_in_words(picture: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"expected \(height, width, 3\) uint8 RGB"):
        swapper().swap(picture, IDENTITY)


def test_no_bundle_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="python -m export CHECKPOINT"):
        newest_bundle(tmp_path)


def test_a_precision_that_the_bundle_lacks_is_said(bundle: Path) -> None:
    with pytest.raises(ContractError, match=r"generator-int8\.tflite; .* --precision int8"):
        FaceSwapper.load(bundle, precision="int8")


def test_a_folder_is_swapped_and_what_cannot_be_is_counted(tmp_path: Path) -> None:
    targets, output = tmp_path / "in", tmp_path / "out"
    targets.mkdir()
    Image.fromarray(portrait(1)).save(targets / "good.png")
    Image.fromarray(portrait(1)).save(targets / "other.bmp")
    Image.fromarray(portrait(1)).save(targets / "good.bmp")
    (targets / "empty.jpg").touch()
    (targets / "notes.txt").touch()
    double, refused = swapper(), []
    done = swap_folder(
        targets,
        output,
        lambda target, into: swap_photo(double, target, into, request()),
        lambda file, error: refused.append((file.name, str(error))),
    )
    results = ["good.bmp.png", "good.png", "other.png"]
    assert [outcome.file.name for outcome in done] == results
    assert [name for name, _ in refused] == ["empty.jpg"]
    assert sorted(p.name for p in output.iterdir()) == results


def test_in_a_folder_the_content_tells_what_a_file_is(tmp_path: Path) -> None:
    targets = tmp_path / "in"
    targets.mkdir()
    grey = Image.new("RGB", (40, 40), "grey")
    for name in ("a.jfif", "b", "c.mp4", "d.png"):
        grey.save(targets / name, "JPEG")
    grey.save(targets / "e.jp2")
    (targets / "f.jpg").write_bytes(b"\0\0\0\x18ftypisom" + bytes(40))
    (targets / "g.nef").write_bytes(b"II*\0 raw, which a decoder would take for a TIFF")
    (targets / "h.m4a").write_bytes(b"\0\0\0\x18ftypM4A " + bytes(40))
    (targets / "i.txt").write_bytes(b"BM and P1 begin a text")
    found: dict[str, tuple[str, bool]] = {}

    def look(target: Path, into: Path) -> Outcome:
        found[target.name] = (into.name, is_video(target))
        return Outcome(into, {})

    swap_folder(targets, tmp_path / "out", look, print)
    assert found == {
        "a.jfif": ("a.png", False), "b": ("b.png", False), "c.mp4": ("c.png", False),
        "d.png": ("d.png", False), "e.jp2": ("e.png", False), "f.jpg": ("f.mp4", True),
    }  # fmt: skip


def test_no_result_of_a_folder_has_the_name_of_another(tmp_path: Path) -> None:
    targets = tmp_path / "in"
    targets.mkdir()
    for name in ("a.bmp", "a.png", "a.bmp.png"):
        Image.new("RGB", (40, 40)).save(targets / name)
    done = swap_folder(
        targets, tmp_path / "out", lambda _target, into: Outcome(into, {}), lambda *_: None
    )
    assert sorted(outcome.file.name for outcome in done) == ["a.bmp-2.png", "a.bmp.png", "a.png"]


def test_ctrl_c_in_a_video_ends_the_folder(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    done = swap_folder(
        tmp_path,
        tmp_path / "out",
        lambda target, into: Outcome(into, {"interrupted": True}),
        lambda *_: None,
    )
    assert [outcome.file.name for outcome in done] == ["a.mp4"]


def test_a_folder_without_photos_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no photo and no video"):
        swap_folder(tmp_path, tmp_path / "out", swap_photo, print)


def test_a_folder_is_not_swapped_into_itself(tmp_path: Path) -> None:
    with pytest.raises(FaceSwapError, match="folder of the targets"):
        swap_folder(tmp_path, tmp_path, swap_photo, print)


def test_no_label_leaves_the_metadata_alone(tmp_path: Path) -> None:
    swap_photo(swapper(), ASTRONAUT, tmp_path / "out.png", request(label=False))
    with Image.open(tmp_path / "out.png") as image:
        assert "xmp" not in image.info
        assert "XML:com.adobe.xmp" not in image.info


def test_the_badge_can_be_seen(tmp_path: Path) -> None:
    swap_photo(swapper(), ASTRONAUT, tmp_path / "out.png", request(badge=True))
    changed = (np.asarray(Image.open(tmp_path / "out.png")) != portrait(1)).any(axis=2)
    assert changed[450:, :200].any()


def test_a_batch_is_its_pictures_one_by_one() -> None:
    double = swapper(lambda face: 255 - face)
    pictures = [portrait(0), portrait(1)]
    for whole, single in zip(double.swap_each(pictures, IDENTITY), pictures, strict=True):
        np.testing.assert_array_equal(whole, double.swap(single, IDENTITY))


def test_an_identity_of_another_bundle_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match=r"shape \(5,\); double takes \(4,\)"):
        swapper().swap(portrait(1), np.ones(5, np.float32))


def test_the_picture_given_is_not_changed() -> None:
    image = portrait(1)
    swapper(lambda face: 255 - face).swap(image, IDENTITY)
    np.testing.assert_array_equal(image, portrait(1))


def test_a_long_search_for_faces_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_LINE_EVERY_S", 0.0)
    photo, output = tmp_path / "wall.png", tmp_path / "out.png"
    Image.fromarray(np.full((300, 400, 3), 120, np.uint8)).save(photo)
    with pytest.raises(ImageError, match="no face found"):
        swap_photo(swapper(), photo, output, request())
    assert "wall.png: searched for faces: 1 views" in capsys.readouterr().err
    with pytest.raises(ImageError, match="no face found"):
        swap_photo(swapper(), photo, output, request(), progress=False)
    assert capsys.readouterr().err == ""
