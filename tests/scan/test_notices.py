"""Notices to a desktop and a webhook that are slow, gone or hostile."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fauxto.errors import ConfigError
from fauxto.scan import notices
from fauxto.scan.notices import Outbox

Answers = Callable[..., tuple[str, list[bytes]]]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """`receiver(*statuses) -> (address, bodies)`: answers with one status after another, the last again and again."""
    monkeypatch.setattr(notices, "_PAUSES", (0.01, 0.01, 0.01))
    servers = []

    def receiver(*statuses: int) -> tuple[str, list[bytes]]:
        bodies: list[bytes] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(statuses[min(len(bodies), len(statuses)) - 1])
                self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/secret-token", bodies

    yield receiver
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("statuses", "tries", "problem"),
    [
        ((204,), 1, None),
        ((503, 429, 200), 3, None),
        ((500,), 4, "500"),
        ((401,), 1, "401"),
        ((302,), 1, "302"),
        ((307,), 1, "307"),
    ],
)
def test_a_webhook_gets_a_message_within_four_tries(
    receiver: Answers, statuses: tuple[int, ...], tries: int, problem: str | None
) -> None:
    address, bodies = receiver(*statuses)
    answer = notices.webhook(address)({"text": "\udcff\u2028"}, threading.Event())
    assert [json.loads(body) for body in bodies] == [{"text": "\udcff\u2028"}] * tries
    assert (answer is None) == (problem is None)
    assert problem is None or problem in str(answer)
    assert "secret" not in str(answer)


def test_a_webhook_that_isnt_there_is_named_without_its_secret(receiver: Answers) -> None:
    answer = notices.webhook("http://127.0.0.1:1/secret-token")({}, threading.Event())
    assert "the webhook at 127.0.0.1 didn't get a message" in str(answer)
    assert "secret" not in str(answer)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://host/x", "host/x", "https://me:word@host/x", "http:"])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="--webhook takes an address such as"):
        notices.webhook(address)


def test_a_receiver_that_never_answers_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "_WAITING", 5)
    begun, never = threading.Event(), threading.Event()

    def send(message: int, ending: threading.Event) -> None:
        begun.set()
        never.wait()

    box = Outbox(send, lambda sentence: None)
    box.put(0)
    assert begun.wait(60)
    before = time.monotonic()
    for number in range(100):
        box.put(number)
    assert time.monotonic() - before < 5
    assert box.close(0.1) == 101
    never.set()


def test_the_end_waits_for_no_second_try(receiver: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "_PAUSES", (600.0,))
    address, bodies = receiver(503)
    warnings: list[str] = []
    box = Outbox(notices.webhook(address), warnings.append)
    box.put({})
    while not bodies:
        time.sleep(0.01)
    assert box.close(60) == 1
    assert len(warnings) == 1


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="a stand-in for notify-send")
def test_a_files_name_is_no_markup_and_no_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    command = tmp_path / "notify-send"
    command.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {out}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    show = notices.desktop()
    assert show is not None
    show(("--title", "<a href='x'>$(id).jpg</a>"), threading.Event())
    assert out.read_text().splitlines()[1:] == ["--", "--title", "&lt;a href=&#x27;x&#x27;&gt;$(id).jpg&lt;/a&gt;"]


def test_without_a_desktop_there_is_no_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert notices.desktop() is None
