"""Have the web demo measure in a browser: show a link, wait for the page's rows."""

from __future__ import annotations

import contextlib
import io
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.harness.page_server import WEB_DEMO, Mailbox, PageServer
from benchmarks.harness.rows import Row
from model.errors import BackendUnavailable, BadInput, ContractError, UsageError, install

PRECISIONS = ("int8", "fp32")  # whose files the page carries
_TIMEOUT_S = 1800.0  # to scan a code, and for a slow phone
_POLL_S = 0.2  # Ctrl-C is heard between two waits
_TELL_EVERY_S = 15.0


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What the page's benchmark is told, and where the page is served.

    Attributes:
        port: 0 for any that is free.
        https: with a certificate of this machine's own making.
        folder: web_demo/ with a bundle in it.
    """

    precisions: Sequence[str]
    runs: int
    warmup: int
    threads: int
    port: int = 0
    https: bool = False
    timeout_s: float = _TIMEOUT_S
    folder: Path = WEB_DEMO


def rows_from_browser(settings: WebSettings, tell: Callable[[str], None]) -> list[Row]:
    """Serve the page, print its link on stderr, and return the rows that it sends.

    Raises:
        UsageError: none of the precisions is one that the page carries.
        BadInput: the page's folder lacks a bundle or LiteRT.js.
        BackendUnavailable: the port is taken, or no rows came in time.
        ContractError: what came are no result rows.
    """
    precisions = [name for name in PRECISIONS if name in settings.precisions]
    if not precisions:
        raise UsageError(
            f"--precision {' '.join(settings.precisions)}: a browser runs "
            f"{' and '.join(PRECISIONS)}"
        )
    need_bundle(settings.folder)
    box = Mailbox(secrets.token_urlsafe(9), tell)
    query = urlencode({
        "measure": box.token, "runs": settings.runs, "warmup": settings.warmup,
        "threads": settings.threads, "precisions": ",".join(precisions),
    })  # fmt: skip
    with serving("", settings.port, https=settings.https, folder=settings.folder, mailbox=box) as (
        server
    ):
        print(invitation(server, query), file=sys.stderr, flush=True)
        _wait_for(box, settings.timeout_s)
    if box.fault:
        raise ContractError(f"the page's rows are not usable: {box.fault}")
    return box.rows


def need_bundle(folder: Path) -> None:
    """Refuse to serve a page that has nothing to run.

    Raises:
        BadInput: `folder` is not the web demo, or lacks a bundle or LiteRT.js.
    """
    if not (folder / "index.html").is_file():
        raise BadInput(
            f"{folder} is not the web demo; expected its index.html. The demo is part of the "
            "repository, not of the installed package: run this in a clone"
        )
    if not (folder / "bundle" / "manifest.json").is_file():
        raise BadInput(
            f"{folder.name}/bundle holds no bundle. Put one there with: "
            "python -m export.bundle --web BUNDLE"
        )
    if not (folder / "vendor" / "build.json").is_file():
        raise BadInput(
            f"{folder.name}/vendor holds no LiteRT.js, which runs the page's models. Put it there "
            f"with: cd {folder.name} && npm ci && npm run build"
        )


@contextlib.contextmanager
def serving(
    host: str, port: int, *, https: bool = False, folder: Path = WEB_DEMO,
    mailbox: Mailbox | None = None,
) -> Iterator[PageServer]:  # fmt: skip
    """A server that answers in a thread of its own, until the block ends."""
    tls = None
    if https:
        from benchmarks.harness.certificate import server_context

        tls = server_context(["localhost", "127.0.0.1", own_address()])
    with PageServer(host, port, folder, mailbox, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def invitation(server: PageServer, query: str = "") -> str:
    """The links, a QR code where segno is installed, and what plain HTTP lacks on a phone."""
    tail = f"/?{query}" if query else "/"
    everywhere = server.server_address[0] in ("", "0.0.0.0")
    here = f"{server.scheme}://localhost:{server.port}{tail}"
    if not everywhere:
        return f"this machine:  {here}"
    there = f"{server.scheme}://{own_address()}:{server.port}{tail}"
    words = [f"this machine:  {here}", f"a phone in the same network:  {there}"]
    words += ["", *_qr_code(there)]
    if server.scheme == "https":
        words.append("The browser warns of an unknown certificate once: it was made here.")
    else:
        words.append(
            "Over http a phone's browser gives neither threads nor the camera; --https gives both."
        )
    return "\n".join(words)


def own_address() -> str:
    """This machine's address in its network; 127.0.0.1 where there is none. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # documentation addresses (RFC 5737)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _qr_code(link: str) -> list[str]:
    try:
        import segno
    except ImportError:
        return [f"(a QR code of the link needs segno: {install('web')})"]
    drawn = io.StringIO()
    segno.make(link, micro=False).terminal(out=drawn, compact=True, border=2)
    return drawn.getvalue().splitlines()


def _wait_for(box: Mailbox, timeout_s: float) -> None:
    began = told = time.monotonic()
    while not box.arrived.wait(_POLL_S):
        now = time.monotonic()
        if now - began > timeout_s:
            raise BackendUnavailable(
                f"no browser sent rows in {timeout_s:.0f} s; expected one to open the link. Is the "
                "phone in the same network, and does a firewall let the port through?"
            )
        if now - told > _TELL_EVERY_S:
            told = now
            box.tell(f"waiting for the page's rows, {now - began:.0f} s")
