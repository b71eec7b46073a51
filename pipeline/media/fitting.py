"""Decoded frames in the size, pixel format and colours that the encoder takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from model.errors import VideoError
from pipeline.media import colour
from pipeline.media.bars import between_bars, inside
from pipeline.media.geometry import Orientation, square_pixels

_BLACK = 16  # luma in the limited range
_LARGEST = 16_383  # pixels of an edge, VP9's limit


class Fitting:
    """One way from decoded to encodable frames, the same for frames with a face and without.

    Attributes:
        size: width and height of every frame of the result.
        pixel_format: FFmpeg's name, 8 bits and planar.
        aspect: width by height of a pixel of the result; None where it is not known.
        colours: of the result.
        orientation: of the film.
        interlaced: whether the result is.
    """

    def __init__(self, path: Path, stream: Any, first: Any, encoder: str) -> None:
        """Plan by the first frame.

        Args:
            path: of the film, for messages.
            stream: its video stream (PyAV).
            first: its first frame.
            encoder: FFmpeg's name.

        Raises:
            VideoError: the colours of the film cannot be read.
        """
        from av.video.reformatter import VideoReformatter

        self._path, self._reformatter = path, VideoReformatter()
        self._notes: list[str] = []
        self.size = (first.width, first.height)
        self.aspect = stream.sample_aspect_ratio
        if encoder != "libx264":  # VP9 does not store it, and PyAV cannot store it in WebM
            self.size = self._squared(first)
            self.aspect = None
        self.pixel_format = colour.pixel_format(first, encoder, self.size)
        context = stream.codec_context
        colours = colour.colours_of(first, context, encoder)
        if colours is None:
            name = colour.name_of_matrix(int(first.colorspace))
            raise VideoError(
                f"{path} stores its colours as {name}, which cannot be read; expected YCbCr or "
                "RGB. Convert it first"
            )
        self.colours = colours
        self._notes += [*colours.notes, *colour.loss(first, self.pixel_format)]
        if stream.metadata.get("alpha_mode") == "1":  # VP8 and VP9 keep it beside the pictures
            self._notes.append(colour.ALPHA_LOST)
        self.orientation = Orientation.of(first)
        self.interlaced = bool(first.interlaced_frame) and encoder == "libx264"
        self._first_size = (first.width, first.height)
        self._resized = self._progressive = 0

    def fit(self, frame: Any) -> Any:
        """The frame as it will be encoded; itself where it is so already.

        Raises:
            VideoError: FFmpeg cannot convert it.
        """
        import av

        try:
            return colour.conform(self._converted(frame), self.colours)
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoError(
                f"{self._path}: a frame of {frame.width}x{frame.height} {frame.format.name} cannot "
                f"be converted to {self.pixel_format}: {error}"
            ) from None

    def notes(self) -> list[str]:
        """What could not be kept, in words; whole after the last frame."""
        notes = [*self._notes]
        if self._progressive:
            notes.append(f"{self._progressive} interlaced frames are stored as progressive")
        if self._resized:
            width, height = self.size
            notes.append(
                f"{self._resized} frames of another size are scaled to fit {width}x{height}, with "
                "black bars where their shape differs"
            )
        return notes

    def _converted(self, frame: Any) -> Any:
        self._progressive += bool(frame.interlaced_frame) and not self.interlaced
        self._resized += (frame.width, frame.height) != self._first_size
        fits = (frame.width, frame.height) == self.size and frame.format.name == self.pixel_format
        if fits and not self.colours.converts:
            return frame
        size = self._size_of(frame)
        if self.colours.stored == colour.YCGCO:
            frame = self._scaled(colour.conform(frame, self.colours), "yuv444p", size)
            frame = colour.from_ycgco(frame, self.colours.range)
        scaled = self._scaled(frame, self.pixel_format, size)
        if size == self.size:
            return scaled
        full = "yuvj" in self.pixel_format or self.colours.range == colour.FULL
        return between_bars(scaled, self.size, 0 if full else _BLACK)

    def _size_of(self, frame: Any) -> tuple[int, int]:
        """The size at which a frame is stored in the result, without bars."""
        if (frame.width, frame.height) == self._first_size:
            return self.size
        # Its pixels have the shape of the first frame's, which WebM's size has made square.
        wide, high = (new / old for new, old in zip(self.size, self._first_size, strict=True))
        return inside((frame.width * wide, frame.height * high), self.size)

    def _scaled(self, frame: Any, format: str, size: tuple[int, int]) -> Any:
        colours = self.colours
        if not frame.format.is_rgb:
            frame.colorspace = colours.matrix if colours.stored == colour.YCGCO else colours.stored
        return self._reformatter.reformat(
            frame,
            *(size or self.size),
            format,
            dst_colorspace=colours.matrix,
            dst_color_range=colours.range,
        )

    def _squared(self, first: Any) -> tuple[int, int]:
        size = square_pixels(first.width, first.height, self.aspect)
        if size == self.size:
            return size
        pixels = f"pixels of {self.aspect.numerator}:{self.aspect.denominator}"
        if max(size) > _LARGEST:
            self._notes.append(
                f"{pixels} are shown as square ones: {size[0]}x{size[1]} is too large"
            )
            return self.size
        self._notes.append(
            f"{pixels} become square: {first.width}x{first.height} is stored as {size[0]}x{size[1]}"
        )
        return size
