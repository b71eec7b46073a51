"""Small films of a moving portrait, with sound, made when a test needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from doubles import portrait

av = pytest.importorskip("av")

RATE = 25
SOUND_RATE = 48000


def astronaut(index: int) -> np.ndarray:
    """The astronaut's head, swaying; (160, 160, 3) uint8 RGB."""
    x = 140 + round(8 * np.sin(index / 6))
    return portrait(1)[20:180, x : x + 160]


def blank(_: int) -> np.ndarray:
    """A frame without a face."""
    return np.full((160, 160, 3), (70, 110, 140), np.uint8)


def film(
    path: Path,
    frames: int,
    picture: Callable[[int], np.ndarray] = astronaut,
    *,
    rate: Fraction | int = RATE,
    sound: bool = True,
    sound_codec: str = "",
    rotation: int = 0,
    matrix: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    full_range: bool = False,
    matrix_code: int = 1,
    times: list[int] | None = None,
    last_ms: int = 40,
    codec: str = "",
    options: dict[str, str] | None = None,
    format: str = "yuv420p",
    frame_of: Callable[[np.ndarray], object] | None = None,
    interlaced: bool = False,
    title: str = "",
    tags: dict[str, str] | None = None,
    language: str = "",
    chapter: str = "",
    attachment: str = "",
    second_until_s: int = 0,
) -> Path:
    """Write `frames` pictures, and a tone as long, to `path`.

    Args:
        path: its suffix decides the container.
        frames: how many.
        picture: makes (H, W, 3) uint8 RGB of a frame's number.
        rate: frames a second.
        sound: a tone as long as the film.
        sound_codec: FFmpeg's name of its encoder.
        rotation: in degrees, of the display matrix.
        matrix: all of the display matrix.
        aspect: of a pixel.
        full_range: of the colours.
        matrix_code: number of the colour matrix in the tags (H.273); 1 is BT.709.
        times: of the frames in milliseconds.
        last_ms: how long the last frame is shown, where `times` are given.
        codec: FFmpeg's name of the encoder.
        options: of the encoder.
        format: FFmpeg's name of the pixel format.
        frame_of: makes a PyAV frame of a picture, in place of `format` and BT.709.
        interlaced: top field first.
        title: of the film.
        tags: further metadata of the film.
        language: of the sound.
        chapter: title of one.
        attachment: file name of one.
        second_until_s: when a further, smaller video stream ends; 0 for none.
    """
    webm = path.suffix == ".webm"
    private = {"movflags": "use_metadata_tags"} if tags and path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", options=private) as container:
        container.metadata.update(tags or {})
        first = picture(0)
        video = container.add_stream(
            codec or ("libvpx-vp9" if webm else "libx264"),
            rate=rate,
            options=options or ({} if codec or webm else {"bf": "0"} if times else {}),
        )
        video.height, video.width = first.shape[:2]
        video.pix_fmt = format
        context = video.codec_context
        context.flags |= av.codec.context.Flags.frame_duration
        if "rgb" not in format:
            context.color_range = 2 if full_range else 1
            context.colorspace = matrix_code
            context.color_primaries = context.color_trc = 1  # BT.709
        if interlaced:
            context.flags |= av.codec.context.Flags.interlaced_dct
        if aspect:
            context.sample_aspect_ratio = aspect
        if times:
            context.time_base = Fraction(1, 1000)
        if rotation:
            video.set_display_rotation(rotation)
        if matrix:
            video.set_display_matrix(matrix)
        if title:
            container.metadata["title"] = title
        if chapter:
            span = {"id": 1, "start": 0, "end": 400, "time_base": Fraction(1, 1000)}
            container.set_chapters([{**span, "metadata": {"title": chapter}}])
        if attachment:
            container.add_attachment(attachment, "text/plain", b"notes")
        second = container.add_stream("mpeg4", rate=1) if second_until_s else None
        if second:
            second.width = second.height = 32
        tone = None
        if sound:
            tone = container.add_stream(
                sound_codec or ("libopus" if webm else "aac"), rate=SOUND_RATE
            )
            if sound_codec:
                tone.layout = "mono"
            if language:
                tone.metadata["language"] = language
        for index in range(frames):
            frame = _frame(picture(index), format, full_range, frame_of)
            if interlaced:
                frame = _top_field_first(frame)
            if matrix_code != 1:
                frame.colorspace = matrix_code
            frame.pts = times[index] if times else index
            if times:
                frame.duration = ([*times[1:], times[-1] + last_ms])[index] - times[index]
            container.mux(video.encode(frame))
            if tone is not None:
                container.mux(tone.encode(_tone(index, int(SOUND_RATE / rate))))
        container.mux(video.encode(None))
        if tone is not None:
            container.mux(tone.encode(None))
        for _ in range(second_until_s):
            container.mux(second.encode(av.VideoFrame(32, 32, "yuv420p")))
        if second:
            container.mux(second.encode(None))
    return path


def mpegts(
    path: Path,
    frames: int,
    picture: Callable[[int], np.ndarray],
    *,
    start_s: float,
    sound_after_s: float | None = None,
    skip: int = 0,
) -> Path:
    """Write a transport stream.

    Args:
        path: ends in .ts.
        frames: how many.
        picture: makes (H, W, 3) uint8 RGB of a frame's number.
        start_s: what its clock says at the first frame.
        sound_after_s: a tone as long as the film begins so much later than the pictures, or
            earlier; None for no sound.
        skip: leave out that many frames at the start; every sixth one stands alone.
    """
    clock = Fraction(1, 90_000)
    first_tick = round(start_s / clock)
    # Without this FFmpeg adds 1.4 s and starts at zero.
    muxer = {"muxdelay": "0", "muxpreload": "0", "mpegts_copyts": "1"}
    with av.open(str(path), "w", format="mpegts", options=muxer) as container:
        video = container.add_stream(
            "mpeg2video", rate=RATE, options={"bf": "0", "b": "2000000", "g": "6"}
        )
        first = picture(0)
        video.height, video.width, video.pix_fmt = *first.shape[:2], "yuv420p"
        tone = None
        if sound_after_s is not None:
            tone = container.add_stream("mp2", rate=SOUND_RATE)
            tone.layout = "mono"
        made = []
        for index in range(frames):
            frame = _frame(picture(index), "yuv420p", False, None)
            frame.pts = index
            made += [(packet, 0.0) for packet in video.encode(frame)]
            if tone is not None:
                sound = tone.encode(_tone(index, SOUND_RATE // RATE))
                made += [(packet, sound_after_s) for packet in sound]
        made += [(packet, 0.0) for packet in video.encode(None)]
        if tone is not None:
            made += [(packet, sound_after_s) for packet in tone.encode(None)]
        made = made[skip:] if tone is None else made
        ticks = [round((p.pts * p.time_base + Fraction(later)) / clock) for p, later in made]
        for at, (packet, _) in sorted(zip(ticks, made, strict=True), key=lambda of: of[0]):
            packet.time_base = clock
            packet.pts = packet.dts = at + first_tick
            container.mux(packet)
    return path


def faststart(path: Path) -> None:
    """Move the index of an MP4 before its content."""
    moved = path.with_name(f"moved{path.suffix}")
    with (
        av.open(str(path)) as given,
        av.open(str(moved), "w", options={"movflags": "faststart"}) as container,
    ):
        copies = {s.index: container.add_stream_from_template(s) for s in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                container.mux(packet)
    moved.replace(path)


def _frame(
    picture: np.ndarray,
    format: str,
    full_range: bool,
    frame_of: Callable[[np.ndarray], object] | None,
) -> Any:
    if frame_of:
        return frame_of(picture)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    if "rgb" in format:
        return frame.reformat(format=format)
    return frame.reformat(format=format, dst_colorspace=1, dst_color_range=2 if full_range else 1)


def _top_field_first(frame: Any) -> Any:
    graph = av.filter.Graph()
    nodes = (
        graph.add_buffer(template=frame, time_base=Fraction(1, RATE)),
        graph.add("setfield", "tff"),
    )
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    graph.push(frame)
    return graph.pull()


def _tone(index: int, samples: int) -> object:
    wave = np.sin((np.arange(samples) + index * samples) / 20) * 9000
    frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
    frame.rate, frame.pts = SOUND_RATE, index * samples
    return frame


def packets(path: Path, kind: str) -> list[tuple[bytes, float]]:
    """Every packet of a stream as it is stored, and its time in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.best(kind)
        return [(bytes(p), float(p.pts * p.time_base)) for p in container.demux(stream) if p.size]


def pictures(path: Path) -> list[tuple[np.ndarray, float]]:
    """Every frame as RGB, not turned, and its time in seconds."""
    with av.open(str(path)) as container:
        return [(f.to_ndarray(format="rgb24"), f.time) for f in container.decode(video=0)]


def planes(path: Path) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Brightness and both colours of every frame as stored, (H, W) and twice (H/2, W/2)."""
    with av.open(str(path)) as container:
        stacked = [frame.to_ndarray() for frame in container.decode(video=0)]
    height = stacked[0].shape[0] * 2 // 3
    return [(s[:height], *s[height:].reshape(2, height // 2, s.shape[1] // 2)) for s in stacked]
