"""The server of the web demo, spoken to as a browser would, and `--device web` with a stand-in."""

import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from conftest import ROOT
from phone import FROM_A_PHONE

from benchmarks.harness import browser, page_server
from benchmarks.harness.browser import WebSettings, rows_from_browser, serving
from benchmarks.harness.page_server import Mailbox, PageServer, read_headers
from model.errors import BackendUnavailable, BadInput, ContractError, UsageError

FROM_A_BROWSER = {
    **FROM_A_PHONE,
    "source": "web",
    "backend": {"requested": "wasm", "used": "wasm", "threads": 2},
}
DONE = '{"done": true}'


def body(*rows: dict) -> bytes:
    return "\n".join([*map(json.dumps, rows), DONE]).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A page of a few bytes, with a bundle, and things that are not for the public."""
    page = tmp_path / "web_demo"
    (page / "bundle").mkdir(parents=True)
    (page / "bundle/manifest.json").write_text("{}")
    (page / "bundle/generator-int8.tflite").write_bytes(b"TFL3")
    (page / "vendor").mkdir()
    (page / "vendor/build.json").write_text("{}")
    (page / "page").mkdir()
    (page / "page/main.js").write_text("export {};")
    (page / "index.html").write_text("<!doctype html>")
    (page / "package.json").write_text('{"files": ["index.html", "page", "bundle"]}')
    (page / "_headers").write_text((ROOT / "web_demo/_headers").read_text())
    (tmp_path / "secret.txt").write_text("secret")
    (page / "page/link.txt").symlink_to(tmp_path / "secret.txt")
    return page


@pytest.fixture
def server(folder: Path) -> Iterator[PageServer]:
    with serving("127.0.0.1", 0, folder=folder, mailbox=Mailbox("token")) as running:
        yield running


def ask(server: PageServer, method: str, path: str, content: bytes | None = None, **headers: str):
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request(method, path, content, headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/?measure=x", "text/html; charset=utf-8"),
        ("/page/main.js", "text/javascript; charset=utf-8"),
        ("/bundle/manifest.json", "application/json"),
        ("/bundle/generator-int8.tflite", "application/octet-stream"),
    ],
)
def test_files_come_with_their_type_and_the_headers_of_the_page(server, path, kind) -> None:
    status, headers, content = ask(server, "GET", path)
    assert (status, headers["Content-Type"]) == (200, kind)
    assert len(content) == int(headers["Content-Length"])
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_head_has_no_body_and_what_is_known_is_not_sent_again(server) -> None:
    status, headers, content = ask(server, "HEAD", "/index.html")
    assert (status, content) == (200, b"")
    known = ask(server, "GET", "/index.html", None, **{"If-None-Match": headers["ETag"]})
    assert (known[0], known[2]) == (304, b"")


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/page/../../secret.txt", "/%2e%2e/secret.txt",
        "/page/..%2f..%2fsecret.txt",
        "/page/link.txt", "//etc/passwd", "/package.json", "/_headers", "/.git/config", "/page",
        "/page/..\\..\\secret.txt", "/page/%00", "/" + "x" * 5000,
    ],
)  # fmt: skip
def test_nothing_but_the_published_files_is_served(server, path) -> None:
    status, _, content = ask(server, "GET", path)
    assert status == 404
    assert b"secret" not in content


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused(server, method) -> None:
    assert ask(server, method, "/index.html")[0] == 501


def test_no_post_but_that_of_rows(server, folder: Path) -> None:
    assert ask(server, "POST", "/index.html", b"x")[0] == 405
    with serving("127.0.0.1", 0, folder=folder) as without:
        assert ask(without, "POST", "/rows?token=", body(FROM_A_BROWSER))[0] == 405


def test_rows_need_the_token_and_a_decent_size(server) -> None:
    assert ask(server, "POST", "/rows?token=wrong", body(FROM_A_BROWSER))[0] == 403
    assert ask(server, "POST", "/rows", body(FROM_A_BROWSER))[0] == 403
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
        raw.sendall(
            b"POST /rows?token=token HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n"
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 413")
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
        raw.sendall(b"POST /rows?token=token HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 411")
    assert not server.mailbox.arrived.is_set()


def test_rows_are_taken_once(server) -> None:
    status, _, words = ask(server, "POST", "/rows?token=token", body(FROM_A_BROWSER))
    assert (status, words) == (200, b"1 rows received.")
    assert server.mailbox.arrived.wait(5)  # set when the answer is on its way
    assert [row.source for row in server.mailbox.rows] == ["web"]
    assert ask(server, "POST", "/rows?token=token", body(FROM_A_BROWSER))[0] == 409


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"\xff", "no text"),
        (b"", "do not end"),
        (json.dumps(FROM_A_BROWSER).encode(), "do not end"),
        (body(), "sent 0 rows"),
        (body(*[FROM_A_BROWSER] * 200), "sent 200 rows"),
        (body(FROM_A_PHONE), "from 'android'"),
        (body({**FROM_A_BROWSER, "schema": 2}), "schema 2"),
        (body({**FROM_A_BROWSER, "stages": {}}), "neither"),
    ],
)
def test_what_is_no_row_is_refused_with_the_reason(server, sent, words) -> None:
    status, _, said = ask(server, "POST", "/rows?token=token", sent)
    assert status == 400
    assert words in said.decode()
    assert words in server.mailbox.fault


def test_a_port_that_is_taken_is_said(server) -> None:
    with (
        pytest.raises(BackendUnavailable, match="another with --port"),
        serving("127.0.0.1", server.port, folder=server.folder),
    ):
        pass


def test_a_headers_file_without_the_block_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_headers").write_text("/other\n  A: b\n")
    with pytest.raises(BadInput, match="no headers below a line"):
        read_headers(tmp_path / "_headers")


def test_https_by_a_certificate_of_this_machine_that_stays(folder, tmp_path, monkeypatch) -> None:
    pytest.importorskip("cryptography", reason="makes the certificate")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = tmp_path / "mobilefsgan/web/certificate.pem"
    seen = []
    for _ in range(2):
        with serving("127.0.0.1", 0, https=True, folder=folder) as server:
            trusting = ssl.create_default_context(cafile=str(made))
            url = f"https://localhost:{server.port}/index.html"
            with urllib.request.urlopen(url, context=trusting, timeout=5) as answer:
                seen.append(answer.read())
        seen.append(made.read_bytes())
    assert seen[:2] == seen[2:]
    assert made.stat().st_mode & 0o777 == 0o600


def stand_in(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[str]:
    """A browser that opens the link of the invitation, loads a model and posts `content`."""
    links: list[str] = []
    invite = browser.invitation

    def visit(link: str) -> None:
        token = re.search(r"measure=([\w-]+)", link)[1]
        base = link.partition("?")[0]
        for path in ("", "bundle/generator-int8.tflite"):
            urllib.request.urlopen(base + path, timeout=5).read()
        try:
            urllib.request.urlopen(f"{base}rows?token={token}", content, timeout=5).read()
        except urllib.error.HTTPError as refused:
            refused.close()

    def invitation(server: PageServer, query: str = "") -> str:
        words = invite(server, query)
        links.append(re.search(r"http://localhost\S+", words)[0])
        threading.Thread(target=visit, args=(links[0],), daemon=True).start()
        return words

    monkeypatch.setattr(browser, "invitation", invitation)
    return links


def settings(folder: Path, **other) -> WebSettings:
    return WebSettings(**{
        "precisions": ("fp32", "fp16", "int8"), "runs": 7, "warmup": 2, "threads": 3,
        "folder": folder, "timeout_s": 10, **other,
    })  # fmt: skip


def test_a_browser_that_opens_the_link_measures_and_its_rows_come_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links, heard = stand_in(monkeypatch, body(FROM_A_BROWSER, FROM_A_BROWSER)), []
    rows = rows_from_browser(settings(folder), heard.append)
    assert [row.backend.requested for row in rows] == ["wasm", "wasm"]
    assert "runs=7&warmup=2&threads=3&precisions=int8%2Cfp32" in links[0]
    assert any("opened the page" in words for words in heard)
    assert any("generator-int8.tflite" in words for words in heard)


def test_rows_that_are_none_end_the_command(folder, monkeypatch) -> None:
    stand_in(monkeypatch, body(FROM_A_PHONE))
    with pytest.raises(ContractError, match="not usable"):
        rows_from_browser(settings(folder), lambda _: None)


def test_no_browser_is_an_unavailable_backend(folder: Path) -> None:
    with pytest.raises(BackendUnavailable, match="no browser sent rows"):
        rows_from_browser(settings(folder, timeout_s=0), lambda _: None)


def test_a_page_that_cannot_run_or_has_no_such_precision_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="a browser runs int8 and fp32"):
        rows_from_browser(settings(folder, precisions=("fp16",)), lambda _: None)
    with pytest.raises(BadInput, match="run this in a clone"):
        rows_from_browser(settings(folder.parent), lambda _: None)
    (folder / "vendor/build.json").unlink()
    with pytest.raises(BadInput, match="npm ci && npm run build"):
        rows_from_browser(settings(folder), lambda _: None)
    (folder / "bundle/manifest.json").unlink()
    with pytest.raises(BadInput, match=r"export\.bundle --web"):
        rows_from_browser(settings(folder), lambda _: None)


def test_the_command_shows_the_rows_in_the_usual_table(folder, monkeypatch, capsys) -> None:
    from benchmarks import latency

    monkeypatch.setattr(WebSettings, "__init__", _into(folder, WebSettings.__init__))
    stand_in(monkeypatch, body(FROM_A_BROWSER))
    assert latency.main(["--device", "web", "--runs", "7"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"wasm +int8 +2\.74", shown.out)
    assert "a phone in the same network" in shown.err


def _into(folder: Path, init):
    def into(self, *args, **named) -> None:
        init(self, *args, **{**named, "folder": folder})

    return into


@pytest.mark.parametrize(
    "flags", [["--https"], ["--port", "80"], ["bundle", "--device", "web"], ["--port", "65536"]]
)
def test_flags_that_do_not_go_together(flags) -> None:
    from benchmarks import latency

    assert latency.main(flags) == 2


def test_serving_by_hand_ends_with_ctrl_c(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "benchmarks/serve_page.py", "--port", "0", "--folder", str(folder)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
        # What runs in the background of a shell inherits that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    link = process.stdout.readline().split()[-1]
    with urllib.request.urlopen(link, timeout=5) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0


def test_the_repository_s_page_may_only_talk_to_itself() -> None:
    policy = read_headers(page_server.WEB_DEMO / "_headers")["Content-Security-Policy"]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed["default-src"] == "'none'"
    assert allowed["connect-src"] == "'self'"
    assert not re.search(r"https?:|\*|unsafe-inline|'unsafe-eval'", policy)
