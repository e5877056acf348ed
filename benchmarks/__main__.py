"""`make bench`: every benchmark that needs nothing but the package."""

from __future__ import annotations

from benchmarks import evidence, scan_throughput, thumbnails

thumbnails.main([])
evidence.main([])
scan_throughput.main([])
