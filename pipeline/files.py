"""Swap faces from file to file: one photo, or a folder of photos and videos."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from model.errors import BadInput, FaceSwapError, ImageError, UsageError
from model.files import numbered
from pipeline.faces.pyramid import Pyramid
from pipeline.media import credentials, label, photo
from pipeline.media.containers import CONTAINERS
from pipeline.media.kinds import kind_of
from pipeline.people import assign
from pipeline.progress import Progress
from pipeline.request import Outcome, Request
from pipeline.swap import FROM_THE_SIDE, FaceSwapper

VIDEOS = (
    *CONTAINERS,
    *(".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".3gp", ".wmv", ".flv", ".ogv"),
)


def is_video(target: Path) -> bool:
    """Whether a file is taken for a video: by its content, or by its name where that is foreign."""
    kind = kind_of(target)
    return kind == "video" if kind else _named_video(target)


def _named_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEOS


def _is_target(path: Path) -> bool:
    """Whether a file of a folder is to be swapped: a photo or a video, by its content or name."""
    return path.is_file() and (_named(path) or kind_of(path) is not None)


def _named(path: Path) -> bool:
    """Whether a name is that of a photo or a video."""
    return path.suffix.lower() in (*photo.READABLE, *VIDEOS)


def output_of(target: Path, output: Path) -> Path:
    """The file that the result of a single target goes into: `output`, or its place in there."""
    return output / _result_name(target) if output.is_dir() else output


def spare(output: Path, given: Iterable[Path]) -> None:
    """Refuse an output that is one of the files `given`, which would be lost.

    Raises:
        UsageError: it is.
    """
    # os.path, unlike Path, takes a name that no file can have for one that is not there.
    exists = os.path.exists
    if any(exists(output) and exists(path) and output.samefile(path) for path in given):
        raise UsageError(f"{output} was given, and the result would overwrite it; name another")


def check_given(given: Iterable[Path]) -> None:
    """Refuse files that are not there, before the models are loaded.

    Raises:
        BadInput: one is not.
    """
    for path in given:
        if not os.path.exists(path):
            raise BadInput(f"there is no {path}; give a photo, or an identity that ends in .npy")


def check_output(target: Path, output: Path, given: Sequence[Path] = ()) -> None:
    """Refuse an output that cannot be written, before any work is done.

    Args:
        target: photo, video or folder.
        output: where the result is to go.
        given: files that must not be overwritten.

    Raises:
        BadInput: the target is neither a photo nor a video.
        ImageError: a photo is to become a file of an unknown kind.
        UsageError: a video is to become a photo, its folder does not exist, it was given, or the
            results of a folder are to go into a single file.
    """
    if target.is_dir():
        if output.is_file():
            raise UsageError(f"{target} is a folder and {output} a file; give a folder with -o")
        if not output.exists() and _named(output):
            raise UsageError(
                f"{target} is a folder and {output} is named as a file; give a folder with -o"
            )
        return
    into = output_of(target, output)
    spare(into, given)
    if not into.parent.is_dir():
        raise UsageError(f"there is no folder {into.parent}; make it, or name another with -o")
    if is_video(target) != _named_video(into):
        if not _is_target(target):
            raise BadInput(
                f"{target.name} is neither a photo nor a video, by its content and its name"
            )
        kind, suffixes = ("video", CONTAINERS) if is_video(target) else ("photo", photo.WRITABLE)
        raise UsageError(f"{target.name} is a {kind}; -o must end in one of {', '.join(suffixes)}")
    if not _named_video(into):
        photo.check_writable(into)
    elif into.suffix.lower() not in CONTAINERS:
        raise UsageError(f"{into.name} cannot be written; expected {', '.join(CONTAINERS)}")


def swap_photo(
    swapper: FaceSwapper, target: Path, output: Path, request: Request, *, progress: bool = True
) -> Outcome:
    """Swap the faces of one photo.

    Args:
        swapper: the loaded models.
        target: the photo.
        output: where the result goes; its suffix decides the format.
        request: what to do.
        progress: show a long search for faces on stderr.

    Raises:
        ImageError: the photo cannot be read or has no face, or the result cannot be written.
            Nothing is written then.
        UsageError: the output's suffix is unknown.
    """
    photo.check_writable(output)
    with swapper.watch.time("read"):
        taken = photo.read(target, keep_metadata=request.keep_metadata)
    pyramid = Pyramid(taken.image)
    shown = Progress(None, f"{target.name}: searched for faces", shown=progress, unit="view")
    try:
        faces = swapper.find(pyramid, thorough=request.thorough, step=shown.step)
    finally:
        shown.close()
    pairs = assign(list(enumerate(faces)), request.people, request.faces, request.pairs)
    if not pairs:
        raise ImageError(_why_none(target, len(faces)))
    if not any(face.frontal for face, _ in pairs):
        raise ImageError(f"{target}: {FROM_THE_SIDE}")
    image = swapper.put(pyramid, pairs, request.blend)
    if request.badge:
        label.stamp(image)
    with swapper.watch.time("write"):
        packet = label.xmp_packet(taken.xmp) if request.label else None
        lost = photo.write(output, taken, image, packet)
    if request.credentials:
        credentials.sign(output, request.credentials)
    swapped = [id(face) for face, _ in pairs if face.frontal]
    report = {
        "faces": [
            {
                "box": [round(edge, 1) for edge in face.box],
                "score": round(face.score, 3),
                "swapped": id(face) in swapped,
            }
            for face in faces
        ],
        "swapped": len(swapped),
    }
    absent = sorted(set(request.pairs or ()) - set(range(len(faces))))
    notes = [f"--map names face {number}; {len(faces)} found, largest is 0" for number in absent]
    notes += [
        f"face {number} is seen from the side and stays as it is"
        for number, face in enumerate(faces)
        if not face.frontal and any(face is chosen for chosen, _ in pairs)
    ]
    return Outcome(output, report, (*taken.notes, *lost, *notes))


def swap_folder(
    targets: Path,
    output: Path,
    swap_one: Callable[[Path, Path], Outcome],
    refused: Callable[[Path, FaceSwapError], None],
) -> list[Outcome]:
    """Swap every photo and video of a folder, not of those below it, into another folder.

    Args:
        targets: the folder.
        output: made if missing; results keep their names; where their own kind cannot be written,
            photos become PNG and videos MP4, after their whole name if another file has that one,
            with a number if that is taken too.
        swap_one: swaps a file into a file.
        refused: told of each file that could not be swapped; the others are done nevertheless.

    Raises:
        BadInput: there is no photo and no video in it, or none could be swapped.
        UsageError: both folders are one.
    """
    if output.resolve() == targets.resolve():
        raise UsageError(f"{output} is the folder of the targets; give another with -o")
    files = sorted(path for path in targets.iterdir() if _is_target(path))
    if not files:
        kinds = ", ".join((*photo.READABLE, *VIDEOS))
        raise BadInput(f"{targets} holds no photo and no video ({kinds})")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{output} cannot be made: {error.strerror}") from None
    done = []
    taken = {file.name for file in files}
    for file in files:
        name = _result_name(file)
        if name != file.name and name in taken:
            whole = Path(file.name + Path(name).suffix)
            name = next(free.name for free in numbered(whole) if free.name not in taken)
        taken.add(name)
        try:
            done.append(swap_one(file, output / name))
        except FaceSwapError as error:
            refused(file, error)
            continue
        if done[-1].report.get("interrupted"):
            break
    if not done:
        raise BadInput(f"none of the {len(files)} files of {targets} could be swapped")
    return done


def _result_name(target: Path) -> str:
    """The target's name, with another suffix where its own kind cannot be written."""
    video = is_video(target)
    if target.suffix.lower() in (CONTAINERS if video else photo.WRITABLE):
        return target.name
    return target.stem + (".mp4" if video else ".png")


def _why_none(target: Path, found: int) -> str:
    if found:
        return f"{target}: --map names no face that is there; {found} found, largest is 0"
    return f"{target}: no face found; expected one of some 20 pixels or more between ear and ear"
