"""What is refused before any worker is asked: bodies, forms, keys, rates, hosts, a full line."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from pathlib import Path

import pytest

from fauxto.errors import ConfigError
from fauxto.service.keys import KeyRing, Rates, new_key
from fauxto.service.line import Held, Line
from fauxto.service.logs import JsonLines
from fauxto.service.problems import PROBLEMS, Problem
from fauxto.service.run import serve
from fauxto.service.settings import Settings, is_loopback

PICTURES = ("/v1/analyze", "/v1/explain")
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n%s\r\n'


def problem(answer):
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert document.keys() == {"type", "title", "status", "detail", "request_id"}
    assert document["request_id"] == answer.headers["x-request-id"]
    word = document["type"].removeprefix("urn:fauxto:problem:")
    assert (answer.status_code, document["title"]) == PROBLEMS[word] == (document["status"], document["title"])
    return word


async def in_pieces(*pieces):
    for piece in pieces:
        yield piece


@pytest.mark.parametrize("path", PICTURES)
def test_one_byte_too_many_is_refused_without_reading_on(routes, path):
    sent = []

    async def endless():
        for number in range(1_000):
            sent.append(number)
            yield bytes(1_000)

    app = routes(limits={"max_bytes": 10_000})
    assert problem(app.post(path, content=endless())) == "too_large"
    assert len(sent) <= 12
    assert problem(app.post(path, content=bytes(10_001))) == "too_large"
    announced = {"Content-Length": "99999999999999999999999999"}
    assert problem(app.post(path, content=in_pieces(b"a"), headers=announced)) == "too_large"
    assert problem(app.post(path, files={"file": ("a", bytes(10_001))})) == "too_large"
    assert problem(app.post(path, content=in_pieces(*[PART % bytes(90_000)]), headers=FORM)) == "too_large"


def test_too_many_files_and_too_large_a_batch(routes):
    app = routes(max_files=100)
    assert problem(app.post("/v1/analyze/batch", files=[("files", ("a", b"x"))] * 101)) == "wrong_form"
    app = routes(limits={"max_bytes": 1_000}, max_batch_bytes=5_000, max_files=9)
    assert problem(app.post("/v1/analyze/batch", files=[("files", ("a", bytes(1_000)))] * 99)) in (
        "too_large",
        "wrong_form",
    )
    assert problem(app.post("/v1/analyze/batch", files=[("files", ("a", bytes(99_999)))])) == "too_large"


@pytest.mark.parametrize(
    ("body", "headers", "word"),
    [
        (b"", {}, "bad_request"),
        (b"", {"Content-Type": "multipart/form-data"}, "bad_request"),
        (b"", {"Content-Type": "multipart/form-data; boundary=" + "b" * 999}, "bad_request"),
        (b"", FORM, "bad_request"),
        (b"nothing of the kind", FORM, "bad_request"),
        (PART % b"x", FORM, "bad_request"),
        (PART % b"x" + b"--b", FORM, "bad_request"),
        (b"--b--\r\n", FORM, "wrong_form"),
        (PART % b"x" + PART % b"y" + b"--b--\r\n", FORM, "wrong_form"),
        ((PART % b"x").replace(b'"file"', b'"other"') + b"--b--\r\n", FORM, "wrong_form"),
        ((PART % b"x").replace(b'; filename="a.png"', b"") + b"--b--\r\n", FORM, "wrong_form"),
        ((PART % b"x").replace(b"Content-Disposition", b"X") + b"--b--\r\n", FORM, "wrong_form"),
        (b"--b\r\n" + b"X: y\r\n" * 10_000, FORM, "bad_request"),
        (b"--b\r\nX: " + b"y" * 50_000, FORM, "bad_request"),
        (b"{", {"Content-Type": "application/json"}, "bad_request"),
        (b"[" * 9_000, {"Content-Type": "application/json"}, "bad_request"),
        (b'{"url": 1}', {"Content-Type": "application/json"}, "bad_request"),
        (b'{"url": "http://a.example/", "more": 1}', {"Content-Type": "application/json"}, "bad_request"),
        (b'{"url": "http://a.example/"}', {"Content-Type": "application/json"}, "forbidden"),
        (b" " * 99_999, {"Content-Type": "application/json"}, "too_large"),
    ],
)
def test_bodies_that_arent_as_they_should_be(routes, body, headers, word):
    assert problem(routes().post("/v1/analyze", content=body, headers=headers)) == word


def test_a_batch_is_a_form(routes):
    assert problem(routes().post("/v1/analyze/batch", content=b"x")) == "wrong_form"


def test_a_slow_body_is_cut(routes):
    async def trickle():
        while True:
            yield b"x"
            await asyncio.sleep(0.02)

    async def silence():
        yield b"x" * 10_000
        await asyncio.sleep(30)

    app = routes(read_seconds=0.2, read_rate=1_000_000)
    assert problem(app.post("/v1/analyze", content=trickle())) == "too_slow"
    assert problem(app.post("/v1/analyze", content=silence())) == "too_slow"


def test_bytes_that_are_held_are_bounded_and_given_back():
    line = Line(places=1, max_held_bytes=10)
    with Held(line) as held:
        held.take(10)
        with pytest.raises(Problem) as refused, Held(line) as other:
            other.take(1)
        assert (refused.value.word, line.held_bytes) == ("busy", 10)
    assert line.held_bytes == 0
    with line.place(), pytest.raises(Problem), line.place():
        pass
    assert line.occupied == 0


def test_a_full_line_is_told_to_come_again_before_it_sends(routes):
    app = routes(queue=0)
    line = app.app.state.line
    with line.place():
        for path in (*PICTURES, "/v1/analyze/batch"):
            answer = app.post(path, content=b"x")
            assert (problem(answer), answer.headers["retry-after"]) == ("busy", "1")
    assert (line.occupied, line.held_bytes) == (0, 0)


# Keys


def test_a_key_is_needed_where_there_are_keys(routes, tmp_path):
    file = tmp_path / "keys"
    key = new_key(file, "newsroom")
    app = routes(host="anything.example", keys=file)
    wrong = [
        {},
        *({"Authorization": value} for value in ("", key, f"Basic {key}", "Bearer", f"Bearer {key}x", "Bearer \xe9")),
    ]
    for headers in wrong:
        encoded = {name: value.encode("latin-1") for name, value in headers.items()}
        for method, path in (("GET", "/v1/models"), ("GET", "/metrics"), ("POST", "/v1/analyze"), ("GET", "/nowhere")):
            answer = app.request(method, path, headers=encoded)
            assert (problem(answer), answer.headers["www-authenticate"]) == ("no_key", "Bearer")
    assert app.get("/v1/models", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert [app.get(path).status_code for path in ("/healthz", "/docs", "/openapi.json")] == [200] * 3
    assert "FAUXTO_KEY" in app.get("/docs").text


def test_keys_are_hashed_at_rest_and_only_their_owner_may_read_them(tmp_path):
    file = tmp_path / "keys"
    first, second = new_key(file, "one"), new_key(file, "two")
    text = file.read_text()
    assert first not in text
    assert hashlib.sha256(second.encode()).hexdigest() in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ring = KeyRing.load(file)
    assert [ring.name_of(one) for one in (first, second, "fauxto_x", "")] == ["one", "two", None, None]
    for name in ("one", "a:b", "a\nb", "", "x" * 65):
        with pytest.raises(ConfigError):
            new_key(file, name)
    assert file.read_text() == text


@pytest.mark.parametrize("text", ["", "# only this\n", "name\n", "name:abc\n", f"a:{'0' * 64}\na:{'0' * 64}\n"])
def test_a_file_of_keys_that_holds_none_is_no_open_door(tmp_path, routes, text):
    (tmp_path / "keys").write_text(text)
    with pytest.raises(ConfigError, match="keys"):
        routes(keys=tmp_path / "keys")
    with pytest.raises(ConfigError, match="can't be read"):
        routes(keys=tmp_path / "nowhere")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_other_machines_are_let_in_with_keys_only(host):
    assert not is_loopback(host)
    with pytest.raises(ConfigError, match="keys are needed"):
        serve(Settings(), host, 1)


def test_a_key_has_a_rate_and_a_batch_counts_each_picture(routes, tmp_path):
    keys = {name: {"Authorization": f"Bearer {new_key(tmp_path / 'keys', name)}"} for name in ("a", "b")}
    app = routes(keys=tmp_path / "keys", rate=3)
    for _ in range(3):
        assert problem(app.post("/v1/analyze/batch", content=b"x", headers=keys["a"])) == "wrong_form"
    refused = app.post("/v1/analyze/batch", content=b"x", headers=keys["a"])
    assert problem(refused) == "rate_exceeded"
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert app.get("/v1/models", headers=keys["a"]).status_code == 200
    assert problem(app.post("/v1/analyze/batch", content=b"x", headers=keys["b"])) == "wrong_form"
    rates = Rates(per_minute=60)
    rates.spend("a", 1)
    rates.charge("a", 100)
    with pytest.raises(Problem) as caught:
        rates.spend("a", 1)
    assert 40 < caught.value.retry_after < 45


# Hosts


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1:8080"}, 200),
        ({"Host": "LOCALHOST"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "localhost", "Origin": "http://localhost:3000"}, 200),
        ({"Host": "attacker.example"}, 403),
        ({"Host": "127.0.0.1.attacker.example"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "localhost", "Origin": "https://attacker.example"}, 403),
        ({"Host": "localhost", "Origin": "null"}, 403),
    ],
)
def test_without_keys_no_page_of_another_site_gets_through(routes, headers, status):
    """DNS rebinding brings a foreign Host, a page that posts a form brings a foreign Origin."""
    assert routes().get("/healthz", headers=headers).status_code == status


def test_a_failure_inside_tells_nothing(routes, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("/secret/path/of/ann.jpg")

    monkeypatch.setattr("fauxto.service.body.media_type", fail)
    answer = routes().post("/v1/analyze", content=b"x")
    assert problem(answer) == "internal"
    assert "secret" not in answer.text
    (record,) = [record for record in caplog.records if record.getMessage() == "failure"]
    line = JsonLines().format(record)
    assert "secret" not in line
    assert '"error": "RuntimeError"' in line
    assert answer.json()["request_id"] in line


def test_settings_that_cant_work_are_refused():
    for wrong in ({"workers": 0}, {"queue": -1}, {"max_files": 0}, {"rate": 0}, {"max_batch_bytes": 1}):
        with pytest.raises(ConfigError):
            Settings(**wrong)


def test_a_client_that_is_gone_needs_no_answer(routes):
    async def gone():
        received = iter([{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}])
        sent = []

        async def receive():
            return next(received)

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/analyze",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
        }
        await routes().app(scope, receive, send)
        return sent

    assert asyncio.run(gone()) == []


def test_the_words_of_the_problems_are_documented():
    page = (Path(__file__).resolve().parents[2] / "docs/reference/http.md").read_text()
    for word, (status, _) in PROBLEMS.items():
        assert f"| `{word}` | {status} |" in page
