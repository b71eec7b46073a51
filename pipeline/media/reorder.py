"""Times of decoding for B-frames, such that MP4 keeps how long every frame is shown.

MP4 stores no times. It stores how long each frame lasts, in the order of decoding, and how far each
is shown after it is decoded. x264 takes the times of decoding from those of earlier frames, so with
B-frames a frame gets the duration of another one, and the last frame loses its own. Here the time
of decoding is the sum of the durations of all frames decoded before, so each frame has its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

_LEAD_FRAMES = 3  # two are decoded early at most; the third leaves room for uneven durations
_MOST_LEAD_S = Fraction(1, 2)
_P = 2  # FFmpeg's number of that kind of picture


class DecodingOrder:
    """Chooses which frames may be B-frames, and sets the times of encoded packets."""

    def __init__(self, rate: Fraction) -> None:
        """Prepare for a film.

        Args:
            rate: frames a second, on average.
        """
        self._lead_s = min(_LEAD_FRAMES / rate, _MOST_LEAD_S)
        self._held: Any = None
        self._next_dts: int | None = None

    def frames(self, frame: Any) -> Iterator[Any]:
        """The frames to encode now; each is held until the next one is known.

        A long frame must not be decoded before others that are shown before it: they would be
        late. A frame that is no B-frame directly before it prevents that.

        Args:
            frame: the next one, with its time and duration; None after the last.
        """
        before, self._held = self._held, frame
        if before is None:
            return
        if frame is not None and 2 * frame.duration * frame.time_base > self._lead_s:
            before.pict_type = _P
        yield before

    def settle(self, packet: Any) -> Any:
        """The packet, its time of decoding set in place; packets come in the order of decoding."""
        if self._next_dts is None:
            self._next_dts = packet.pts - round(self._lead_s / packet.time_base)
        packet.dts = min(self._next_dts, packet.pts)
        self._next_dts = packet.dts + max(1, packet.duration or 0)
        return packet
