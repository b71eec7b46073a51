"""Small films of a moving portrait, with sound, made when a test needs them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

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
    rotation: int = 0,
    full_range: bool = False,
    times: list[int] | None = None,
    format: str = "yuv420p",
    title: str = "",
    language: str = "",
    chapter: str = "",
    attachment: str = "",
) -> Path:
    """Write `frames` pictures, and a tone as long, to `path`."""
    with av.open(str(path), "w") as container:
        first = picture(0)
        video = container.add_stream(
            "libvpx-vp9" if path.suffix == ".webm" else "libx264", rate=rate
        )
        video.height, video.width = first.shape[:2]
        video.pix_fmt = format
        context = video.codec_context
        context.color_range = 2 if full_range else 1
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        if times:
            context.time_base = Fraction(1, 1000)
        if rotation:
            video.set_display_rotation(rotation)
        if title:
            container.metadata["title"] = title
        if chapter:
            span = {"id": 1, "start": 0, "end": 400, "time_base": Fraction(1, 1000)}
            container.set_chapters([{**span, "metadata": {"title": chapter}}])
        if attachment:
            container.add_attachment(attachment, "text/plain", b"notes")
        tone = None
        if sound:
            tone = container.add_stream(
                "libopus" if path.suffix == ".webm" else "aac", rate=SOUND_RATE
            )
            if language:
                tone.metadata["language"] = language
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture(index)), format="rgb24")
            frame = frame.reformat(
                format=format, dst_colorspace=1, dst_color_range=2 if full_range else 1
            )
            frame.pts = times[index] if times else index
            container.mux(video.encode(frame))
            if tone is not None:
                container.mux(tone.encode(_tone(index, int(SOUND_RATE / rate))))
        container.mux(video.encode(None))
        if tone is not None:
            container.mux(tone.encode(None))
    return path


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
