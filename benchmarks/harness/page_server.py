"""Serve web_demo/ from this machine, with the headers that the page needs.

Only GET and HEAD, only the files that are published, and one POST: result rows, where a token was
set. The headers stand in `_headers` beside the page, which static hosts read as well.
"""

from __future__ import annotations

import hmac
import json
import mimetypes
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from benchmarks.harness import rows as results
from benchmarks.harness.rows import Row
from model.errors import BackendUnavailable, BadInput, ContractError

WEB_DEMO = Path(__file__).resolve().parents[2] / "web_demo"
ROWS = "/rows"
_MOST_BYTES = 1 << 20  # a row has about 1 kB
_LONGEST_LENGTH = 16  # digits of a Content-Length; int() raises on thousands
_MOST_ROWS = 200
_IDLE_S = 60.0
# Not left to the machine's own tables: a module of another type does not run.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(slots=True)
class Mailbox:
    """Takes the rows of one run of the page's benchmark.

    Attributes:
        token: what a POST has to know.
        tell: called with a message on progress.
        rows: what came, after `arrived` is set.
        fault: why what came is no result, after `arrived` is set.
    """

    token: str
    tell: Callable[[str], None] = lambda _: None
    rows: list[Row] = field(default_factory=list)
    fault: str | None = None
    arrived: threading.Event = field(default_factory=threading.Event)


class PageServer(ThreadingHTTPServer):
    """HTTP or HTTPS on one port; each connection has a thread of its own."""

    daemon_threads = True

    def __init__(
        self, host: str, port: int, folder: Path = WEB_DEMO, mailbox: Mailbox | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        """Listen at once; `serve_forever` answers.

        Args:
            host: address to listen at; "" for all of this machine's.
            port: 0 for any that is free.
            folder: web_demo/ or a copy of it.
            mailbox: takes result rows; without one there is no POST.
            tls: for HTTPS.

        Raises:
            BackendUnavailable: the port is taken, or may not be used.
            BadInput: `folder` is not the web demo.
        """
        self.folder = folder.resolve()
        self.mailbox = mailbox
        self.headers = read_headers(self.folder / "_headers")
        self.published = _published(self.folder)
        self.scheme = "https" if tls else "http"
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise BackendUnavailable(
                f"port {port} cannot be used: {error.strerror}. Give another with --port"
            ) from None
        if tls:  # the handshake is done by the connection's own thread
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def server_bind(self) -> None:
        """Bind without asking the name service for this machine's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up, or refuses the certificate, is no news."""

    def file_of(self, path: str) -> Path | None:
        """The published file that a URL's path names; None where there is none."""
        parts = [part for part in unquote(path).split("/") if part] or ["index.html"]
        odd = any(part.startswith(".") or "\\" in part or "\0" in part for part in parts)
        if odd or parts[0] not in self.published:
            return None
        try:
            file = self.folder.joinpath(*parts).resolve()
        except OSError:  # a name too long
            return None
        return file if file.is_relative_to(self.folder) and file.is_file() else None


def read_headers(path: Path) -> dict[str, str]:
    """The headers of the block `/*` of a `_headers` file, as Netlify and Cloudflare Pages read it.

    Raises:
        BadInput: it cannot be read, or has no such block.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{path} cannot be read ({error}); expected the headers of the page"
        ) from None
    headers: dict[str, str] = {}
    inside = False
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line[0].isspace():
            inside = line.strip() == "/*"
        elif inside:
            name, _, value = line.partition(":")
            headers[name.strip()] = value.strip()
    if not headers:
        raise BadInput(f"{path} has no headers below a line /*; take the file of the repository")
    return headers


def _published(folder: Path) -> frozenset[str]:
    """Files and folders that belong to the page: `files` of package.json."""
    path = folder / "package.json"
    if not path.exists():  # a production folder holds nothing else
        return frozenset(entry.name for entry in folder.iterdir())
    return frozenset(json.loads(path.read_text(encoding="utf-8"))["files"])


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    server_version = "mobilefsgan"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float] = _IDLE_S

    def do_GET(self) -> None:
        self._serve(with_body=True)

    def do_HEAD(self) -> None:
        self._serve(with_body=False)

    def do_POST(self) -> None:
        url, box = urlsplit(self.path), self.server.mailbox
        self.close_connection = True  # a body that is not read would be taken for a request
        if url.path != ROWS or box is None:
            return self._answer(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD.")
        token = parse_qs(url.query).get("token", [""])[0]
        if not hmac.compare_digest(token.encode(), box.token.encode()):
            return self._answer(HTTPStatus.FORBIDDEN, "Open the link that the terminal shows.")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal() and len(length) < _LONGEST_LENGTH):
            return self._answer(HTTPStatus.LENGTH_REQUIRED, "Expected a Content-Length.")
        if int(length) > _MOST_BYTES:
            return self._answer(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Expected at most {_MOST_BYTES} bytes."
            )
        if box.arrived.is_set():
            return self._answer(HTTPStatus.CONFLICT, "The rows of this run are there already.")
        try:
            box.rows = read_posted(self.rfile.read(int(length)))
        except ContractError as error:
            box.fault = str(error)
        status = HTTPStatus.BAD_REQUEST if box.fault else HTTPStatus.OK
        try:
            self._answer(status, box.fault or f"{len(box.rows)} rows received.")
        finally:  # afterwards, because the server ends then
            box.arrived.set()

    def _serve(self, *, with_body: bool) -> None:
        file = self.server.file_of(urlsplit(self.path).path)
        if file is None:
            return self._answer(HTTPStatus.NOT_FOUND, "There is no such file.", with_body=with_body)
        with file.open("rb") as opened:
            data = opened.read()
            changed = file.stat().st_mtime_ns
        self._tell(file)
        tag = f'"{changed:x}-{len(data):x}"'
        if self.headers.get("If-None-Match") == tag:
            return self._answer(HTTPStatus.NOT_MODIFIED, "", with_body=False)
        kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
        self._begin(HTTPStatus.OK, kind or "application/octet-stream", len(data))
        self.send_header("ETag", tag)
        self.end_headers()
        if with_body:
            self.wfile.write(data)

    def _tell(self, file: Path) -> None:
        if self.server.mailbox is None:
            return
        if file.name == "index.html":
            self.server.mailbox.tell(f"a browser opened the page ({self.client_address[0]})")
        elif file.suffix == ".tflite":
            self.server.mailbox.tell(f"it loads {file.name}; its rows come when it has measured")

    def _answer(self, status: HTTPStatus, words: str, *, with_body: bool = True) -> None:
        body = words.encode()
        self._begin(status, "text/plain; charset=utf-8", len(body))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _begin(self, status: HTTPStatus, kind: str, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in {"Cache-Control": "no-cache", **self.server.headers}.items():
            self.send_header(name, value)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news."""


def read_posted(body: bytes) -> list[Row]:
    r"""Rows as the page sends them: one a line, then `{"done": true}`.

    Raises:
        ContractError: it is something else, or the rows of no browser.
    """
    try:
        lines = body.decode("utf-8").strip().splitlines()
    except UnicodeDecodeError as error:
        raise ContractError(f"the page sent no text ({error}); expected result rows") from None
    if not lines or lines[-1].replace(" ", "") != '{"done":true}':
        raise ContractError('the page\'s rows do not end with {"done": true}. Measure again')
    if not 1 < len(lines) <= _MOST_ROWS:
        raise ContractError(
            f"the page sent {len(lines) - 1} rows; expected 1 to {_MOST_ROWS - 1}. Measure again"
        )
    found = [results.loads(line, f"row {number}") for number, line in enumerate(lines[:-1], 1)]
    for number, row in enumerate(found, 1):
        if row.source != "web":
            raise ContractError(f"row {number} is from '{row.source}'; expected 'web'")
    return found
