"""A store that speaks as much of S3's protocol as listing and reading need, on this machine alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 3
"""Keys of one page of a listing."""


@contextmanager
def serving(objects: dict[str, bytes], fault: Callable[[str], str] = lambda name: "") -> Iterator[str]:
    """Serve `objects`, by `bucket/key`, and give the endpoint's address; what is added later is served too.

    `fault` is asked at each reading of an object: "503", "cut" (half of the stream), "slow" (by bits), or "" for none.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._object(is_head=True)

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
            if "list-type" in query:
                self._listing(unquote(address.path).strip("/"), query)
            else:
                self._object(is_head=False)

        def log_message(self, *_: object) -> None:
            pass

        def _object(self, is_head: bool) -> None:
            name = unquote(urlsplit(self.path).path).strip("/")
            data = b"" if "/" not in name and self._is_bucket(name) else objects.get(name)
            if data is None:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>", is_head)
                return
            status, headers, wanted = 200, {}, self.headers.get("Range")
            if wanted:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                end = min(int(last or len(data)) + 1, len(data))
                headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
                status, data = 206, data[int(first) : end]
            trouble = "" if is_head else fault(name)
            if trouble == "503":
                self._answer(503, b"<Error><Code>SlowDown</Code></Error>")
            else:
                self._answer(status, data, is_head, headers, trouble)

        def _is_bucket(self, name: str) -> bool:
            return any(one.startswith(f"{name}/") for one in objects)

        def _listing(self, bucket: str, query: dict[str, str]) -> None:
            if not self._is_bucket(bucket):
                self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
                return
            prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
            start = query.get("continuation-token", query.get("start-after", ""))
            keys = sorted(name.removeprefix(f"{bucket}/") for name in objects if name.startswith(f"{bucket}/"))
            found: dict[str, int | None] = {}
            for key in keys:
                if key.startswith(prefix):
                    head, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
                    found[prefix + head + cut if cut else key] = None if cut else len(objects[f"{bucket}/{key}"])
            rest = [(key, size) for key, size in found.items() if key > start]
            page = rest[: min(PAGE, int(query.get("max-keys", PAGE)))]
            lines = [
                f"<CommonPrefixes><Prefix>{escape(key)}</Prefix></CommonPrefixes>"
                if size is None
                else f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size><ETag>x</ETag>"
                "<LastModified>2026-01-01T00:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents>"
                for key, size in page
            ]
            if len(page) < len(rest):
                lines.append(f"<IsTruncated>true</IsTruncated><NextContinuationToken>{escape(page[-1][0])}")
                lines.append("</NextContinuationToken>")
            body = f"<ListBucketResult><KeyCount>{len(page)}</KeyCount>{''.join(lines)}</ListBucketResult>"
            self._answer(200, body.encode())

        def _answer(
            self,
            status: int,
            body: bytes,
            is_head: bool = False,
            headers: dict[str, str] | None = None,
            trouble: str = "",
        ) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), "ETag": '"x"', **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            self.end_headers()
            if trouble == "cut":
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            elif trouble == "slow":
                for first in range(0, len(body), 1 + len(body) // 5):
                    time.sleep(0.1)
                    self.wfile.write(body[first : first + 1 + len(body) // 5])
            elif not is_head:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
