"""How many cores are used where a container or a service manager leaves fewer than there are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fauxto import cores
from fauxto.cores import network_threads


@pytest.fixture(autouse=True)
def sixteen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of sixteen cores, without control groups."""
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)
    monkeypatch.setattr(cores, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "groups")
    return tmp_path


def limit(folder: Path, groups: str, files: dict[str, str]) -> None:
    (folder / "own").write_text(groups)
    for name, text in files.items():
        path = folder / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_without_bounds_all_cores_are_used() -> None:
    assert (cores.cores(), network_threads()) == (16, 0)


def test_affinity_bounds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5}, raising=False)
    assert (cores.cores(), network_threads()) == (2, 2)


@pytest.mark.parametrize(
    ("groups", "files", "count"),
    [
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 16),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "1000 100000\n"}, 1),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000", "cpu.max": "900000 100000"}, 3),
        ("0::/gone\n", {"cpu.max": "400000 100000"}, 4),
        ("3:cpu,cpuacct:/d\n1:memory:/d\n", {"cpu/cpu.cfs_quota_us": "500000", "cpu/cpu.cfs_period_us": "100000"}, 5),
        ("3:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 16),
        ("0::/\n", {"cpu.max": "many 100000"}, 16),
        ("0::/\n", {"cpu.max": "100000 0"}, 16),
        ("0::/\n", {"cpu.max": "6400000 100000"}, 16),
    ],
)
def test_control_groups_bound_them(sixteen: Path, groups: str, files: dict[str, str], count: int) -> None:
    limit(sixteen, groups, files)
    assert cores.cores() == count
    assert network_threads() == (count if count < 16 else 0)
