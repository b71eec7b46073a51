"""One clock for all streams of a video: it starts at 0 and never jumps back."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

_JUMP_BACK_S = 1  # packets of one stream come in order; by less a damaged file may go back
_JUMP_AHEAD_S = 60  # longer gaps in a transport stream are a clock that was set anew
_JUMPING = ("mpegts", "mpeg")  # containers whose clock may be set anew in the middle of a file
_RATE = Fraction(25)  # where neither container nor decoder tells one


class Clock:
    """Moves the times of packets, then of items, so that the earliest stream starts at 0.

    The offsets between streams stay. Where the clock of the file jumps (joined transport streams),
    it goes on where it was, by the same amount for all streams.
    """

    def __init__(self, format: str, streams: Sequence[Any]) -> None:
        """Take the start from the header.

        Args:
            format: FFmpeg's name of the container.
            streams: PyAV streams whose packets will be moved; the first is the video.
        """
        starts = [s.start_time * s.time_base for s in streams if s.start_time is not None]
        self._offsets = [-min(starts, default=Fraction(0))]
        self._late = Fraction(0)
        others = [s.start_time * s.time_base for s in streams[1:] if s.start_time is not None]
        self._others = min(others, default=None)
        self._jumps = any(name in format.split(",") for name in _JUMPING)
        self._epoch = {stream.index: 0 for stream in streams}
        self._next: dict[int, Fraction] = {}

    def move(self, packet: Any) -> None:
        """Set the times of a packet to this clock, in place, in its own time base."""
        index, base = packet.stream.index, packet.time_base
        # Times of decoding may be FFmpeg's guess, which goes on over a jump.
        stored = packet.pts if packet.pts is not None else packet.dts
        if stored is None:
            return
        if packet.stream.type == "subtitle":  # too few to tell a jump from a pause
            self._epoch[index] = len(self._offsets) - 1
        elif self._jumps:
            self._look_for_a_jump(index, stored * base)
        ticks = round(self._offsets[self._epoch[index]] / base)
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks
        ends = (stored + ticks + (packet.duration or 0)) * base
        self._next[index] = max(ends, self._next.get(index, ends))

    def begin(self, first: Any) -> None:
        """Take the first frame for the start of the video: those before cannot be decoded.

        Args:
            first: a frame (PyAV) whose packet was moved.
        """
        starts = [first.pts * first.time_base]
        if self._others is not None:
            starts.append(self._others + self._offsets[0])
        self._late = max(Fraction(0), min(starts))

    def settle(self, frame_or_packet: Any) -> None:
        """Move a frame or packet that is given out, in place, so that the first is at 0."""
        ticks = round(self._late / frame_or_packet.time_base)
        if frame_or_packet.pts is not None:
            frame_or_packet.pts -= ticks
        if frame_or_packet.dts is not None:
            frame_or_packet.dts -= ticks

    def _look_for_a_jump(self, index: int, stored_s: Fraction) -> None:
        expected = self._next.get(index)
        if expected is None:
            return
        ahead = stored_s + self._offsets[self._epoch[index]] - expected
        if -_JUMP_BACK_S <= ahead <= _JUMP_AHEAD_S:
            return
        self._epoch[index] += 1
        if self._epoch[index] == len(self._offsets):  # the first stream to jump sets the amount
            self._offsets.append(expected - stored_s)


def rate_of(stream: Any) -> Fraction:
    """Frames a second of a video stream (PyAV): as measured, as its header says, or 25."""
    return Fraction(stream.average_rate or stream.guessed_rate or _RATE)


class FrameTimes:
    """Gives every frame a time after the one before, and the time until the next as duration."""

    def __init__(self, stream: Any) -> None:
        """Take the frame rate of the video stream, for frames without a time."""
        self._default_s = 1 / rate_of(stream)
        self._held: Any = None

    def add(self, frame: Any) -> Any:
        """Hold `frame` until its duration is known; return the frame before, or None."""
        before, self._held = self._held, frame
        if before is None:
            frame.pts = 0 if frame.pts is None else frame.pts
            return None
        if frame.pts is None:
            frame.pts = before.pts + self._own_duration(before)
        frame.pts = max(frame.pts, before.pts + 1)
        before.duration = frame.pts - before.pts
        return before

    def last(self) -> Any:
        """The frame that is still held, with the duration that the file gives it; or None."""
        frame, self._held = self._held, None
        if frame is not None:
            frame.duration = self._own_duration(frame)
        return frame

    def _own_duration(self, frame: Any) -> int:
        return frame.duration or max(1, round(self._default_s / frame.time_base))
