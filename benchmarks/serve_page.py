"""Serve the web demo from this machine: `python benchmarks/serve_page.py`.

The page runs in the visitor's browser; nothing is uploaded to this server.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

if not __package__:
    import harness.run_as_file  # noqa: F401

from model import arguments
from model.errors import guard


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C."""
    args = _parse(argv)

    from benchmarks.harness.browser import invitation, need_bundle, serving
    from benchmarks.harness.page_server import WEB_DEMO

    folder = args.folder or WEB_DEMO
    need_bundle(folder)
    host = args.host if args.host is not None else "" if args.https else "127.0.0.1"
    with serving(host, args.port, https=args.https, folder=folder) as server:
        print(invitation(server), flush=True)
        print("Ctrl-C ends it.", file=sys.stderr, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(prog="python benchmarks/serve_page.py", description=__doc__)
    parser.add_argument(
        "--port", type=arguments.port, default=8000, help="default: 8000; 0 takes any that is free"
    )
    parser.add_argument(
        "--host", help="address to listen at (default: 127.0.0.1; with --https all addresses)"
    )
    parser.add_argument(
        "--https", action="store_true",
        help="with a certificate made here, so that a phone may use its camera and threads",
    )  # fmt: skip
    parser.add_argument(
        "--folder", type=Path, help="a production folder instead of the repository's web_demo/"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
