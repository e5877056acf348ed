"""The journal: each key once, safe from a kill, and gone on with only by the same scan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fauxto.errors import ConfigError
from fauxto.report import Report, Status
from fauxto.scan.items import PASSED_OVER, Item, Row, row_of
from fauxto.scan.journal import Journal

ORIGIN = {"source": ["photos"], "model": "x"}


def row(key: str, status: Status = Status.NOT_FOUND) -> object:
    return row_of(Item(key, key, key), Report(key, status))


def test_rows_come_back_sorted_and_once(tmp_path: Path) -> None:
    keys = ["b", "a", "ü", "\udcff", "z\n", "B"]
    with Journal(tmp_path / "j", ORIGIN, resume=False) as journal:
        assert [journal.add(row(key)) for key in keys] == [True] * len(keys)
        assert journal.add(row("a", Status.TRUNCATED)) is False
        assert journal.is_done("\udcff")
        assert not journal.is_done("c")
    with Journal(tmp_path / "j", ORIGIN, resume=True) as journal:
        assert [report.path for report in journal.reports()] == ["B", "a", "b", "z\n", "ü", "\udcff"]
        assert [file for _, file in journal.reports_and_files()][-1] == "\udcff"
        assert journal.counts() == {("not_found", None): len(keys)}
        assert journal.done_under("z") == {"z\n"}
        journal.delete()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("resume", "origin", "message"),
    [
        (
            False,
            ORIGIN,
            "left from an unfinished scan of photos: continue it with --resume, give another --out, or delete",
        ),
        (
            True,
            {**ORIGIN, "model": "y"},
            "belongs to the scan of photos, with another model: go on as it began, give another --out",
        ),
    ],
)
def test_another_scan_is_not_mixed_in(tmp_path: Path, resume: bool, origin: dict[str, object], message: str) -> None:
    with Journal(tmp_path / "j", ORIGIN, resume=False, owner="scan of photos") as journal:
        journal.add(row("a"))
    with pytest.raises(ConfigError, match=message):
        Journal(tmp_path / "j", origin, resume=resume)
    with Journal(tmp_path / "j", ORIGIN, resume=True) as journal:
        assert journal.is_done("a")


def failed(key: str, status: Status, word: str | None = None) -> object:
    return row_of(Item(key, key, key), Report.unjudged(key, status, "no", word=word))


def test_what_took_too_long_or_ended_its_process_has_one_more_try_a_resume(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", ORIGIN, resume=False) as journal:
        for row_ in (
            failed("a", Status.TIMED_OUT),
            failed("b", Status.UNREADABLE, "crashed"),
            failed("c", Status.UNREADABLE),
            failed('"reasons": ["crashed: d', Status.UNREADABLE),
            Row("e", PASSED_OVER, None, "", None),
        ):
            journal.add(row_)
        assert journal.is_done("a")  # the scan that is running doesn't try it for ever
    with Journal(tmp_path / "j", ORIGIN, resume=True) as journal:
        assert [journal.is_done(key) for key in "abce"] == [False, False, True, True]
        assert journal.done_under("") == {"c", "e", '"reasons": ["crashed: d'}
        assert (journal.done(), journal.passed_over()) == (3, 1)
        assert [report.path for report in journal.reports()] == ['"reasons": ["crashed: d', "a", "b", "c"]
        assert journal.add(row("a", Status.OK))
        assert journal.add(failed("b", Status.UNREADABLE, "crashed"))
        assert not journal.add(row("b", Status.OK))
        assert journal.is_done("b")
        assert journal.counts() == {("ok", None): 1, ("unreadable", None): 3}
    with Journal(tmp_path / "j", ORIGIN, resume=True) as journal:
        assert [journal.is_done(key) for key in "abce"] == [True, False, True, True]


def test_what_was_not_listed_or_not_given_by_a_store_is_forgotten(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", ORIGIN, resume=False) as journal:
        journal.add(failed("folder", Status.UNREADABLE, "not_listed"))
        journal.add(failed("s3://object", Status.UNREADABLE, "store_error"))
        journal.add(row("a"))
        assert journal.is_done("folder")
    with Journal(tmp_path / "j", ORIGIN, resume=True) as journal:
        assert [report.path for report in journal.reports()] == ["a"]
        assert (journal.done(), journal.is_done("folder")) == (1, False)
        assert journal.add(row("folder", Status.OK))


def test_rows_that_nobody_reads_to_their_end_do_not_outlive_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", ORIGIN, resume=False)
    journal.add(row("a"))
    journal.add(row("b"))
    rows = journal.rows()
    assert next(rows).key == "a"
    journal.close()
    rows.close()  # type: ignore[attr-defined]


def test_rows_are_small_and_found_without_a_look_at_the_reports(tmp_path: Path) -> None:
    long = Report.unjudged("", Status.NOT_FOUND, "so long a sentence " * 200)
    with Journal(tmp_path / "j", ORIGIN, resume=False) as journal:
        for number in range(2_000):
            journal.add(row_of(Item(f"{number:08}", "", ""), long))
        journal.commit()
        sizes = dict(journal._database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall())
        plans = [
            str(journal._database.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
            for query in ("SELECT count(*) FROM rows", "SELECT key FROM rows WHERE again > 0 AND again = 1")
        ]
    assert sizes["rows"] < 60 * 2_000
    assert sizes["reports"] < 400 * 2_000  # of 3,800 characters each
    assert "rows_again" in plans[1]


def test_two_scans_at_once_are_refused(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "j", ORIGIN, resume=False, owner="scan of \udcff"),
        pytest.raises(
            ConfigError, match="by another process, for the scan of \udcff: wait for its end, or give another"
        ),
    ):
        Journal(tmp_path / "j", ORIGIN, resume=True)


def test_another_file_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("a letter, and a long one" * 100)
    with pytest.raises(ConfigError, match="isn't the journal of a scan"):
        Journal(tmp_path / "j", ORIGIN, resume=True)


def test_a_kill_keeps_every_commit_and_no_half_of_one(tmp_path: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from fauxto.report import Report, Status
        from fauxto.scan.items import Item, row_of
        from fauxto.scan.journal import Journal
        journal = Journal(Path({str(tmp_path / "j")!r}), {ORIGIN!r}, resume=False)
        for number in range(1000):
            journal.add(row_of(Item(f"{{number:04}}", "", ""), Report("", Status.NOT_FOUND)))
            if number == 499:
                journal.commit()
                journal._committed = 1e12  # nothing more is committed
        os.kill(os.getpid(), signal.SIGKILL)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=os.environ, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with Journal(tmp_path / "j", ORIGIN, resume=True) as journal:
        assert journal.counts() == {("not_found", None): 500}
        assert journal.is_done("0499")
