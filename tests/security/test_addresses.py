"""Pictures by their address. A connection goes to an address that was checked, or nowhere."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from fauxto import ImageError, fetching
from fauxto.service.line import Held, Line

PUBLIC = "93.184.215.14"
PNG = {"Content-Type": "image/png"}


def fetch(address, answer=None, resolved=None, max_bytes=1_000, seconds=5.0):
    """Fetch with made-up name servers and hosts; returns the bytes and what was asked, hop by hop."""
    asked = []

    async def resolve(host, port):
        found = (resolved or {}).get(host, [PUBLIC])
        if isinstance(found, OSError):
            raise found
        asked.append(("resolve", host, port))
        return found.pop(0) if found and isinstance(found[0], list) else found

    async def carry(request):
        asked.append(("ask", str(request.url), request.headers["host"], request.extensions["sni_hostname"]))
        found = answer(request) if callable(answer) else answer
        return found or httpx.Response(200, headers=PNG, stream=httpx.ByteStream(b"picture"))

    line = Line(1, 1_000_000)

    async def run():
        with Held(line) as held:
            transport = httpx.MockTransport(carry)
            return await fetching.fetch(address, max_bytes, seconds, held.take, resolve=resolve, transport=transport)

    try:
        return asyncio.run(run()), asked
    except ImageError as error:
        return error.status, asked
    finally:
        assert line.held_bytes == 0


def test_a_public_address_is_fetched_from_the_very_address_that_was_checked():
    data, asked = fetch("https://pictures.example.org/a.png?b=c#d")
    assert data == b"picture"
    assert asked == [
        ("resolve", "pictures.example.org", 443),
        ("ask", f"https://{PUBLIC}/a.png?b=c", "pictures.example.org", "pictures.example.org"),
    ]


NOT_PUBLIC = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1",
    "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::7f00:1", "2002:7f00:1::",
    "2002:808:808::1", "2001:0:7f00:1::", "fec0::1", "100::1", "3fff::1", "4000::1", "5f00::1",
    "no address",
]  # fmt: skip


@pytest.mark.parametrize("ip", NOT_PUBLIC)
def test_what_isnt_public_is_refused_written_out_or_behind_a_name(ip):
    assert not fetching.is_public(ip)
    shown = f"[{ip}]" if ":" in ip else ip
    for address in (f"http://{shown}/a.png", "https://innocent.example.org/a.png"):
        # One public address among others doesn't help: any of them might be taken.
        word, asked = fetch(address, resolved={"innocent.example.org": [PUBLIC, ip]})
        assert word == "unreadable"
        assert [one for one in asked if one[0] == "ask"] == []


@pytest.mark.parametrize("ip", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111"])
def test_public_addresses_are_public(ip):
    assert fetching.is_public(ip)


@pytest.mark.parametrize(
    "address",
    [
        "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://0x7f.1/",
        "http://017700000001/", "http://127.0.0.1./", "http://127.0.0.0x1/", "http://127.000.000.001/",
        "http://localhost/", "http://intranet/", "http://a..b/", "http://-a.example/", "http:///a", "http://",
        "http://[::1%25lo]/", "http://[fe80::1%251]/", "http://[v1.a]/", "http://[::1/", "file:///etc/passwd",
        "gopher://a.example/", "ftp://a.example/", "data:image/png;base64,AAAA", "javascript:alert(1)",
        "//a.example/", "a.example", "", "http://user:word@a.example/", "http://a.example@127.0.0.1/",
        "http://a.example:22/", "http://a.example:443/", "https://a.example:80/", "http://a.example:99999/",
        "http://a.example\\@127.0.0.1/", "http://a.example/\r\nX: y", "http://a.example/ b", "http://a.example/\u00e4",
        "http://\uff11\uff12\uff17.0.0.1/", "http://127\u30020.0.1/", "http://a.example/" + "a" * 2_000,
    ],
)  # fmt: skip
def test_addresses_of_another_kind_are_refused_unasked(address):
    assert fetch(address) == ("unreadable", [])


def test_a_redirect_is_checked_like_the_first_address_and_pinned_anew():
    def answer(request):
        if request.headers["host"] == "a.example.org":
            return httpx.Response(302, headers={"Location": "https://b.example.org/there"})
        return None

    data, asked = fetch("http://a.example.org/", answer, {"b.example.org": ["8.8.8.8"]})
    assert data == b"picture"
    assert asked[2:] == [
        ("resolve", "b.example.org", 443),
        ("ask", "https://8.8.8.8/there", "b.example.org", "b.example.org"),
    ]
    for location in (
        "http://169.254.169.254/latest",
        "http://b.example.org/",
        "file:///etc/passwd",
        "//[::1]/",
        "http://2130706433/",
    ):
        moved = httpx.Response(307, headers={"Location": location})
        word, asked = fetch("http://a.example.org/", moved, {"b.example.org": ["10.0.0.1"]})
        assert word == "unreadable"
        assert len([one for one in asked if one[0] == "ask"]) == 1


def test_a_name_server_that_changes_its_mind_gains_nothing():
    """DNS rebinding: a name is resolved once for each hop, and what was checked is what is asked."""
    answers = [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]]
    data, asked = fetch("http://a.example.org/", resolved={"a.example.org": answers})
    assert data == b"picture"
    assert [one[1] for one in asked] == ["a.example.org", f"http://{PUBLIC}/"]
    assert len(answers) == 2


def test_at_most_three_redirects():
    word, asked = fetch("http://a.example.org/", lambda _: httpx.Response(302, headers={"Location": "/on"}))
    assert word == "unreadable"
    assert len([one for one in asked if one[0] == "ask"]) == 4


class Slow(httpx.AsyncByteStream):
    async def __aiter__(self):
        while True:
            yield b"x"
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (httpx.Response(200, headers=PNG, stream=httpx.ByteStream(bytes(1_001))), "too_large"),
        (httpx.Response(200, headers=PNG, stream=Slow()), "unreadable"),
        (httpx.Response(200, headers={"Content-Type": "text/html"}, content=b"secret"), "unreadable"),
        (httpx.Response(200, headers={**PNG, "Content-Encoding": "gzip"}, stream=Slow()), "unreadable"),
        (httpx.Response(404, headers=PNG, content=b"x"), "unreadable"),
        (httpx.Response(302), "unreadable"),
    ],
    ids=["large", "slow", "page", "compressed", "missing", "nowhere"],
)
def test_size_time_and_type_are_capped(answer, word):
    assert fetch("http://a.example.org/", answer, seconds=0.3)[0] == word


def test_what_the_other_side_says_isnt_repeated():
    def fail(_):
        raise httpx.ConnectError("10.0.0.7 refused")

    for answer, resolved in ((fail, None), (None, {"a.example.org": socket.gaierror("no such host in intranet")})):
        assert fetch("http://a.example.org/", answer, resolved)[0] == "unreadable"


def test_a_resolver_of_this_machine_is_asked_for_all_addresses():
    assert "127.0.0.1" in asyncio.run(fetching.resolve("127.0.0.1", 80))
