"""Every setting of the service, with defaults that are safe for untrusted clients."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from fauxto.cores import cores
from fauxto.errors import ConfigError
from fauxto.limits import Limits
from fauxto.options import DetectorOptions

MEBIBYTE = 1024 * 1024
_DEFAULT_OPTIONS = DetectorOptions(limits=Limits(max_bytes=25 * MEBIBYTE, max_seconds=20.0))


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service allows.

    Attributes:
        detector: How pictures are judged. Of its limits `max_seconds` is enforced, by ending the worker; each worker
            has one thread, whatever it says.
        explain_seconds: Most processor time for one explanation, which takes dozens of passes of the network.
        workers: Processes that open pictures, each one picture at a time.
        worker_bytes: Memory that a worker may take beyond the code it maps, in bytes.
        queue: Requests that may wait for a worker; more get 503.
        wait_seconds: Longest wait for a worker.
        max_files: Pictures in one batch.
        max_batch_bytes: Bytes of one batch.
        max_held_bytes: Bytes of all requests' bodies in memory at a time.
        read_seconds: Timeout for a client that neither sends nor receives, and for the headers.
        read_rate: Slowest average of an upload after the first `read_seconds`, in bytes a second.
        keys: File of API keys; None asks for none.
        rate: Pictures per minute and key.
        fetch_urls: Whether to fetch pictures by URL.
        hosts: Host names accepted without keys; empty for any.
    """

    detector: DetectorOptions = _DEFAULT_OPTIONS
    explain_seconds: float = 120.0
    workers: int = cores()
    worker_bytes: int = 2048 * MEBIBYTE
    queue: int = 64
    wait_seconds: float = 60.0
    max_files: int = 100
    max_batch_bytes: int = 200 * MEBIBYTE
    max_held_bytes: int = 512 * MEBIBYTE
    read_seconds: float = 10.0
    read_rate: int = 16 * 1024
    keys: Path | None = None
    rate: int = 600
    fetch_urls: bool = False
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "::1")

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: A number is below 1, or a whole body doesn't fit into the memory for bodies.
        """
        for name in ("workers", "max_files", "rate"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if self.queue < 0:
            raise ConfigError(f"queue must be 0 or more, not {self.queue}")
        if not 0 < self.limits.max_bytes <= self.max_batch_bytes <= self.max_held_bytes:
            raise ConfigError("the limits must rise from one picture to a batch to all that is held in memory")

    @property
    def limits(self) -> Limits:
        """The limits per picture."""
        return self.detector.limits


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
