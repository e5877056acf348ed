"""What Prometheus may read: counts and times, never what a picture was called."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from fauxto.service.line import Line

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The figures of one service, in a registry of its own."""

    def __init__(self, line: Line) -> None:
        """Make them all, at zero.

        Args:
            line: Whose length and bytes are shown.
        """
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "fauxto_requests", "Requests that were answered.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "fauxto_request_seconds",
            "Seconds from a request's headers to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._pictures = Counter(
            "fauxto_pictures", "Pictures by what came of them.", ("status", "verdict"), registry=self._registry
        )
        self._ends = Counter(
            "fauxto_workers_replaced", "Workers that took too long or died.", ("why",), registry=self._registry
        )
        waiting = Gauge("fauxto_line", "Requests that wait for a worker or have one.", registry=self._registry)
        waiting.set_function(lambda: line.occupied)
        held = Gauge("fauxto_held_bytes", "Bytes of bodies in memory.", registry=self._registry)
        held.set_function(lambda: line.held_bytes)

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_picture(self, status: str, verdict: str | None) -> None:
        """Count one picture."""
        self._pictures.labels(status, verdict or "none").inc()

    def count_end(self, why: str) -> None:
        """Count one worker that was replaced."""
        self._ends.labels(why).inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)
