import os
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from doubles import IDENTITY, needs_detector, portrait, swapper
from movies import RATE, astronaut, av, blank, film, packets, pictures, planes

from model.errors import UsageError, VideoError
from pipeline.command_line import parse_pairs
from pipeline.faces.detect import Detector
from pipeline.faces.pyramid import Pyramid
from pipeline.faces.tracking import Tracker
from pipeline.files import check_output
from pipeline.media.label import SOURCE_TYPE
from pipeline.overlap import Ahead, Behind
from pipeline.request import Outcome, Request
from pipeline.video import swap_video

pytestmark = needs_detector


def swapped(target: Path, output: Path, **options: object) -> Outcome:
    """`target` with a face that is turned into its negative."""
    double = swapper(lambda face: 255 - face)
    return swap_video(double, target, output, Request((IDENTITY,), **options), progress=False)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("film") / "clip.mp4", 30, title="A clip")


@pytest.fixture(scope="module")
def result(clip: Path) -> Path:
    return swapped(clip, clip.with_name("out.mp4")).file


@pytest.mark.slow
def test_every_frame_is_swapped_and_keeps_its_time(clip: Path, result: Path) -> None:
    before, after = pictures(clip), pictures(result)
    assert [seconds for _, seconds in before] == [seconds for _, seconds in after]
    for (old, _), (new, _) in zip(before, after, strict=True):
        assert np.abs(old[60:110, 60:90].astype(int) - new[60:110, 60:90]).mean() > 30
        assert np.abs(old[:, -25:].astype(int) - new[:, -25:]).mean() < 4


def test_sound_is_copied_bit_by_bit(clip: Path, result: Path) -> None:
    assert packets(result, "audio") == packets(clip, "audio")


def test_the_container_says_that_it_is_synthetic_and_keeps_its_title(result: Path) -> None:
    with av.open(str(result)) as container:
        assert container.metadata["digital_source_type"] == SOURCE_TYPE
        assert SOURCE_TYPE in container.metadata["comment"]
        assert container.metadata["title"] == "A clip"


def test_chapters_and_the_language_of_the_sound_are_kept(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mkv", 15, language="ger", chapter="One")
    with av.open(str(swapped(clip, tmp_path / "out.mkv").file)) as container:
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One"]
        assert container.streams.audio[0].language == "ger"


def test_a_stream_that_is_left_out_is_noted(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mkv", 5, attachment="notes.txt")
    notes = swapped(clip, tmp_path / "out.mkv").notes
    assert notes == ("further streams are left out: attachment",)


def test_no_label_leaves_the_metadata_alone(clip: Path, tmp_path: Path) -> None:
    with av.open(str(swapped(clip, tmp_path / "out.mp4", label=False).file)) as container:
        assert not {"digital_source_type", "comment"} & container.metadata.keys()


@pytest.mark.slow
@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24)])
def test_the_frame_rate_is_kept(rate: Fraction, tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 12, rate=rate)
    with av.open(str(swapped(clip, tmp_path / "out.mp4").file)) as container:
        assert container.streams.video[0].average_rate == rate


def test_a_varying_frame_rate_is_kept(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mkv", 5, times=[0, 40, 60, 200, 210], sound=False)
    output = swapped(clip, tmp_path / "out.mkv").file
    times = [round(seconds * 1000) for _, seconds in pictures(output)]
    assert times == [0, 40, 60, 200, 210]


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_rotated_film_is_swapped_upright_and_stays_rotated(rotation: int, tmp_path: Path) -> None:
    def lying(index: int) -> np.ndarray:
        return np.rot90(astronaut(index), -rotation // 90)

    clip = film(tmp_path / "clip.mp4", 5, lying, rotation=rotation)
    outcome = swapped(clip, tmp_path / "out.mp4")
    assert outcome.report["frames_without_face"] == 0
    with av.open(str(outcome.file)) as container:
        frame = next(container.decode(video=0))
    assert frame.rotation % 360 == rotation % 360
    upright = np.rot90(frame.to_ndarray(format="rgb24"), rotation // 90).astype(int)
    assert np.abs(upright - astronaut(0))[60:110, 60:90].mean() > 30


@pytest.mark.parametrize("full_range", [False, True])
def test_colour_range_and_colours_are_kept(full_range: bool, tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 4, full_range=full_range)
    output = swapped(clip, tmp_path / "out.mp4").file
    with av.open(str(output)) as container:
        context = container.streams.video[0].codec_context
        assert context.color_range == (2 if full_range else 1)
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
    # Of the numbers as stored: x264 alone moves red by half a level, and how far depends on the
    # processor. A round trip through RGB moves brightness by one.
    for old, new in zip(planes(clip), planes(output), strict=True):
        for before, after in zip(old, new, strict=True):
            beside = slice(-(before.shape[1] // 7), None)  # the face is further left
            assert abs(after[:, beside].mean() - before[:, beside].mean()) < 0.5


@pytest.mark.parametrize("suffix", [".mov", ".mkv", ".webm"])
def test_other_containers_carry_the_label_too(suffix: str, tmp_path: Path) -> None:
    clip = film(tmp_path / f"clip{suffix}", 5)
    with av.open(str(swapped(clip, tmp_path / f"out{suffix}").file)) as container:
        assert SOURCE_TYPE in str(container.metadata)
        assert container.streams.best("audio") is not None


def test_odd_edges_are_kept(tmp_path: Path) -> None:
    clip = film(
        tmp_path / "clip.mkv", 4, lambda i: astronaut(i)[:159, :157], format="yuv444p", sound=False
    )
    assert pictures(swapped(clip, tmp_path / "out.mkv").file)[0][0].shape == (159, 157, 3)


def test_frames_without_a_face_pass_through_and_are_counted(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 20, lambda i: astronaut(i) if i < 10 else blank(i))
    outcome = swapped(clip, tmp_path / "out.mp4")
    assert outcome.report["frames_without_face"] == 10
    assert outcome.notes == ("10 of 20 frames show no face and passed through",)
    np.testing.assert_allclose(pictures(outcome.file)[-1][0], blank(0), atol=4)


def test_a_film_without_any_face_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 5, blank)
    with pytest.raises(VideoError, match="no face found in any of 5 frames"):
        swapped(clip, tmp_path / "out.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.slow
def test_a_cut_off_film_gives_what_was_there(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mkv", 60)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    outcome = swapped(clip, tmp_path / "out.mkv")
    assert 10 < len(pictures(outcome.file)) < 60
    assert any("damaged or cut off: the last" in note for note in outcome.notes)


def test_a_whole_film_is_not_said_to_be_cut_off(clip: Path, tmp_path: Path) -> None:
    assert swapped(clip, tmp_path / "out.mp4").notes == ()


def test_a_map_of_a_face_that_is_in_no_frame_is_refused_in_words(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 3)
    with pytest.raises(VideoError, match=r"--map names no face that is there \(1 at most"):
        swapped(clip, tmp_path / "out.mp4", pairs={4: 0})


@pytest.mark.slow
def test_a_damaged_frame_does_not_stop_the_film(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 60, sound=False)
    data = bytearray(clip.read_bytes())
    middle = data.index(packets(clip, "video")[30][0])
    data[middle + 4 : middle + 60] = os.urandom(56)
    clip.write_bytes(data)
    outcome = swapped(clip, tmp_path / "out.mp4")
    assert outcome.report["frames"] >= 50
    assert len(pictures(outcome.file)) == outcome.report["frames"]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "it is empty"), (b"no film at all" * 9, "expected a whole video")],
)
def test_what_is_no_film_is_refused_in_words(data: bytes, message: str, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(data)
    with pytest.raises(VideoError, match=message):
        swapped(clip, tmp_path / "out.mp4")


def test_an_mp4_that_lost_its_end_is_refused_in_words(clip: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[:5000])
    with pytest.raises(VideoError, match="expected a whole video"):
        swapped(cut, tmp_path / "out.mp4")


def test_an_earlier_result_survives_a_failure(tmp_path: Path) -> None:
    clip, output = film(tmp_path / "clip.mp4", 5, blank), tmp_path / "out.mp4"
    output.write_bytes(b"earlier")
    with pytest.raises(VideoError):
        swapped(clip, output)
    assert output.read_bytes() == b"earlier"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_is_said_in_words(clip: Path, tmp_path: Path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.media.writer.Writer.put", full)
    with pytest.raises(VideoError, match="No space left"):
        swapped(clip, tmp_path / "out.mp4")
    assert not list(tmp_path.iterdir())


def test_what_ffmpeg_refuses_is_said_in_words(clip: Path, tmp_path: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise av.error.InvalidDataError(1, "no such thing")

    monkeypatch.setattr("pipeline.media.writer.Writer._put", refuse)
    with pytest.raises(VideoError, match=r"cannot be encoded.*no such thing"):
        swapped(clip, tmp_path / "out.mp4")
    assert not list(tmp_path.iterdir())


def test_sound_that_the_container_cannot_hold_is_refused_in_words(
    clip: Path, tmp_path: Path
) -> None:
    with pytest.raises(VideoError, match=r"sound in aac cannot go into \.webm"):
        swapped(clip, tmp_path / "out.webm")
    assert not list(tmp_path.iterdir())


def test_avi_is_read_but_not_written(tmp_path: Path) -> None:
    (tmp_path / "clip.avi").touch()
    with pytest.raises(UsageError, match=r"expected \.mp4"):
        check_output(tmp_path / "clip.avi", tmp_path / "out.avi")


SLOW = """
import signal, sys, time
from pathlib import Path
sys.path.insert(0, "tests")
from doubles import IDENTITY, swapper
from pipeline.request import Request
from pipeline.video import swap_video
def slow(face):
    print("frame", flush=True)
    time.sleep(0.1)
    return 255 - face
signal.signal(signal.SIGTERM, signal.default_int_handler)  # as model.errors.guard does
outcome = swap_video(swapper(slow), Path(sys.argv[1]), Path(sys.argv[2]), Request((IDENTITY,)))
print(outcome.file.name, outcome.report["interrupted"], outcome.report["frames"])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("earlier", "blows"),
    [
        (False, [signal.SIGINT]),
        (True, [signal.SIGINT]),
        (False, [signal.SIGINT] * 3),
        (False, [signal.SIGTERM] * 2),
        (False, [signal.SIGINT, signal.SIGTERM]),
    ],
)
def test_an_interrupt_leaves_a_film_of_what_was_done(
    earlier: bool, blows: list[signal.Signals], clip: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"
    if earlier:
        output.write_bytes(b"earlier")
        (tmp_path / "out.partial.mp4").write_bytes(b"earlier")
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, clip, output],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
        for blow in blows:
            process.send_signal(blow)
            time.sleep(0.03)
        said = process.stdout.read().splitlines()[-1].split()
    name = "out.partial-2.mp4" if earlier else "out.mp4"
    assert said[:2] == [name, "True"]
    frames = pictures(tmp_path / name)
    assert 3 <= len(frames) == int(said[2]) < 30
    if earlier:
        assert output.read_bytes() == b"earlier"
        assert (tmp_path / "out.partial.mp4").read_bytes() == b"earlier"


def test_two_faces_keep_their_people_from_frame_to_frame(tmp_path: Path) -> None:
    def couple(index: int) -> np.ndarray:
        admiral = portrait(0)[100:360, 130:390]
        wide = np.full((260, 440, 3), 80, np.uint8)
        wide[:, :260] = admiral
        wide[40:200, 270:430] = astronaut(index)
        return wide

    clip, other = film(tmp_path / "clip.mp4", 12, couple), np.array([0, 1, 0, 0], np.float32)
    double = swapper(lambda face: face)
    pairs = Request((IDENTITY, other), pairs=parse_pairs("0:0,1:1"))
    swap_video(double, clip, tmp_path / "out.mp4", pairs, progress=False)
    given = np.array(double._generator.identities)
    np.testing.assert_array_equal(given, np.tile([IDENTITY, other], (12, 1)))


def test_smoothing_takes_the_trembling_out_and_does_not_trail() -> None:
    rng = np.random.default_rng(0)
    tracker, raw, smooth, true = Tracker(Detector()), [], [], []
    image = portrait(1)
    for index in range(40):
        x = max(0, index - 20) * 3  # still for 20 frames, then moving
        frame = np.roll(image, -x, axis=1)
        noisy = frame + rng.normal(0, 12, frame.shape)
        ((_, face),) = tracker.step(Pyramid(noisy.clip(0, 255).astype(np.uint8)), index / RATE)
        smooth.append(face.points)
        raw.append(tracker._tracks[0].face.points)
        true.append(-x)
    raw, smooth = np.array(raw), np.array(smooth)
    trembling = [np.diff(points[5:20], axis=0).std() for points in (raw, smooth)]
    assert trembling[1] < 0.6 * trembling[0]
    eyes = np.linalg.norm(raw[0, 1] - raw[0, 0])
    trail = np.abs((smooth - raw).mean(axis=1)).max()
    assert trail < 0.1 * eyes


def test_a_scene_cut_is_seen_and_starts_afresh() -> None:
    tracker = Tracker(Detector())
    for index in range(6):
        image = portrait(1)[:512] if index < 3 else portrait(0)[:512]
        ((_, face),) = tracker.step(Pyramid(np.ascontiguousarray(image)), index / RATE)
    assert tracker.cuts == 1
    (fresh,) = Detector().find(portrait(0)[:512])
    np.testing.assert_allclose(face.points, fresh.points, atol=0.04 * fresh.side)


def test_a_lamp_that_goes_on_is_no_scene_cut() -> None:
    tracker = Tracker(Detector())
    for gain in (0.5, 0.5, 0.8, 0.8):
        tracker.step(Pyramid((portrait(1) * gain).astype(np.uint8)), 0.0)
    assert tracker.cuts == 0


@pytest.mark.slow
def test_memory_stays_constant_over_two_minutes(tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    rate = 12
    clip = film(tmp_path / "clip.mp4", 120 * rate, rate=rate)
    used, done, process = [], threading.Event(), psutil.Process()

    def watch() -> None:
        while not done.wait(0.5):
            used.append(process.memory_info().rss / 1e6)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        outcome = swapped(clip, tmp_path / "out.mp4")
    finally:
        done.set()
        watcher.join()
    assert outcome.report["frames"] == 120 * rate
    quarter = len(used) // 4
    assert max(used[-quarter:]) - max(used[quarter : 2 * quarter]) < 15, used


def test_what_goes_wrong_in_a_thread_is_raised_outside() -> None:
    def broken() -> object:
        yield 1
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        list(Ahead(broken()))

    def refuse(_: int) -> None:
        raise ValueError("behind")

    sink = Behind(refuse)
    sink.put(1)
    with pytest.raises(ValueError, match="behind"):
        sink.close()


def test_live_nobody_gets_an_old_item() -> None:
    def ticks() -> object:
        for number in range(60):
            yield number
            time.sleep(0.005)

    seen = []
    for number in (live := Ahead(ticks(), live=True)):
        seen.append(number)
        time.sleep(0.05)
    live.close()
    assert seen == sorted(set(seen))
    assert min(np.diff(seen)) > 2


def test_reading_ahead_is_bounded() -> None:
    made = []

    def count() -> object:
        for number in range(1000):
            made.append(number)
            yield number

    ahead = Ahead(count())
    next(iter(ahead))
    time.sleep(0.3)
    ahead.close()
    assert len(made) < 10
