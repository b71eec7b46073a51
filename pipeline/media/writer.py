"""Write a video as like the one that is read as possible: pictures encoded, the rest copied."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from model.errors import VideoError
from pipeline.media import tags
from pipeline.media.clocks import rate_of
from pipeline.media.colour import FULL
from pipeline.media.containers import (
    CONTAINERS,
    can_hold,
    open_output,
    reason,
    suffix_for,
)
from pipeline.media.fitting import Fitting
from pipeline.media.label import container_metadata
from pipeline.media.reader import Item, Reader
from pipeline.media.reorder import DecodingOrder


class Writer:
    """A video being written.

    Attributes:
        fitting: makes encodable frames of decoded ones; `put` takes no others.
    """

    def __init__(
        self,
        path: Path,
        suffix: str,
        reader: Reader,
        *,
        labelled: bool,
        keep_metadata: bool = False,
    ) -> None:
        """Open the file and write its header.

        Args:
            path: where to write.
            suffix: which container, see `CONTAINERS`.
            reader: gives size, timing, orientation, colours, metadata and what is copied.
            labelled: say in the metadata that it is synthetic.
            keep_metadata: keep what tells where and with which device the film was taken.

        Raises:
            VideoError: it cannot hold the sound of the original, its colours cannot be read, or
                FFmpeg refuses it.
        """
        self._notes: list[str] = []
        self._keep_metadata = keep_metadata
        format, (encoder, options) = CONTAINERS[suffix.lower()]
        self.fitting = Fitting(reader.path, reader.stream, reader.first, encoder)
        self.container = open_output(path, format)
        try:
            self._set_metadata(reader, labelled)
            self._stream = self._add_video(reader, encoder, options)
            self._copies = self._add_copies(reader.copied, suffix)
            self._start(suffix)
        except BaseException:
            self.container.close()
            raise
        if not self.fitting.orientation.is_exact and format not in ("mp4", "mov"):
            self._notes.append(f"the display matrix cannot go into {suffix} exactly")
        self._notes += _left_out(reader.left_out)
        self._last_dts: dict[int, int] = {}
        self._rises = int(format in ("mp4", "mov"))  # Matroska takes packets of one time
        self._order = DecodingOrder(rate_of(reader.stream))

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
                self._encode(None)
            self.container.close()
        except av.error.FFmpegError as error:
            if kind is None:
                raise VideoError(f"the video cannot be finished: {reason(error)}") from None

    def put(self, item: Item) -> None:
        """Encode a frame, or copy a packet.

        Raises:
            VideoError: FFmpeg refuses it.
        """
        import av

        try:
            self._put(item)
        except av.error.FFmpegError as error:
            raise VideoError(f"the video cannot be encoded: {reason(error)}") from None

    def notes(self) -> list[str]:
        """What could not be kept, in words; whole after the last frame."""
        return [*self.fitting.notes(), *self._notes]

    def _start(self, suffix: str) -> None:
        import av

        try:
            self.container.start_encoding()
        except av.error.FFmpegError as error:
            log: Any = error.log  # level, name and text of the last line
            said = f" ({log[2].strip()})" if log else ""
            raise VideoError(
                f"a {suffix} with these streams cannot be written: {reason(error)}{said}"
            ) from None

    def _put(self, item: Item) -> None:
        if item.packet is None:
            self._encode(item.frame)
            return
        index = item.packet.stream.index
        if index in self._copies:
            self._keep_order(item.packet, index)
            item.packet.stream = self._copies[index]
            self.container.mux(item.packet)

    def _encode(self, frame: Any) -> None:
        """Encode a frame, or, for None, all that are held."""
        for known in self._order.frames(frame):
            self._mux(self._stream.encode(known))
        if frame is None:
            self._mux(self._stream.encode(None))

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            self.container.mux(self._order.settle(packet) if self._rises else packet)

    def _keep_order(self, packet: Any, index: int) -> None:
        """Give a packet the times that muxers want, in the time base of the result.

        One that does not come after the last of its stream, as in damaged files, is moved behind
        it. Sound without a duration gets the distance to the packet before: MP4 drops a last packet
        of none.
        """
        base = self._copies[index].time_base
        scale = packet.time_base / base
        duration = round((packet.duration or 0) * scale)
        dts = round((packet.pts if packet.dts is None else packet.dts) * scale)
        pts = dts if packet.pts is None else round(packet.pts * scale)
        if index in self._last_dts:
            last = self._last_dts[index]
            if packet.stream.type == "audio" and not duration:
                duration = max(0, dts - last)
            dts = max(dts, last + self._rises)
        packet.time_base, packet.duration = base, duration
        packet.dts, packet.pts = dts, max(pts, dts)
        self._last_dts[index] = dts

    def _set_metadata(self, reader: Reader, labelled: bool) -> None:
        keep_all = self._keep_metadata
        kept = tags.of_container(reader.container.metadata, keep_all=keep_all)
        self.container.metadata.update(container_metadata(kept) if labelled else kept)
        self.container.set_chapters(
            [
                {**chapter, "metadata": tags.of_container(chapter["metadata"], keep_all=keep_all)}
                for chapter in reader.container.chapters()
            ]
        )

    def _add_video(self, reader: Reader, encoder: str, options: dict[str, str]) -> Any:
        from av.codec.context import Flags

        original, fitting = reader.stream, self.fitting
        rate = rate_of(original)
        stream: Any = self.container.add_stream(encoder, rate=rate, options=options)
        stream.width, stream.height = fitting.size
        stream.pix_fmt = fitting.pixel_format
        stream.thread_type = "AUTO"
        context = stream.codec_context
        context.time_base = reader.first.time_base
        context.flags |= Flags.frame_duration
        if fitting.interlaced:
            context.flags |= Flags.interlaced_dct
            context.field_order = original.codec_context.field_order
        colours = fitting.colours
        context.color_range = FULL if "yuvj" in fitting.pixel_format else colours.range
        context.colorspace = colours.matrix
        context.color_primaries, context.color_trc = colours.primaries, colours.transfer
        if fitting.aspect:
            context.sample_aspect_ratio = fitting.aspect
        stream.set_display_matrix(fitting.orientation.matrix)
        stream.metadata.update(tags.of_stream(original.metadata, keep_all=self._keep_metadata))
        return stream

    def _add_copies(self, streams: Iterable[Any], suffix: str) -> dict[int, Any]:
        """A stream of the result for each that can be copied, by its index in the original."""
        copies = {}
        for stream in streams:
            name = stream.codec_context.codec.canonical_name
            if can_hold(self.container, name):
                copy = self.container.add_stream_from_template(stream)
                copy.metadata.update(tags.of_stream(stream.metadata, keep_all=self._keep_metadata))
                copy.disposition = stream.disposition
                copies[stream.index] = copy
            elif stream.type == "audio":
                other = suffix_for(name)
                advice = f"give an {other} with -o" if other else "convert the sound to AAC first"
                raise VideoError(f"sound in {name} cannot go into {suffix}; {advice}")
            else:
                self._notes.append(f"subtitles in {name} cannot go into {suffix}, and are left out")
        return copies


def _left_out(streams: Iterable[Any]) -> list[str]:
    """Notes about streams that are not in the result."""
    notes, others = [], []
    for stream in streams:
        if stream.type in ("audio", "subtitle"):
            what = "sound" if stream.type == "audio" else "subtitles"
            verb = "is" if stream.type == "audio" else "are"
            notes.append(
                f"the {what} of stream {stream.index} {verb} of an unknown kind and {verb} left out"
            )
        else:
            others.append(stream.type)
    return [*notes, *([f"further streams are left out: {', '.join(others)}"] if others else [])]
