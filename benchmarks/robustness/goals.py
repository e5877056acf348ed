"""The goals that the project set itself: the benchmarks of this folder judge by them, reliability.md tells them."""

from __future__ import annotations

INPUTS = 1_000_000
"""Hostile inputs that end in a documented status."""

FUZZED_SECONDS = 600
"""Each reader under the fuzzer, without a defect."""

TIMES, MET = 100, 50
"""Each fault of a scan; in so many of these the scan has to be still running, or to notice."""

EXIT_SECONDS = 5.0
"""From a signal to the end of a scan."""

SENT = 20_000
"""Damaged files that a service is sent."""

HOURS, SESSIONS = 2.0, 200
"""Of the soaks of the service and of the page."""

SERVICE_GROWTH = {"megabytes": 0.02, "handles": 0.02, "seconds_p99": 0.25}
"""From the first measurement to the last, as shares; latency only tells something where no other work ran meanwhile."""

PAGE_GROWTH = 0.02
"""Of the page's memory, from the first quarter of the sessions to the last."""

ROWS = 1_000_000
"""Files in one scan."""

ROWS_MEMORY, RESUME_SECONDS = 1.2, 30.0
"""Memory in times of that of a small scan, and the wait until `--resume` goes on."""
