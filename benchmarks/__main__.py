"""`make bench`: every benchmark that needs nothing but the package."""

from __future__ import annotations

from benchmarks.speed import evidence, one_picture, scan_throughput, thumbnails

thumbnails.main([])
one_picture.main()
evidence.main([])
scan_throughput.main(["--most", "1000"])
