"""How many processor cores fauxto may use: what the system, a container or a service manager leaves it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS, _OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def cores() -> int:
    """Return how many cores this process may use, at least 1.

    Linux bounds them by affinity (`taskset`, `docker --cpuset-cpus`) and by control groups (`docker --cpus`, systemd's
    CPUQuota; a part of a core counts as one): "cgroups(7)", Linux man-pages.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([count, *map(math.ceil, _quotas())]))


def network_threads() -> int:
    """Return how many threads a network may use: 0, one per physical core, unless fewer cores are left to it."""
    count = cores()
    return count if count < (os.cpu_count() or 1) else 0


def _quotas() -> Iterator[float]:
    """Yield how many cores' time each control group allows, from the process's own to the outermost."""
    for group, names in _groups():
        for folder in (group, *group.parents):
            if folder == _GROUPS.parent:
                break
            try:
                quota, period = " ".join((folder / name).read_text(encoding="ascii") for name in names).split()
                if quota not in ("max", "-1"):
                    yield int(quota) / int(period)
            except (OSError, ValueError, ZeroDivisionError):
                continue  # no limit here, or none that can be read


def _groups() -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield the process's control groups of version 2 and 1, with the files that hold quota and period."""
    try:
        lines = _OWN_GROUPS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield _GROUPS / path.lstrip("/"), ("cpu.max",)
        elif "cpu" in controllers.split(","):
            yield _GROUPS / "cpu" / path.lstrip("/"), ("cpu.cfs_quota_us", "cpu.cfs_period_us")
