"""Swap the faces of a video; decoding, swapping and encoding run in parallel."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import VideoError
from model.files import new_beside, numbered, put_in_place
from pipeline.faces.pyramid import Pyramid
from pipeline.faces.tracking import Tracker
from pipeline.media import credentials, label
from pipeline.media.frames import repaint
from pipeline.media.reader import Item, Reader
from pipeline.media.writer import Writer
from pipeline.overlap import Ahead, Behind
from pipeline.people import assign
from pipeline.progress import Progress
from pipeline.request import Outcome, Request
from pipeline.swap import FaceSwapper

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)  # commands turn both into KeyboardInterrupt


def swap_video(
    swapper: FaceSwapper, target: Path, output: Path, request: Request, *, progress: bool = True
) -> Outcome:
    """Swap the faces of a video; sound, subtitles, timing and rotation are the target's.

    Memory use does not grow with the length. Frames without a face are encoded as they are. On
    Ctrl-C the frames done so far are finished as a playable file: `output`, or, where that exists
    already, `<name>.partial<suffix>` beside it, with a number if that exists too.

    Args:
        swapper: the loaded models.
        target: any video that FFmpeg reads.
        output: its suffix decides the container.
        request: what to do.
        progress: show it on stderr.

    Raises:
        VideoError: the target cannot be read or shows no face at all, or the output cannot be
            written. An earlier `output` stays as it was.
    """
    beside = None
    handlers = {number: signal.getsignal(number) for number in _INTERRUPTS}
    try:
        beside = new_beside(output)
        with Reader(target) as reader:
            shown = Progress(reader.frames, target.name, shown=progress)
            with Writer(
                beside, output.suffix, reader,
                labelled=request.label, keep_metadata=request.keep_metadata,
            ) as writer:  # fmt: skip
                run = _Run(swapper, writer, request, shown)
                run.through(reader)
        if not run.frames:
            raise KeyboardInterrupt  # before the first frame: there is nothing to keep
        if not run.swapped and not run.interrupted:
            why = (
                "no face found"
                if not run.most_faces
                else (f"--map names no face that is there ({run.most_faces} at most, largest is 0)")
            )
            raise VideoError(f"{target}: {why} in any of {run.frames} frames; nothing was written")
        place = output
        if run.interrupted and output.exists():
            partial = output.with_name(f"{output.stem}.partial{output.suffix}")
            place = next(name for name in numbered(partial) if not name.exists())
        put_in_place(beside, place)
    except OSError as error:
        raise VideoError(f"{output} cannot be written: {error.strerror or error}") from None
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)
        for number, handler in handlers.items():
            if signal.getsignal(number) != handler:
                signal.signal(number, handler)
    if request.credentials:
        credentials.sign(place, request.credentials)
    report = {
        "frames": run.frames,
        "frames_without_face": run.frames - run.swapped,
        "damaged": reader.damaged,
        "scene_cuts": run.tracker.cuts,
        "fps": round(shown.fps, 2),
        "interrupted": run.interrupted,
    }
    return Outcome(place, report, (*reader.notes(), *writer.notes(), *run.notes()))


class _Run:
    """One pass over a video. The models run in the calling thread."""

    def __init__(
        self, swapper: FaceSwapper, writer: Writer, request: Request, shown: Progress
    ) -> None:
        self.frames = self.swapped = self.most_faces = 0
        self.interrupted = False
        self.tracker = Tracker(swapper.detector, thorough=request.thorough)
        self._swapper, self._writer, self._request, self._shown = swapper, writer, request, shown

    def through(self, reader: Reader) -> None:
        """Swap all frames, until the end or Ctrl-C."""
        source, sink = Ahead(self._decoded(reader.items())), Behind(self._encode)
        try:
            for item in source:
                if item.frame is None:
                    sink.put(item)
                    continue
                frame, faces = self._swap(item.frame)
                sink.put(Item(frame=frame))
                self.frames += 1
                self.swapped += faces > 0
                self._shown.step()
        except KeyboardInterrupt:
            self.interrupted = True
            for number in _INTERRUPTS:  # a second one would break the file
                signal.signal(number, signal.SIG_IGN)
        finally:
            source.close()
            self._shown.close()
            sink.close()

    def _decoded(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, frames fitted for encoding. The time of a frame includes packets before it."""
        spent_s = 0.0
        while True:
            start = time.perf_counter()
            item = next(items, None)
            if item is not None and item.frame is not None:
                item = Item(frame=self._writer.fitting.fit(item.frame))
            spent_s += time.perf_counter() - start
            if item is None:
                return
            if item.frame is not None:
                self._swapper.watch.add("decode", spent_s * 1e3)
                spent_s = 0.0
            yield item

    def _encode(self, item: Item) -> None:
        if item.frame is None:
            return self._writer.put(item)
        with self._swapper.watch.time("encode"):
            self._writer.put(item)

    def notes(self) -> list[str]:
        """Notes for the user about the frames."""
        notes = []
        if without := self.frames - self.swapped:
            what = "no face that --map names" if self._request.pairs else "no face"
            notes.append(f"{without} of {self.frames} frames show {what} and passed through")
        if self.interrupted:
            notes.append(f"interrupted: the file holds the {self.frames} frames done so far")
        return notes

    def _swap(self, frame: Any) -> tuple[Any, int]:
        """The frame, its faces swapped in place, and how many they are."""
        # Faces are looked for as the film is shown, since a phone films lying down.
        orientation = self._writer.fitting.orientation
        before = frame.to_ndarray(format="rgb24")
        picture = Pyramid(np.ascontiguousarray(orientation.upright(before)))
        seconds = float((frame.pts or 0) * (frame.time_base or Fraction(1, 25)))
        with self._swapper.watch.time("detect"):
            faces = self.tracker.step(picture, seconds)
        self.most_faces = max(self.most_faces, len(faces))
        request = self._request
        pairs = assign(faces, request.people, request.faces, request.pairs)
        if not pairs and not request.badge:
            return frame, 0
        result = self._swapper.put(picture, pairs, request.blend)
        if request.badge:
            label.stamp(result)
        repaint(frame, before, orientation.stored(result))
        return frame, len(pairs)
