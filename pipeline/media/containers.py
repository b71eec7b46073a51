"""Video containers: which are read and written, and how their files are opened."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from model.errors import BackendUnavailable, VideoError, install

# Suffix of a result: FFmpeg's name of the container, the encoder and its options. CRF 18 is close
# to the original to the eye; the presets leave the processor to the generator.
_X264 = ("libx264", {"crf": "18", "preset": "veryfast"})
_VP9 = ("libvpx-vp9", {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6"})
CONTAINERS: dict[str, tuple[str, tuple[str, dict[str, str]]]] = {
    ".mp4": ("mp4", _X264),
    ".m4v": ("mp4", _X264),
    ".mov": ("mov", _X264),
    ".mkv": ("matroska", _X264),
    ".webm": ("webm", _VP9),
}
# Demuxers that hold their streams themselves. Playlists (concat, hls, dash, ...) open other files.
_READ = (
    "mov", "matroska", "webm", "avi", "mpeg", "mpegts", "mpegvideo", "asf", "flv", "ogg",
    "dv", "mxf", "nut",
)  # fmt: skip
_ONLY_IN_MP4 = ("flac", "opus", "truehd")  # FFmpeg lists them for MOV too, and fails to write them
_ONLY_THE_FILE = {"protocol_whitelist": "file", "format_whitelist": ",".join(_READ)}


def open_input(path: Path) -> Any:
    """Open a video for reading; nothing but the file itself is opened.

    Args:
        path: taken as the name of a file, whatever characters it has.

    Returns:
        A PyAV input container. Text that is not UTF-8 has surrogates in it; see `tags`.

    Raises:
        VideoError: it is missing, no file, empty, or no container of `_READ`.
        BackendUnavailable: PyAV is not installed.
    """
    if importlib.util.find_spec("av") is None:
        raise BackendUnavailable(f"video needs PyAV, which is missing. {install('swap')}")
    import av

    if path.exists() and not path.is_file():
        raise VideoError(f"{path} is not a regular file; expected a video")
    try:
        return av.open(_name(path), options=dict(_ONLY_THE_FILE), metadata_errors="surrogateescape")
    except (av.error.FFmpegError, OSError) as error:
        empty = path.exists() and path.stat().st_size == 0
        why = "it is empty" if empty else reason(error)
        raise VideoError(f"{path} cannot be read: {why}; expected a whole video") from None


def open_output(path: Path, format: str) -> Any:
    """Open a video for writing.

    Args:
        path: must be writable; FFmpeg itself opens it with the first packet.
        format: FFmpeg's name of the container.

    Raises:
        VideoError: FFmpeg lacks the container.
    """
    import av

    movie = {"movflags": "use_metadata_tags"} if format in ("mp4", "mov") else {}
    try:
        return av.open(_name(path), "w", format=format, options=movie)
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{path.parent} cannot be written to: {reason(error)}") from None


def can_hold(container: Any, codec: str) -> bool:
    """Whether sound or subtitles can be copied into an output container.

    Args:
        container: PyAV output container.
        codec: FFmpeg's name of the codec.
    """
    if container.format.name == "mov" and codec in _ONLY_IN_MP4:
        return False
    return codec in container.supported_codecs


def suffix_for(codec: str) -> str | None:
    """A suffix whose container can hold sound of that codec, None if there is none."""
    formats = {suffix: CONTAINERS[suffix][0] for suffix in (".mkv", ".mov", ".mp4")}
    return next(
        (s for s, f in formats.items() if can_hold(open_output(Path(f"sound{s}"), f), codec)), None
    )


def reason(error: Exception) -> str:
    """What FFmpeg or the system says of an error, without number and file name."""
    return getattr(error, "strerror", None) or str(error)


def _name(path: Path) -> str:
    """The path for FFmpeg, which takes everything before a colon for a protocol."""
    return f"file:{path}"
