"""What a stranger may write to the port: broken HTTP, tricks with paths and headers, forms made to cost, floods."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn
from uvicorn.server import ServerState

from fauxto.service import connections
from fauxto.service.connections import MAX_CONNECTIONS, impatient
from fauxto.service.pool import WorkerPool

SECONDS = 60
HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
POST = b"POST /v1/analyze HTTP/1.1\r\n" + HOST + CLOSE


def say(service, *parts, until_closed=True):
    """Write to the port; return all that comes back until the service closes the connection."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=SECONDS) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            if not until_closed:
                return connection.recv(65_536)
            said = b""
            while more := connection.recv(65_536):
                said += more
        except ConnectionError:  # closed while we still wrote
            return b""
        return said


def statuses(said):
    return [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (GET + CLOSE + b"\r\n", 200),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(99), 400),  # TLS
        (b"GET /healthz\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (GET + b"Host: localhost\r\n\r\n", 400),
        (GET + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n", 400),
        (GET + b"X: y\r\n" * 200_000 + b"\r\n", 400),
        (b"GET /" + b"y" * 1_000_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (GET + b"X : y\r\n\r\n", 400),
        (GET + b"X: a\0b\r\n\r\n", 400),
        (GET + b"Content-Length: -1\r\n\r\n", 400),
        (GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (POST + b"Content-Length: 1_0\r\n\r\n0123456789", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffffffff\r\nab", 400),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400),
        (b"TRACE / HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", 405),
        (b"CONNECT localhost:22 HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", 404),
        (b"GET http://localhost/metrics HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", 404),
    ],
)  # fmt: skip
def test_broken_http_is_refused_and_its_words_stay_out_of_answer_and_log(service, request_bytes, status):
    said = say(service, request_bytes)
    assert statuses(said)[:1] in ([status], []), said[:200]  # or closed before the answer could be read
    if status == 200:
        assert b'{"status":"ok"}' in said
    assert b"Traceback" not in said
    assert b"yyyy" not in said
    assert "yyyy" not in "".join(service.lines)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/", "//v1/models", "/V1/MODELS", "/v1/../metrics", "/./metrics", "/%2e%2e/%2e%2e/etc/passwd",
        "/docs/../../etc/passwd", "/metrics%00", "/metrics%0d%0aX-Injected:%20y", "/metrics;a=b", "/static/x", "/redoc",
        "/docs/oauth2-redirect", "/.env", "/" + "a/" * 5_000, "/%ff%fe",
    ],
)  # fmt: skip
def test_a_path_is_one_of_the_documented_or_nothing(service, path):
    said = say(service, f"GET {path} HTTP/1.1\r\n".encode() + HOST + CLOSE + b"\r\n")
    assert statuses(said) == [404]
    assert b"X-Injected" not in said
    assert json.loads(said.split(b"\r\n\r\n", 1)[1])["type"] == "urn:fauxto:problem:not_found"


def test_headers_of_a_request_change_nothing(service):
    """Nor its id, nor who is taken to ask: what a client writes is only believed where a contract says so."""
    said = say(
        service,
        GET + b"X-Request-Id: mine\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Host: a.example\r\n"
        b"X-HTTP-Method-Override: DELETE\r\nX-Original-URL: /metrics\r\nForwarded: for=10.0.0.1\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
    )
    head, body = said.split(b"\r\n\r\n", 1)
    assert body == b'{"status":"ok"}'
    assert b"mine" not in said
    assert b"a.example" not in said
    assert b"mine" not in "".join(service.lines).encode()
    assert head.count(b"x-request-id") == 1


def test_requests_in_one_piece_are_answered_one_by_one(service, pictures):
    """Pipelining; a broken request among them ends the connection after the answers that were due."""
    one = b"POST /v1/analyze HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n%s"
    picture = one % (len(pictures["rough"]), pictures["rough"])
    said = say(service, (GET + b"\r\n" + picture) * 20 + GET + CLOSE + b"\r\n")
    assert statuses(said) == [200] * 41
    assert said.count(b'"verdict":"ai"') + said.count(b'"verdict": "ai"') == 20
    assert statuses(say(service, (GET + b"\r\n") * 5 + b"broken\r\n\r\n" + GET + b"\r\n")) == [200] * 5 + [400]


def test_a_refused_body_isnt_taken_for_the_next_request(service):
    """Smuggling: what follows an answer that came early is still the body."""
    inner = GET + b"\r\n"
    head = b"POST /v1/nowhere HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(inner)
    said = say(service, head, inner, GET + CLOSE + b"\r\n")
    assert statuses(said) == [404, 200]


def test_a_body_that_is_too_large_is_refused_before_it_is_asked_for(service):
    head = POST + b"Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n"
    said = say(service, head, until_closed=False)
    assert statuses(said) == [413]


def test_bodies_arent_unpacked(service, pictures):
    """A compressed body is bytes like any others: what it would unpack to is nobody's memory."""
    packed = gzip.compress(bytes(10_000_000))
    answer = service.post("/v1/analyze", content=packed, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["status"]) == (200, "unsupported_format")


def form(*parts, boundary=b"b"):
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


FILE = b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
FILES = b'Content-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
COSTLY = {
    "an epilogue": form(FILE + b"x") + b"\r\n--b" * 200_000,
    "a preamble": b"\r\n" * 300_000 + form(FILE + b"x"),
    "half boundaries": form(FILE + b"\r\n--" * 250_000),
    "returns": form(FILE + b"\r" * 1_000_000),
    "padding": b"--b\r\n" + FILE + b"x\r\n--b" + b" " * 1_000_000,
    "100,000 parts": form(*[FILES + b"x"] * 100_000),
    "100,000 empty parts": b"--b\r\n\r\n" * 100_000,
    "a form in a form": form(
        FILE.removesuffix(b"\r\n")
        + b"Content-Type: multipart/mixed; boundary=c\r\n\r\n"
        + form(*[FILE + b"x"] * 10_000, boundary=b"c")
    ),
    "100,000 headers": b"--b\r\n" + b"X: y\r\n" * 100_000,
    "parameters": b"--b\r\nContent-Disposition: form-data"
    + b'; a="\\"' * 400
    + b'; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n',
}


@pytest.mark.parametrize("kind", COSTLY)
@pytest.mark.parametrize("path", ["/v1/analyze", "/v1/analyze/batch"])
def test_a_form_that_is_made_to_cost_costs_little(routes, kind, path, monkeypatch):
    async def report(*_):
        return {"status": "ok", "verdict": None}, b"{}"

    app = routes(limits={"max_bytes": 2_000_000}, max_batch_bytes=2_000_000)
    monkeypatch.setattr(WorkerPool, "ask", report)
    started = time.process_time()
    answer = app.post(path, content=COSTLY[kind], headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status_code in (200, 400, 413, 422), answer.text
    assert time.process_time() - started < 5


def test_a_body_in_tiny_pieces_takes_no_more_memory_than_in_large_ones(routes):
    import tracemalloc

    async def pieces():
        for number in range(30_000):
            yield number.to_bytes(3, "big")
            if number % 100 == 0:
                await asyncio.sleep(0)

    app = routes(limits={"max_bytes": 89_999}, read_seconds=100.0)
    tracemalloc.start()
    try:
        assert app.post("/v1/analyze", content=pieces()).status_code == 413
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("host", ["[", "[::", "a b", "<script>", "a" * 5_000, "\xe4", "a:b:c", "@", "a/../b"])
def test_a_host_name_is_escaped_on_the_page(routes, tmp_path, host):
    from fauxto.service.keys import new_key

    new_key(tmp_path / "keys", "one")
    answer = routes(keys=tmp_path / "keys").get("/docs", headers={"Host": host.encode("latin-1")})
    assert answer.status_code in (200, 400)
    assert "<script>" not in answer.text


def test_figures_dont_grow_with_what_strangers_make_up(routes):
    app = routes()
    for number in range(50):
        app.request(f"VERB{number}", f"/made-up-{number}")
    labels = [line for line in app.get("/metrics").text.splitlines() if line.startswith("fauxto_requests_total")]
    assert len(labels) == 1
    assert "made-up" not in labels[0]


def test_a_forwarded_address_buys_no_second_rate(routes, tmp_path):
    from fauxto.service.keys import new_key

    key = {"Authorization": f"Bearer {new_key(tmp_path / 'keys', 'one')}"}
    app = routes(keys=tmp_path / "keys", rate=2)
    answers = [
        app.post("/v1/analyze/batch", content=b"x", headers={**key, "X-Forwarded-For": f"192.0.2.{number}"})
        for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 429]


@pytest.mark.parametrize(
    ("sip", "rate", "comes"),
    [(0, 100_000, False), (2**18, 100_000_000, False), (2**18, 100_000, True)],
    ids=["nothing", "too little", "enough"],
)
def test_an_answer_has_to_be_accepted(sip, rate, comes):
    """An answer that waits is memory; a client that takes a byte now and then must not keep it for ever."""
    answer = bytes(16 * 2**20)  # more than the system's buffers hold

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    async def ask():
        loop, state = asyncio.get_running_loop(), ServerState()
        config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, timeout_keep_alive=SECONDS)
        config.load()
        protocol = impatient(0.5, rate)
        server = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
        client = socket.socket()
        client.setblocking(False)
        received = 0
        async with server, asyncio.timeout(SECONDS):
            await loop.sock_connect(client, server.sockets[0].getsockname())
            await loop.sock_sendall(client, GET + b"\r\n")
            while not state.connections:
                await asyncio.sleep(0.01)
            with client, contextlib.suppress(ConnectionError):
                while state.connections and received < len(answer):
                    received += len(await loop.sock_recv(client, sip)) if sip else 0
                    await asyncio.sleep(0.05)
        return received

    assert (asyncio.run(ask()) >= len(answer)) == comes


def test_connections_beyond_the_most_are_closed_at_once(monkeypatch):
    async def connect(others):
        state = ServerState()
        state.connections.update(range(others))
        protocol = impatient(10, 1)(uvicorn.Config(lambda: None, ws="none", lifespan="off"), state, {})
        closed = []
        transport = SimpleNamespace(
            abort=lambda: closed.append(True), get_extra_info=lambda *_: None, get_write_buffer_size=lambda: 0
        )
        protocol.connection_made(transport)
        return bool(closed)

    assert not asyncio.run(connect(MAX_CONNECTIONS))
    assert asyncio.run(connect(MAX_CONNECTIONS + connections._MORE_CONNECTIONS))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_after_all_that_nothing_is_left(service, pictures):
    """Files and connections are closed again, and no worker talks to anyone but the service."""
    folder = Path(f"/proc/{service.process.pid}/fd")

    def open_files():
        return len(list(folder.iterdir()))

    service.analyze(pictures["rough"])
    before = open_files()
    for _ in range(30):
        say(service, GET + CLOSE + b"\r\n")
        say(service, b"broken\r\n\r\n")
        service.analyze(pictures["rough"])
    assert open_files() <= before + 1
    for worker in service.workers():
        ours = {str(one.readlink()) for one in Path(f"/proc/{worker}/fd").iterdir()}
        for table in ("tcp", "tcp6", "udp", "udp6"):
            rows = Path(f"/proc/{worker}/net/{table}").read_text().splitlines()[1:]
            assert not ours & {f"socket:[{row.split()[9]}]" for row in rows}
