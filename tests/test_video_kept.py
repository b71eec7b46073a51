"""What a swap keeps of a film besides the face: clocks, geometry, colours, streams."""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from doubles import IDENTITY
from movies import av, faststart, film, mpegts, packets, pictures
from stillface import still_swapper

from model.errors import VideoError
from pipeline.faces.tracking import HOLD_FRAMES
from pipeline.media.geometry import plane_views
from pipeline.media.reader import Item
from pipeline.media.writer import Writer
from pipeline.request import Outcome, Request
from pipeline.video import swap_video

MIRROR = (-65536, 0, 0, 0, 65536, 0, 128 << 16, 0, 1 << 30)
UPSIDE = (65536, 0, 0, 0, -65536, 0, 0, 96 << 16, 1 << 30)
TRANSPOSE = (0, 65536, 0, 65536, 0, 0, 0, 0, 1 << 30)
SLANT = (65536, 30000, 0, 0, 65536, 0, 0, 0, 1 << 30)


def shades(index: int, width: int = 128, height: int = 96) -> np.ndarray:
    """A soft picture without symmetry: red rises to the right, green downwards, blue with time."""
    red = np.linspace(60, 200, width)[None, :].repeat(height, 0)
    green = np.linspace(70, 180, height)[:, None].repeat(width, 1)
    return np.dstack([red, green, np.full_like(red, 100 + 5 * index)]).astype(np.uint8)


def swapped(target: Path, output: Path, **options: object) -> Outcome:
    request = Request((IDENTITY,), **options)
    return swap_video(still_swapper(), target, output, request, progress=False)


def colours_of(frame: object) -> np.ndarray:
    """(H, W, 3) float RGB of a frame by BT.709 in the limited range; FFmpeg's own loses a level."""
    planes = [p.astype(float) for p in plane_views(frame)]
    height, width = planes[0].shape
    luma = (planes[0] - 16) / 219
    blue, red = (
        (p.repeat(height // len(p), 0).repeat(width // p.shape[1], 1) - 128) / 224
        for p in planes[1:]
    )
    rgb = [luma + 1.5748 * red, luma - 0.1873 * blue - 0.4681 * red, luma + 1.8556 * blue]
    return np.dstack(rgb) * 255


def shown_times_ms(path: Path) -> list[tuple[int, int]]:
    """When each frame is shown, and for how long by the packet that holds it."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    ms = [(f.pts * f.time_base * 1000, f.duration * f.time_base * 1000) for f in frames]
    return [(round(start), round(lasts)) for start, lasts in ms]


def length_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return container.duration / 1e6


def first_frame(path: Path) -> object:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def matrix_of(path: Path) -> tuple[int, ...]:
    for data in first_frame(path).side_data:
        if data.type.name == "DISPLAYMATRIX":
            return tuple(np.frombuffer(bytes(data), np.int32).tolist())
    return ()


# Clocks


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_every_frame_keeps_its_time_and_duration_the_last_one_too(
    suffix: str, tmp_path: Path
) -> None:
    given = {"times": [0, 33, 67, 100], "last_ms": 2000, "sound": False}
    clip = film(tmp_path / f"clip{suffix}", 4, shades, **given)
    outcome = swapped(clip, tmp_path / f"out{suffix}")
    assert shown_times_ms(outcome.file) == [(0, 33), (33, 34), (67, 33), (100, 2000)]
    assert length_s(outcome.file) == pytest.approx(2.1, abs=0.002)
    assert outcome.notes == ()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_b_frames_are_written_and_cost_no_duration(suffix: str, tmp_path: Path) -> None:
    lasts = [40] * 12 + [33, 34] * 4 + [2000] + [40] * 8 + [400, 700] + [40] * 8 + [1500]
    times = np.cumsum([0, *lasts[:-1]]).tolist()
    given = {"times": times, "last_ms": lasts[-1], "sound": False}
    clip = film(tmp_path / "clip.mkv", len(lasts), shades, **given)
    output = swapped(clip, tmp_path / f"out{suffix}").file
    with av.open(str(output)) as container:
        kinds = [int(frame.pict_type) for frame in container.decode(video=0)]
    assert kinds.count(int(av.video.frame.PictureType.B)) >= 10
    assert shown_times_ms(output) == list(zip(times, lasts, strict=True))
    assert length_s(output) == pytest.approx(sum(lasts) / 1000, abs=0.002)


def test_a_clock_that_starts_late_starts_at_zero_and_sound_keeps_its_offset(
    tmp_path: Path,
) -> None:
    clip = mpegts(tmp_path / "clip.ts", 8, shades, start_s=26_000, sound_after_s=0.2)
    outcome = swapped(clip, tmp_path / "out.mp4")
    times = [seconds for _, seconds in pictures(outcome.file)]
    assert times == pytest.approx([i / 25 for i in range(8)], abs=0.001)
    assert packets(outcome.file, "audio")[0][1] == pytest.approx(0.2, abs=0.03)
    assert length_s(outcome.file) < 1
    assert outcome.notes == ()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_begins_before_the_pictures_stays_so(suffix: str, tmp_path: Path) -> None:
    clip = mpegts(tmp_path / "clip.ts", 8, shades, start_s=50, sound_after_s=-0.4)
    output = swapped(clip, tmp_path / f"out{suffix}").file
    sound, picture = packets(output, "audio")[0][1], pictures(output)[0][1]
    assert sound == pytest.approx(0, abs=0.03)
    assert picture - sound == pytest.approx(0.4, abs=0.03)


def test_a_clock_that_wraps_goes_on(tmp_path: Path) -> None:
    wraps_s = 2**33 / 90_000
    clip = mpegts(tmp_path / "clip.ts", 12, shades, start_s=wraps_s - 0.2)
    output = swapped(clip, tmp_path / "out.mp4").file
    times = [seconds for _, seconds in pictures(output)]
    assert times == pytest.approx([i / 25 for i in range(12)], abs=0.001)


def test_joined_transport_streams_go_on_where_the_first_ended(tmp_path: Path) -> None:
    first = mpegts(tmp_path / "first.ts", 6, shades, start_s=5000, sound_after_s=0)
    second = mpegts(tmp_path / "second.ts", 6, shades, start_s=10, sound_after_s=0)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    output = swapped(joined, tmp_path / "out.mp4").file
    times = [seconds for _, seconds in pictures(output)]
    assert len(times) == 12
    assert np.diff(times) == pytest.approx(0.04, abs=0.03)
    sound = [seconds for _, seconds in packets(output, "audio")]
    assert max(abs(times[-1] - sound[-1]), abs(times[0] - sound[0])) < 0.15


def test_a_film_whose_first_frames_cannot_be_decoded_starts_at_zero(tmp_path: Path) -> None:
    clip = mpegts(tmp_path / "clip.ts", 12, shades, start_s=10, skip=2)
    assert pictures(clip)[0][1] == pytest.approx(10.24)  # the second frame that stands alone
    assert pictures(swapped(clip, tmp_path / "out.mp4").file)[0][1] == 0


def test_times_below_zero_are_moved_to_zero(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.nut", 4, shades, times=[-80, -40, 0, 40], sound=False)
    clip = clip.rename(tmp_path / "clip.mkv")
    times = [round(s * 1000) for _, s in pictures(swapped(clip, tmp_path / "out.mp4").file)]
    assert times == [0, 40, 80, 120]


def test_a_further_stream_that_is_longer_is_no_damage(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mkv", 12, shades, second_until_s=8, sound=False)
    assert length_s(clip) > 7
    notes = swapped(clip, tmp_path / "out.mp4").notes
    assert notes == ("further streams are left out: video",)


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".asf", "mpeg4"), (".flv", "flv"), (".mkv", ""), (".mp4", "")]
)
def test_a_clock_that_starts_late_is_no_damage(suffix: str, codec: str, tmp_path: Path) -> None:
    times = [100_000 + 40 * i for i in range(12)]
    clip = film(tmp_path / f"clip{suffix}", 12, shades, codec=codec, times=times, sound=False)
    outcome = swapped(clip, tmp_path / "out.mp4")
    assert outcome.notes == ()
    assert length_s(outcome.file) == pytest.approx(0.48, abs=0.01)


def test_b_frames_of_the_original_are_no_damage_and_keep_their_times(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 12, shades, options={"bf": "3", "b-adapt": "0"})
    with av.open(str(clip)) as container:
        assert any(f.pict_type == 3 for f in container.decode(video=0))
    outcome = swapped(clip, tmp_path / "out.mp4")
    assert [s for _, s in pictures(outcome.file)] == [s for _, s in pictures(clip)]
    assert packets(outcome.file, "audio") == packets(clip, "audio")
    assert outcome.notes == ()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_file_that_is_cut_off_says_so_by_its_bytes(suffix: str, tmp_path: Path) -> None:
    clip = film(tmp_path / f"clip{suffix}", 50, shades, options={"bf": "0", "g": "5"}, sound=False)
    if suffix == ".mp4":  # its index before its content
        faststart(clip)
    assert swapped(clip, tmp_path / "whole.mp4").notes == ()
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    (note,) = swapped(clip, tmp_path / "out.mp4").notes
    assert note.startswith("damaged or cut off: the last")


# Geometry


@pytest.mark.parametrize("matrix", [MIRROR, UPSIDE, TRANSPOSE, SLANT])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_any_display_matrix_is_kept(matrix: tuple[int, ...], suffix: str, tmp_path: Path) -> None:
    clip = film(tmp_path / f"clip{suffix}", 2, shades, matrix=matrix, sound=False)
    assert matrix_of(swapped(clip, tmp_path / f"out{suffix}").file) == matrix


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
@pytest.mark.parametrize("matrix", [MIRROR, UPSIDE, TRANSPOSE])
def test_mirrored_and_flipped_films_are_shown_alike_in_matroska(
    matrix: tuple[int, ...], suffix: str, tmp_path: Path
) -> None:
    clip = film(tmp_path / "clip.mp4", 2, shades, matrix=matrix, sound=False)
    output = swapped(clip, tmp_path / f"out{suffix}").file
    # Without the shift, which Matroska has no place for: players put the picture into their window.
    assert [matrix_of(output)[i] for i in (0, 1, 3, 4)] == [matrix[i] for i in (0, 1, 3, 4)]


@pytest.mark.parametrize("matrix", [MIRROR, UPSIDE, TRANSPOSE, None])
def test_the_face_is_looked_for_as_the_film_is_shown(
    matrix: tuple[int, ...] | None, tmp_path: Path
) -> None:
    clip = film(tmp_path / "clip.mp4", 1, shades, matrix=matrix, sound=False)
    seen: list[np.ndarray] = []
    swapper = still_swapper(sees=lambda picture: seen.append(picture) or True)
    swap_video(swapper, clip, tmp_path / "out.mp4", Request((IDENTITY,)), progress=False)
    shown = {MIRROR: shades(0)[:, ::-1], UPSIDE: shades(0)[::-1], None: shades(0)}
    wanted = shown.get(matrix, shades(0).swapaxes(0, 1))
    np.testing.assert_allclose(seen[0], wanted, atol=12)


def test_pixels_that_only_the_container_says_are_not_square_stay_so(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mov", 2, shades, codec="mpeg4", aspect=Fraction(1), sound=False)
    data = clip.read_bytes()
    assert data.count(b"pasp") == 1
    at = data.index(b"pasp") + 4
    clip.write_bytes(data[:at] + bytes([0, 0, 0, 4, 0, 0, 0, 3]) + data[at + 8 :])
    for suffix in (".mov", ".mkv"):
        with av.open(str(swapped(clip, tmp_path / f"out{suffix}").file)) as container:
            assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_webm_gets_square_pixels_and_says_so(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 2, shades, aspect=Fraction(4, 3), sound=False)
    outcome = swapped(clip, tmp_path / "out.webm")
    frame = first_frame(outcome.file)
    assert (frame.width, frame.height) == (171, 96)
    assert any("pixels of 4:3 become square" in note for note in outcome.notes)


def test_pixels_that_cannot_become_square_are_said(tmp_path: Path) -> None:
    wide = {"aspect": Fraction(40), "sound": False}
    clip = film(tmp_path / "clip.mp4", 1, lambda i: shades(i, 512, 96), **wide)
    outcome = swapped(clip, tmp_path / "out.webm")
    assert outcome.notes == ("pixels of 40:1 are shown as square ones: 20480x96 is too large",)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
@pytest.mark.parametrize(
    ("codec", "size"), [("libvpx-vp9", (79, 101)), ("mpeg4", (119, 81)), ("mpeg4", (120, 81))]
)
def test_odd_sizes_are_whole(
    codec: str, size: tuple[int, int], suffix: str, tmp_path: Path
) -> None:
    clip = film(tmp_path / "clip.mkv", 2, lambda i: shades(i, *size), codec=codec, sound=False)
    frame = first_frame(swapped(clip, tmp_path / f"out{suffix}").file)
    assert (frame.width, frame.height) == size
    picture, width = frame.to_ndarray(format="rgb24"), size[0]
    np.testing.assert_allclose(picture[:, :8], shades(0, *size)[:, :8], atol=12)
    np.testing.assert_allclose(picture[:, width - 8 :], shades(0, *size)[:, width - 8 :], atol=12)


def test_a_size_that_changes_in_the_middle_keeps_its_shape_between_bars(tmp_path: Path) -> None:
    first = mpegts(tmp_path / "first.ts", 4, shades, start_s=10)
    second = mpegts(tmp_path / "second.ts", 4, lambda i: shades(i, 96, 128), start_s=10.2)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    outcome = swapped(joined, tmp_path / "out.mp4")
    (note,) = outcome.notes
    assert note.startswith("4 frames of another size are scaled to fit 128x96")
    kept, fitted = (pictures(outcome.file)[i][0] for i in (0, -1))
    # MPEG-2 of few bits is off by up to 18 levels.
    np.testing.assert_allclose(kept[:, :8], shades(0)[:, :8], atol=24)
    # 96x128 becomes 72x96, in the middle between black bars.
    assert max(fitted[:, :26].max(), fitted[:, -26:].max()) < 12
    np.testing.assert_allclose(fitted[:, 30:36], shades(3, 72, 96)[:, 2:8], atol=24)


# Colours


def ycgco(image: np.ndarray) -> object:
    """RGB as a yuv444p frame by YCgCo in the limited range (H.273, equations 57 to 60)."""
    red, green, blue = np.moveaxis(image.astype(float) / 255, 2, 0)
    planes = [
        16 + 219 * (red + 2 * green + blue) / 4,
        128 + 224 * (2 * green - red - blue) / 4,
        128 + 224 * (red - blue) / 2,
    ]
    stacked = np.stack([np.rint(plane).astype(np.uint8) for plane in planes])
    return av.VideoFrame.from_ndarray(stacked, format="yuv444p")


def test_colours_that_cannot_be_written_are_converted_and_told_once(tmp_path: Path) -> None:
    clip = film(
        tmp_path / "clip.mp4", 4, shades, frame_of=ycgco, format="yuv444p", matrix_code=8,
        options={"crf": "1"}, sound=False,
    )  # fmt: skip
    outcome = swapped(clip, tmp_path / "out.mp4")
    assert outcome.notes == ("YCgCo becomes YCbCr by BT.709",)
    frame = first_frame(outcome.file)
    assert frame.colorspace == 1
    error = colours_of(frame) - shades(0)
    assert np.abs(error[:, :20].mean(axis=(0, 1))).max() < 1


def test_a_matrix_that_vp9_has_no_tag_for_is_converted(tmp_path: Path) -> None:
    def fcc(image: np.ndarray) -> object:
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        return frame.reformat(format="yuv444p", dst_colorspace=4, dst_color_range=1)

    clip = film(
        tmp_path / "clip.mp4", 2, shades, frame_of=fcc, format="yuv444p", matrix_code=4,
        options={"crf": "1"}, sound=False,
    )  # fmt: skip
    outcome = swapped(clip, tmp_path / "out.webm")
    assert outcome.notes == (
        "YCbCr by FCC becomes YCbCr by BT.709", "colour resolution 4:4:4 becomes 4:2:0",
    )  # fmt: skip
    frame = first_frame(outcome.file)
    assert frame.colorspace == 1
    error = colours_of(frame) - shades(0)
    assert np.abs(error[:, :20].mean(axis=(0, 1))).max() < 2  # VP9 itself moves it by one


def test_a_matrix_that_is_not_known_is_refused_and_the_film_is_named(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 1, shades, matrix_code=14, sound=False)
    with pytest.raises(VideoError, match=r"clip\.mp4 stores its colours as ICtCp"):
        swapped(clip, tmp_path / "out.mp4")


@pytest.mark.parametrize(
    ("codec", "format"), [("png", "rgb24"), ("libx264rgb", "rgb24"), ("qtrle", "rgb24")]
)
def test_an_rgb_film_is_tagged_with_the_matrix_that_it_was_written_by(
    codec: str, format: str, tmp_path: Path
) -> None:
    clip = film(tmp_path / "clip.mov", 2, shades, codec=codec, format=format, sound=False)
    outcome = swapped(clip, tmp_path / "out.mp4")
    frame = first_frame(outcome.file)
    assert (frame.colorspace, frame.color_range) == (1, 1)
    assert outcome.notes == ("RGB becomes YCbCr by BT.709",)
    error = colours_of(frame) - shades(0)
    assert np.abs(error[:, :20].mean(axis=(0, 1))).max() < 1


@pytest.mark.parametrize(
    ("codec", "format"),
    [
        ("libx264", "yuv420p"), ("libx264", "yuv420p10le"), ("libx264", "yuv422p"),
        ("libx264", "yuv422p10le"), ("libx264rgb", "rgb24"), ("libx264", "yuv444p"),
    ],
)  # fmt: skip
def test_frames_with_a_face_differ_from_those_without_in_the_mask_alone(
    codec: str, format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = HOLD_FRAMES + 2  # in the last one a face that only the first one has is gone

    def picture(index: int) -> np.ndarray:
        return shades(12 * (index > 0))

    clip = film(tmp_path / "clip.mkv", count, picture, codec=codec, format=format, sound=False)
    encoded: list[list[np.ndarray]] = []
    put = Writer.put

    def keep(self: Writer, item: Item) -> None:
        encoded.append([plane.copy() for plane in plane_views(item.frame)])
        put(self, item)

    monkeypatch.setattr(Writer, "put", keep)
    for always in (True, False):
        # The first frame has a face in any case, or the film would be refused.
        swapper = still_swapper(sees=lambda image, always=always: always or image[0, 0, 2] < 130)
        request = Request((IDENTITY,))
        swap_video(swapper, clip, tmp_path / "out.mp4", request, progress=False)
    passes = encoded[count - 1], encoded[2 * count - 1]
    for plane, (with_face, without) in enumerate(zip(*passes, strict=True)):
        differs = with_face != without
        assert differs.any(), plane
        rows, columns = np.nonzero(differs)
        scale_y, scale_x = 96 // with_face.shape[0], 128 // with_face.shape[1]
        ahead = np.hypot(rows * scale_y - 48, columns * scale_x - 64)
        assert ahead.max() < 64 * 0.3 + 2 * max(scale_x, scale_y)


# What is kept or said


def test_interlaced_film_stays_interlaced(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mkv", 4, shades, interlaced=True, sound=False)
    assert first_frame(clip).interlaced_frame
    outcome = swapped(clip, tmp_path / "out.mp4")
    with av.open(str(outcome.file)) as container:
        assert all(frame.interlaced_frame for frame in container.decode(video=0))
        assert container.streams.video[0].codec_context.field_order in (2, 4)  # top field first
    assert outcome.notes == ()


@pytest.mark.parametrize(("height", "format"), [(576, "yuv420p"), (480, "yuv411p")])
def test_dv_stays_interlaced(height: int, format: str, tmp_path: Path) -> None:
    def tape(index: int) -> np.ndarray:
        return shades(index, 720, height)

    rate = 25 if height == 576 else Fraction(30000, 1001)
    clip = film(
        tmp_path / "clip.avi", 2, tape, codec="dvvideo", format=format, rate=rate, sound=False
    )
    assert first_frame(clip).interlaced_frame
    assert first_frame(swapped(clip, tmp_path / "out.mov").file).interlaced_frame


def test_interlaced_film_in_webm_is_said_to_be_progressive(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mkv", 2, shades, interlaced=True, sound=False)
    notes = swapped(clip, tmp_path / "out.webm").notes
    assert notes == ("2 interlaced frames are stored as progressive",)


@pytest.mark.parametrize(
    ("codec", "format", "suffix"),
    [
        ("prores_ks", "yuva444p10le", ".mov"), ("qtrle", "argb", ".mov"), ("png", "rgba", ".mov"),
        ("libvpx-vp9", "yuva420p", ".webm"),
    ],
)  # fmt: skip
def test_transparency_that_is_left_out_is_said(
    codec: str, format: str, suffix: str, tmp_path: Path
) -> None:
    clip = film(tmp_path / f"clip{suffix}", 2, shades, codec=codec, format=format, sound=False)
    assert "transparency is left out" in swapped(clip, tmp_path / "out.mp4").notes


def test_more_bits_and_colour_resolution_than_the_result_holds_are_said(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mkv", 2, shades, format="yuv422p10le", sound=False)
    assert swapped(clip, tmp_path / "out.mp4").notes == (
        "10 bits per channel become 8",
        "colour resolution 4:2:2 becomes 4:2:0",
    )


@pytest.mark.parametrize(
    ("format", "ratio"), [("yuv411p", "4:1:1"), ("yuv440p", "4:4:0"), ("yuv410p", None)]
)
def test_any_colour_resolution_that_is_lost_is_said(
    format: str, ratio: str | None, tmp_path: Path
) -> None:
    clip = film(tmp_path / "clip.mkv", 1, shades, codec="ffv1", format=format, sound=False)
    wanted = (f"colour resolution {ratio} becomes 4:2:0",) if ratio else ()
    assert swapped(clip, tmp_path / "out.mp4").notes == wanted


@pytest.mark.parametrize("name", ["clip-12:30.mp4", "http:x.mp4", "concat:a|b.mp4", "pipe:0.mp4"])
def test_a_file_name_is_a_file_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(tmp_path / "plain.mp4", 1, shades, sound=False).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    swapped(Path(name), Path(f"to:{name}"))
    assert len(pictures(tmp_path / f"to:{name}")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile {other}\n",
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_list_of_other_files_is_no_video(text: str, tmp_path: Path) -> None:
    film(tmp_path / "other.mp4", 1, shades, sound=False)
    clip = tmp_path / "clip.mp4"
    clip.write_text(text.format(other="other.mp4"))
    with pytest.raises(VideoError, match=r"clip\.mp4 cannot be read"):
        swapped(clip, tmp_path / "out.mp4")


def test_a_pipe_is_no_video(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "clip.mp4")
    with pytest.raises(VideoError, match="not a regular file"):
        swapped(tmp_path / "clip.mp4", tmp_path / "out.mp4")


def test_metadata_that_is_not_utf8_is_taken_for_windows_1252(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mkv", 2, shades, title="Caf#", chapter="Stra#e", language="d#u")
    clip.write_bytes(
        clip.read_bytes()
        .replace(b"Caf#", b"Caf\xe9").replace(b"Stra#e", b"Stra\xdfe").replace(b"d#u", b"d\xebu")
    )  # fmt: skip
    with av.open(str(swapped(clip, tmp_path / "out.mkv").file)) as container:
        assert container.metadata["title"] == "Café"
        assert container.chapters()[0]["metadata"]["title"] == "Straße"


TELLING = {
    "location": "+48.8584+002.2945/",
    "com.apple.quicktime.location.ISO6709": "+48.8584+002.2945+035.1/",
    "com.apple.quicktime.camera.identifier": "C-4711",
    "com.android.version": "A-4711",
    "serial_number": "S-4711",
    "RECORDING_LOCATION": "P-4711",
    "firmware": "F-4711",
}


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_where_and_with_which_device_a_film_was_taken_stays_behind_unless_asked_for(
    suffix: str, keep: bool, tmp_path: Path
) -> None:
    tags = {"artist": "Me", "com.apple.quicktime.model": "Phone", **TELLING}
    clip = film(tmp_path / f"clip{suffix}", 1, shades, tags=tags, sound=False)
    output = swapped(clip, tmp_path / f"out{suffix}", keep_metadata=keep).file
    content = output.read_bytes()
    assert [text.encode() in content for text in TELLING.values()] == [keep] * len(TELLING)
    assert b"Me" in content
    assert b"Phone" in content


@pytest.mark.parametrize(
    ("codec", "suffix", "advice"),
    [
        ("libopus", ".mov", r"opus cannot go into \.mov; give an \.mkv"),
        ("flac", ".mov", r"flac cannot go into \.mov; give an \.mkv"),
        ("pcm_mulaw", ".mkv", r"pcm_mulaw cannot go into \.mkv; give an \.mov"),
        ("adpcm_ms", ".mkv", r"adpcm_ms cannot go into \.mkv; convert the sound to AAC"),
    ],
)
def test_sound_that_cannot_be_copied_is_refused_with_what_helps(
    codec: str, suffix: str, advice: str, tmp_path: Path
) -> None:
    name = "clip.avi" if "pcm" in codec else "clip.mkv"
    clip = film(tmp_path / name, 2, shades, codec="mpeg4", sound_codec=codec)
    with pytest.raises(VideoError, match=advice):
        swapped(clip, tmp_path / f"out{suffix}")


def test_the_last_packet_of_sound_without_durations_is_kept(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mkv", 10, shades, codec="mpeg4", sound_codec="alac")
    output = swapped(clip, tmp_path / "out.mp4").file
    before, after = (b"".join(d for d, _ in packets(p, "audio")) for p in (clip, output))
    assert before == after


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_a_damaged_file_repeats_does_not_stop_the_film(
    suffix: str, tmp_path: Path
) -> None:
    clip = mpegts(tmp_path / "clip.ts", 8, shades, start_s=5, sound_after_s=0)
    data = clip.read_bytes()
    clip.write_bytes(data[:-1880] + data[-3760:])  # ten packets of 188 bytes once more
    assert len(pictures(swapped(clip, tmp_path / f"out{suffix}").file)) >= 8


def test_sound_of_an_unknown_kind_is_left_out_and_said(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 5, shades)
    data = bytearray(clip.read_bytes().replace(b"mp4a", b"zzzz"))
    kind = data.index(b"\x04\x80\x80\x80", data.index(b"esds")) + 5
    assert data[kind] == 0x40  # AAC (ISO 14496-1, table 5)
    data[kind] = 0xC0
    clip.write_bytes(data)
    outcome = swapped(clip, tmp_path / "out.mp4")
    assert outcome.notes == ("the sound of stream 1 is of an unknown kind and is left out",)
    assert len(pictures(outcome.file)) == 5


def test_pictures_of_an_unknown_kind_are_refused_in_words(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 2, shades, sound=False)
    clip.write_bytes(clip.read_bytes().replace(b"avc1", b"zzzz"))
    with pytest.raises(VideoError, match="without a decoder"):
        swapped(clip, tmp_path / "out.mp4")


def test_a_folder_that_cannot_be_written_to_is_said_before_any_work(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 2, shades, sound=False)
    swapper = still_swapper(sees=lambda picture: pytest.fail("it worked on a frame"))
    missing = tmp_path / "clip.mp4" / "out.mp4"  # a folder that root, too, cannot write to
    with pytest.raises(VideoError, match=r"out\.mp4 cannot be written: Not a directory"):
        swap_video(swapper, clip, missing, Request((IDENTITY,)), progress=False)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    if os.access(locked, os.W_OK):
        return  # root may write anywhere
    with pytest.raises(VideoError, match=r"out\.mp4 cannot be written: Permission denied"):
        swap_video(swapper, clip, locked / "out.mp4", Request((IDENTITY,)), progress=False)


def test_a_grey_film_stays_grey(tmp_path: Path) -> None:
    def grey(index: int) -> np.ndarray:
        return np.repeat(shades(index)[..., :1], 3, axis=2)

    clip = film(tmp_path / "clip.mp4", 2, grey, options={"crf": "1"}, sound=False)

    def coloured(face: np.ndarray) -> np.ndarray:
        """Green above, purple below: matching mean and contrast of each channel leaves it so."""
        rows = np.linspace(-60, 60, face.shape[1])[:, None, None]
        return (face + rows * np.array([1, -1, 1])).clip(0, 255).astype(np.uint8)

    swapper = still_swapper(coloured)
    output = swap_video(
        swapper, clip, tmp_path / "out.mp4", Request((IDENTITY,)), progress=False
    ).file
    for plane in plane_views(first_frame(output))[1:]:
        assert np.abs(plane.astype(int) - 128).max() <= 2
