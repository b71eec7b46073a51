"""Video files in and out through PyAV: pictures decoded and encoded, everything else copied."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from model.errors import BackendUnavailable, VideoError
from pipeline.media.label import container_metadata

# Suffix of a result: FFmpeg's name of the container, the encoder and its options. 18 can hardly be
# told from the original; the preset leaves the processor to the generator.
_X264 = ("libx264", {"crf": "18", "preset": "veryfast"})
_VP9 = ("libvpx-vp9", {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6"})
CONTAINERS: dict[str, tuple[str, tuple[str, dict[str, str]]]] = {
    ".mp4": ("mp4", _X264),
    ".m4v": ("mp4", _X264),
    ".mov": ("mov", _X264),
    ".mkv": ("matroska", _X264),
    ".webm": ("webm", _VP9),
}
_KEPT_FORMATS = tuple(f"yuv{full}{chroma}p" for full in ("", "j") for chroma in (420, 422, 444))
_OF_THE_FILE = ("major_brand", "minor_version", "compatible_brands", "encoder")
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_CONTAINER_HZ = 1_000_000  # of a container's own times
# A file that ends by more before its time is cut off; less may be a header that is not exact.
_MISSED_S, _MISSED = 0.25, 0.02


class Item(NamedTuple):
    """What comes next in a file: a decoded frame, or a packet of sound or subtitles."""

    frame: Any = None
    packet: Any = None


class Reader:
    """An open video; its frames come in order, with times that rise."""

    def __init__(self, path: Path) -> None:
        """Open `path` and decode as far as its first frame, which tells rotation and format.

        Raises:
            VideoError: it is missing, empty, cut off before the first frame, or has no pictures.
            BackendUnavailable: PyAV is not installed.
        """
        if importlib.util.find_spec("av") is None:
            raise BackendUnavailable("video needs PyAV, which is missing. pip install -e '.[swap]'")
        import av

        self.path = path
        self.damaged = 0
        self.missing_s = 0.0
        try:
            self.container = av.open(str(path))
        except (av.error.FFmpegError, OSError) as error:
            empty = path.exists() and path.stat().st_size == 0
            why = "it is empty" if empty else getattr(error, "strerror", None) or str(error)
            raise VideoError(f"{path} cannot be read: {why}; expected a whole video") from None
        best: Any = self.container.streams.best("video")
        if best is None:
            self.container.close()
            raise VideoError(f"{path} has no pictures; expected a video")
        best.thread_type = "AUTO"
        self.stream = best
        self._last_pts: int | None = None
        self._end_s = 0.0
        self._items = self._demux()
        self._begin: list[Item] = []
        for item in self._items:
            self._begin.append(item)
            if item.frame is not None:
                break
        else:
            self.container.close()
            raise VideoError(f"{path}: not one frame can be decoded; expected a whole video")
        self.first: Any = self._begin[-1].frame

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
        """The streams that are passed on as they are."""
        streams = self.container.streams
        return [*streams.audio, *streams.subtitles]

    def items(self) -> Iterator[Item]:
        """Everything, in the order of the file."""
        yield from self._begin
        self._begin = []
        yield from self._items

    def notes(self) -> list[str]:
        """What could not be read, in words."""
        notes = []
        if self.damaged:
            pieces = "piece was" if self.damaged == 1 else "pieces were"
            notes.append(f"{self.damaged} damaged {pieces} passed over")
        if self.missing_s:
            notes.append(f"damaged or cut off: the last {self.missing_s:.1f} s cannot be read")
        if self.first.format.components[0].bits > 8:
            notes.append(f"{self.first.format.components[0].bits} bits per channel become 8")
        return notes

    def _demux(self) -> Iterator[Item]:
        import av

        packets = self.container.demux(self.stream, *self.copied)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError, OSError):
                self.missing_s = self._missing_s()
                return
            if packet.pts is not None:
                end = packet.pts + (packet.duration or 0)
                self._end_s = max(self._end_s, float(end * packet.time_base))
            if packet.stream.index != self.stream.index:
                if packet.dts is not None:  # the last one, which only ends its stream
                    yield Item(packet=packet)
                continue
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                yield Item(frame=self._timed(frame))

    def _missing_s(self) -> float:
        """How much earlier than its header says the file ends; FFmpeg itself calls that an end."""
        duration, start = self.container.duration or 0, self.container.start_time or 0
        missing = (start + duration) / _CONTAINER_HZ - self._end_s
        return missing if missing > max(_MISSED_S, _MISSED * duration / _CONTAINER_HZ) else 0.0

    def _timed(self, frame: Any) -> Any:
        """The frame, its time after that of the last one, its kind left to the encoder."""
        self.damaged += bool(frame.is_corrupt)
        last = self._last_pts
        if frame.pts is None or (last is not None and frame.pts <= last):
            frame.pts = 0 if last is None else last + 1
        self._last_pts = frame.pts
        frame.pict_type = 0  # or the encoder would repeat the kinds of the original
        return frame


class Writer:
    """A video being written, as like the one that is read as can be.

    Attributes:
        pixel_format: FFmpeg's name of what is encoded.
        notes: what could not be kept, in words.
    """

    def __init__(self, path: Path, suffix: str, reader: Reader, *, labelled: bool) -> None:
        """Open `path`.

        Args:
            path: where to write.
            suffix: which container, see `CONTAINERS`.
            reader: gives size, timing, rotation, colours, metadata and what is copied.
            labelled: say in the metadata that it is synthetic.

        Raises:
            VideoError: it cannot be opened, or cannot hold the sound of the original.
        """
        import av

        self.notes: list[str] = []
        format, (encoder, options) = CONTAINERS[suffix.lower()]
        movie = {"movflags": "use_metadata_tags"} if format in ("mp4", "mov") else {}
        try:
            self.container = av.open(str(path), "w", format=format, options=movie)
        except (av.error.FFmpegError, OSError) as error:
            raise VideoError(f"{path.parent} cannot be written to: {error.strerror}") from None
        self._set_metadata(reader, labelled)
        self._stream = self._add_video(reader, encoder, options)
        self.pixel_format = str(self._stream.pix_fmt)
        self._copies = {}
        for stream in reader.copied:
            name = stream.codec_context.codec.canonical_name
            if name in self.container.supported_codecs:
                copy = self.container.add_stream_from_template(stream)
                copy.metadata.update(stream.metadata)
                copy.disposition = stream.disposition
                self._copies[stream.index] = copy
            elif stream.type == "audio":
                self.container.close()
                raise VideoError(f"sound in {name} cannot go into {suffix}; give an .mkv with -o")
            else:
                self.notes.append(f"subtitles in {name} cannot go into {suffix}, and are left out")

        known = {reader.stream.index, *(stream.index for stream in reader.copied)}
        others = [s.type for s in reader.container.streams if s.index not in known]
        if others:
            self.notes.append(f"further streams are left out: {', '.join(others)}")

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """Finish the file, so that it plays; after an error only close it.

        Raises:
            VideoError: FFmpeg cannot finish it.
        """
        import av

        try:
            if kind is None:
                self.container.mux(self._stream.encode(None))
            self.container.close()
        except av.error.FFmpegError as error:
            if kind is None:
                raise VideoError(f"the video cannot be finished: {error}") from None

    def put(self, item: Item) -> None:
        """Encode a frame, or copy a packet.

        Raises:
            VideoError: FFmpeg refuses it.
        """
        import av

        try:
            self._put(item)
        except av.error.FFmpegError as error:
            raise VideoError(f"the video cannot be encoded: {error}") from None

    def _put(self, item: Item) -> None:
        if item.packet is not None:
            if item.packet.stream.index in self._copies:
                item.packet.stream = self._copies[item.packet.stream.index]
                self.container.mux(item.packet)
            return
        frame, stream = item.frame, self._stream
        wanted = (stream.width, stream.height, self.pixel_format)
        if (frame.width, frame.height, frame.format.name) != wanted:
            frame = frame.reformat(*wanted)
        self.container.mux(stream.encode(frame))

    def _set_metadata(self, reader: Reader, labelled: bool) -> None:
        kept = {k: v for k, v in reader.container.metadata.items() if k not in _OF_THE_FILE}
        self.container.metadata.update(container_metadata(kept) if labelled else kept)
        self.container.set_chapters(reader.container.chapters())

    def _add_video(self, reader: Reader, encoder: str, options: dict[str, str]) -> Any:
        original, first = reader.stream, reader.first
        rate = original.average_rate or original.guessed_rate or Fraction(25)
        stream: Any = self.container.add_stream(encoder, rate=rate, options=options)
        stream.width, stream.height = first.width, first.height
        stream.pix_fmt = _pixel_format(first, encoder)
        stream.thread_type = "AUTO"
        context = stream.codec_context
        context.time_base = first.time_base
        for name in ("color_range", "colorspace", "color_primaries", "color_trc"):
            setattr(context, name, getattr(original.codec_context, name))
        if "yuvj" in first.format.name:
            context.color_range = _FULL_RANGE
        if original.codec_context.sample_aspect_ratio:
            context.sample_aspect_ratio = original.codec_context.sample_aspect_ratio
        if first.rotation:
            stream.set_display_rotation(first.rotation)
        stream.metadata.update(original.metadata)
        return stream


def _pixel_format(frame: Any, encoder: str) -> str:
    """That of the original where the encoder has it; 8 bits in any case."""
    if encoder != "libx264":
        return "yuv420p"
    if frame.format.name in _KEPT_FORMATS:
        return str(frame.format.name)
    # Half the colours need even edges.
    return "yuv444p" if frame.width % 2 or frame.height % 2 else "yuv420p"
