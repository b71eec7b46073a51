"""The command line of `python -m pipeline`: its flags, and which of them go together."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from model import arguments
from model.errors import BadInput, UsageError
from pipeline.backends import BACKENDS

_SAYS = "Swap faces in photos and video with a bundle: `%(prog)s SOURCE TARGET -o OUT`."
_EXAMPLES = """examples:
  %(prog)s me.jpg party.jpg -o out.jpg --backend tflite --precision int8
  %(prog)s me1.jpg,me2.jpg clip.mp4 -o out.mp4    # identity averaged over two photos
  %(prog)s me.jpg --save-identity me.npy          # then me.npy does as SOURCE
  %(prog)s me.jpg two.jpg --source you.jpg --map 0:1,1:0 -o out.png
  %(prog)s me.npy photos/ -o swapped/

Swap only faces of people who agreed to it. Results are labelled as synthetic in their metadata.
"""

_LONGEST_SHOWN = 40  # characters of a flag in a message


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    made = arguments.Parser(
        prog="python -m pipeline",
        description=_SAYS,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "source", metavar="SOURCE", help="photo, photos with commas between, or .npy of a person"
    )
    made.add_argument(
        "target", metavar="TARGET", type=_path, nargs="?", help="photo, video, or a folder of them"
    )
    made.add_argument("-o", "--output", type=_path, metavar="OUT", help="file, or folder")
    models = made.add_argument_group("models")
    models.add_argument("--bundle", type=_path, metavar="DIR", help="default: newest below dist/")
    models.add_argument(
        "--backend", choices=list(BACKENDS), default="tflite", help="default: tflite"
    )
    models.add_argument(
        "--precision", choices=arguments.PRECISIONS, default="fp32", help="of the generator"
    )
    models.add_argument("--threads", type=arguments.threads, default=2, help="default: 2")
    who = made.add_argument_group("who")
    who.add_argument(
        "--faces", type=_which, default="largest", help="all, largest (default), or the N largest"
    )
    who.add_argument(
        "--source", dest="more_sources", action="append", default=[], metavar="SOURCE",
        help="a further person; may be given again",
    )  # fmt: skip
    who.add_argument(
        "--map", metavar="I:J,...", help="source I on face J; faces count from 0, largest first"
    )
    who.add_argument("--save-identity", type=_path, metavar="NPY", help="keep the first source's")
    look = made.add_argument_group("look")
    look.add_argument("--opacity", type=arguments.share, default=1.0, help="0 to 1 (default)")
    look.add_argument("--keep-mouth", action="store_true", help="leave the target's open mouth")
    look.add_argument(
        "--keep-occlusions", action="store_true",
        help="leave what lies before the face, as far as its colour is not the skin's",
    )  # fmt: skip
    look.add_argument(
        "--detail", action=argparse.BooleanOptionalAction, default=True,
        help="give faces that are larger than the generator's 256 px the target's fine detail "
        "(default: on)",
    )  # fmt: skip
    look.add_argument(
        "--boost", type=int, choices=[512],
        help="swap faces that are larger than the generator's 256 px at 512 px, as four "
        "interleaved pictures; takes four times the generator's time",
    )  # fmt: skip
    label = made.add_argument_group("label and metadata")
    label.add_argument("--badge", action="store_true", help="draw a visible mark")
    label.add_argument(
        "--no-label", action="store_true",
        help="write no digital source type; you then have to say elsewhere that it is synthetic",
    )  # fmt: skip
    label.add_argument(
        "--keep-metadata", action="store_true",
        help="keep what tells where and with which device the target was taken",
    )  # fmt: skip
    label.add_argument("--c2pa-cert", type=_path, metavar="PEM", help="sign a C2PA manifest")
    label.add_argument("--c2pa-key", type=_path, metavar="PEM", help="its private key")
    label.add_argument("--c2pa-algorithm", default="ES256", help="default: ES256")
    other = made.add_argument_group("other")
    other.add_argument(
        "--camera", type=arguments.from_zero, metavar="N", help="live, instead of TARGET"
    )
    other.add_argument("--stages", action="store_true", help="print the time of each stage")
    other.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    other.add_argument("--quiet", action="store_true", help="no talk and no progress on stderr")
    return made


def check(args: argparse.Namespace) -> None:
    """Refuse flags that do not go together, before anything is loaded; `map` becomes pairs.

    Raises:
        UsageError: they do not.
        BadInput: the target does not exist.
    """
    if args.target and args.camera is not None:
        raise UsageError("--camera takes the place of TARGET; give one of them")
    if args.target and not args.output:
        raise UsageError("-o is missing: where shall the result go?")
    if args.output and not args.target:
        raise UsageError(f"-o {args.output} has no TARGET; give the photo or video to swap in")
    if not args.target and args.camera is None and not args.save_identity:
        raise UsageError("nothing to do: give a TARGET with -o, --camera, or --save-identity")
    if bool(args.c2pa_cert) != bool(args.c2pa_key):
        raise UsageError("--c2pa-cert and --c2pa-key go together")
    if args.no_label and args.c2pa_cert:
        raise UsageError("--no-label and --c2pa-cert contradict each other")
    if args.map is not None:
        args.map = parse_pairs(args.map)
    if args.save_identity and args.save_identity.suffix.lower() != ".npy":
        raise UsageError(
            f"--save-identity {args.save_identity} must end in .npy, by which a SOURCE is known"
        )
    if args.target and not args.target.exists():
        raise BadInput(f"there is no {args.target}; give a photo, a video or a folder of them")


def parse_pairs(text: str) -> dict[int, int]:
    """`0:1,1:0`: source to face, as face to source.

    Raises:
        UsageError: it does not read so.
    """
    pairs: dict[int, int] = {}
    for part in text.split(","):
        numbers = [word.strip() for word in part.split(":")]
        # Ten digits of this script are more than there are faces; Python takes others too.
        if len(numbers) != 2 or not all(re.fullmatch("[0-9]{1,10}", word) for word in numbers):
            raise UsageError(
                f"--map {_shown(text)}: '{_shown(part)}' is no SOURCE:FACE pair; expected numbers "
                "from 0, as in 0:1"
            )
        source, face = map(int, numbers)
        if face in pairs:
            raise UsageError(f"--map {_shown(text)}: face {face} is given two sources")
        pairs[face] = source
    return pairs


def _path(text: str) -> Path:
    """A path; `~` is expanded here, too, because shells leave it alone after `=`."""
    return Path(text if os.path.exists(text) else os.path.expanduser(text))


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _which(text: str) -> str | int:
    if text in ("all", "largest"):
        return text
    return arguments.count(text)
