"""Read a video: pictures decoded, sound and subtitles as packets, all on one clock."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from model.errors import VideoError
from pipeline.media.clocks import Clock, FrameTimes
from pipeline.media.containers import open_input
from pipeline.media.truncation import is_cut_off

_CONTAINER_HZ = 1_000_000  # of a container's own times
# Where only its duration tells that a file is cut off, it has to miss more than a header that is
# not exact: seconds, and share of the whole. Other containers have no duration in their header.
_MISSED_S, _MISSED = 0.25, 0.02
_TELL_DURATION = ("asf", "flv")
# What FFmpeg calls the duration of these is the time of their end: their clock may start late.
_TELL_THE_END = ("asf", "matroska", "webm")


class Item(NamedTuple):
    """What comes next in a file: a decoded frame, or a packet of sound or subtitles."""

    frame: Any = None
    packet: Any = None


class Reader:
    """An open video; its frames come in order, with times that start at 0 or later and rise.

    Attributes:
        path: of the file.
        stream: its video stream (PyAV).
        first: its first frame (PyAV).
        damaged: pieces that could not be decoded so far.
        missing_s: seconds that are cut off its end, None where nothing is; known after the last
            item.
    """

    def __init__(self, path: Path) -> None:
        """Open `path` and decode as far as its first frame, which tells rotation and format.

        Raises:
            VideoError: it is missing, empty, cut off before the first frame, or has no pictures.
            BackendUnavailable: PyAV is not installed.
        """
        self.path = path
        self.damaged = 0
        self.missing_s: float | None = None
        self.container = open_input(path)
        try:
            self.stream = self._pictures()
            self._end_s = self._own_end_s = 0.0  # of what was read; the latter by the file's clock
            self._times = FrameTimes(self.stream)
            self._clock = Clock(self.container.format.name, [self.stream, *self.copied])
            self._items = self._demux()
            self._begin: list[Item] = []
            self.first: Any = self._to_first_frame()
        except BaseException:
            self.container.close()
            raise

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Close the file."""
        self.container.close()

    @property
    def frames(self) -> int | None:
        """How many there are, where the container tells."""
        return self.stream.frames or None

    @property
    def copied(self) -> list[Any]:
        """The streams that can be passed on as they are."""
        streams = self.container.streams
        # Without a codec context PyAV has no way to copy what the stream is.
        return [s for s in (*streams.audio, *streams.subtitles) if s.codec_context is not None]

    @property
    def left_out(self) -> list[Any]:
        """All other streams."""
        known = {self.stream.index, *(stream.index for stream in self.copied)}
        return [stream for stream in self.container.streams if stream.index not in known]

    def items(self) -> Iterator[Item]:
        """Everything, in the order of the file."""
        begin, self._begin = self._begin, []
        for item in itertools.chain(begin, self._items):
            self._clock.settle(item.frame or item.packet)
            yield item

    def notes(self) -> list[str]:
        """What could not be read, in words."""
        notes = []
        if self.damaged:
            pieces = "piece was" if self.damaged == 1 else "pieces were"
            notes.append(f"{self.damaged} damaged {pieces} passed over")
        if self.missing_s is not None:
            seconds = round(self.missing_s, 1)
            notes.append(
                f"damaged or cut off: the last {seconds} s cannot be read"
                if seconds
                else "damaged or cut off at its end"
            )
        return notes

    def _pictures(self) -> Any:
        best: Any = self.container.streams.best("video")
        if best is None:
            raise VideoError(f"{self.path} has no pictures; expected a video")
        if best.codec_context is None:
            raise VideoError(
                f"{self.path}: its pictures are of a kind without a decoder here; expected H.264, "
                "HEVC, VP9 or another common one. Convert it first"
            )
        best.thread_type = "AUTO"
        return best

    def _to_first_frame(self) -> Any:
        for item in self._items:
            self._begin.append(item)
            if item.frame is not None:
                self._clock.begin(item.frame)
                return item.frame
        raise VideoError(f"{self.path}: not one frame can be decoded; expected a whole video")

    def _demux(self) -> Iterator[Item]:
        import av

        packets = self.container.demux(self.stream, *self.copied)
        while True:
            try:
                packet = next(packets)
            # PyAV counts streams that FFmpeg found on the way, and fails on them at the end.
            except (StopIteration, IndexError, av.error.FFmpegError, OSError) as end:
                if (frame := self._times.last()) is not None:
                    yield Item(frame=frame)
                self.missing_s = self._missing_s(whole=isinstance(end, StopIteration | IndexError))
                return
            self._own_end_s = max(self._own_end_s, _end_s(packet))
            self._clock.move(packet)
            self._end_s = max(self._end_s, _end_s(packet))
            if packet.stream.index != self.stream.index:
                # The last packet of a stream is empty and has no time.
                if packet.pts is not None or packet.dts is not None:
                    yield Item(packet=packet)
                continue
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                self.damaged += bool(frame.is_corrupt)
                frame.pict_type = 0  # or the encoder would repeat the kinds of the original
                if (before := self._times.add(frame)) is not None:
                    yield Item(frame=before)

    def _missing_s(self, *, whole: bool) -> float | None:
        """How much earlier than its header says the file ends; FFmpeg itself calls that an end.

        Args:
            whole: FFmpeg met the end of the file, and no error.
        """
        format = self.container.format.name
        duration_s = (self.container.duration or 0) / _CONTAINER_HZ
        own_clock = any(name in format.split(",") for name in _TELL_THE_END)
        missing_s = duration_s - (self._own_end_s if own_clock else self._end_s)
        cut_off = is_cut_off(self.path, format)
        if cut_off is None and whole and format in _TELL_DURATION:
            cut_off = missing_s > max(_MISSED_S, _MISSED * duration_s)
        return max(0.0, missing_s) if cut_off or not whole else None


def _end_s(packet: Any) -> float:
    """When a packet's content ends, in seconds; 0 where it has no time."""
    if packet.pts is None:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)
