"""The engine of several machines: Ray Data streams the inputs through actors, each with a detector of its own.

Shards are opened where Ray runs them, so that a folder on a shared file system or an archive in a bucket is read by
the cluster and not by the machine that asks. Needs the extra `scale`.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from fauxto.errors import FauxtoError, MissingExtraError
from fauxto.limits import Limits
from fauxto.options import DetectorOptions
from fauxto.report import Report, Status
from fauxto.scan.items import Item, Row, Shard
from fauxto.scan.journal import Journal
from fauxto.scan.local import judge_all
from fauxto.scan.sources import Files

if TYPE_CHECKING:
    from ray.data import Dataset

_TEXTS = ("path", "status", "verdict")
_EMPTY = Report.unjudged(None, Status.NOT_FOUND, "the row names no picture", word="empty_cell")

_ITEMS = 16
"""What an actor judges before its rows go on."""

_PARTS = 8192
"""Parts of the inputs that Ray is given at once, so that memory doesn't grow with their number: 131,072 files."""

_ACTORS_PER_READER = 4
"""Opening a source is far less work than judging what comes out of it."""

_TRIES = 5
"""How often what a lost actor held is judged again, before a picture that ends every actor ends the scan."""

_BLOCK_BYTES = 16 * 1024 * 1024
"""Of the pictures that travel together, where they come out of an archive or a table."""

_STORE_BYTES = 512 * 1024 * 1024
"""Of shared memory, for a Ray that is started here."""


def run(
    shards: Iterable[Shard],
    journal: Journal,
    options: DetectorOptions,
    *,
    address: str | None = None,
    workers: int | None = None,
) -> Iterator[Row]:
    """Yield a row for each item of the shards that isn't done, in the order in which they come.

    An actor that dies is replaced and what it held is judged again, as Ray Data sees to, but not without end.

    Args:
        shards: The inputs.
        journal: Knows what has its row already; nothing is written to it here.
        options: How the detector judges.
        address: Of a Ray cluster; None for a Ray on this machine, which ends with the scan.
        workers: How many actors; None for one per CPU of the cluster.

    Raises:
        MissingExtraError: Ray isn't installed.
        FauxtoError: There is no cluster at `address`, or the work failed for good.
    """
    ray = _ray()
    from ray.exceptions import RayError

    parts = (part for shard in shards for part in _parts(shard, journal, options.limits))
    some = list(islice(parts, _PARTS))
    if not some:
        return
    is_ours = not ray.is_initialized()
    try:
        if is_ours:
            _start(ray, address)
        context = ray.data.DataContext.get_current()
        context.target_max_block_size = _BLOCK_BYTES
        context.enable_progress_bars = False
        count = workers or _cpus(ray)
        readers = max(1, count // _ACTORS_PER_READER)
        while some:
            dataset = (
                ray.data.from_items([{"part": pickle.dumps(part)} for part in some])
                .flat_map(_items, fn_args=(options.limits,), num_cpus=0, concurrency=readers)
                .map_batches(_Judge, fn_constructor_args=(options,), **_actors(ray, count))
            )
            for row in dataset.iter_rows():
                yield pickle.loads(row["row"])  # our own actors pickled it  # noqa: S301  # nosec B301
            some = list(islice(parts, _PARTS))
    except (RayError, ConnectionError) as error:
        raise _gave_up(error) from error
    finally:
        if is_ours:
            ray.shutdown()


def judged(
    dataset: Dataset, options: DetectorOptions | None = None, *, column: str = "bytes", workers: int | None = None
) -> Dataset:
    """Judge the pictures of a Ray data set, and leave reading and writing to Ray.

        pictures = ray.data.read_binary_files("s3://bucket/photos", include_paths=True)
        fauxto.scan.ray.judged(pictures).write_parquet("s3://bucket/verdicts")

    Args:
        dataset: Rows with the bytes of a file, or its path or address, in `column`; a column `path` names them.
        options: How the detector judges.
        column: Which column.
        workers: How many actors; None for one per CPU of the cluster.

    Returns:
        A row for each row, with the columns `path`, `status`, `verdict`, `probability` (float64) and `report` (JSON).

    Raises:
        MissingExtraError: Ray isn't installed.
    """
    ray = _ray()
    how = _actors(ray, workers or _cpus(ray))
    return dataset.map_batches(_JudgeColumn, fn_constructor_args=(options or DetectorOptions(), column), **how)


class _Judge:
    """An actor: pickled items in, pickled rows out."""

    def __init__(self, options: DetectorOptions) -> None:
        from fauxto.scan.reuse import ReusingDetector

        self._options = options
        self._detector = ReusingDetector.from_options(options, threads=1)

    def __call__(self, batch: Any) -> Any:
        import pyarrow

        items = [pickle.loads(item) for item in batch["item"].to_pylist()]  # our own tasks pickled it  # noqa: S301  # nosec B301
        rows = [pickle.dumps(row) for row in judge_all(items, self._detector, self._options)]
        return pyarrow.table({"row": pyarrow.array(rows, pyarrow.binary())})


class _JudgeColumn:
    """An actor: a column of pictures in, columns of a report out."""

    def __init__(self, options: DetectorOptions, column: str) -> None:
        from fauxto.scan.reuse import ReusingDetector

        self._options = options
        self._column = column
        self._detector = ReusingDetector.from_options(options, threads=1)

    def __call__(self, batch: Any) -> Any:
        import pyarrow

        sources = [_EMPTY if source is None else source for source in batch[self._column].to_pylist()]
        names = batch["path" if "path" in batch.column_names else self._column].to_pylist()
        items = [Item(str(name), str(name), source, is_cell=True) for name, source in zip(names, sources, strict=True)]
        rows = list(judge_all(items, self._detector, self._options))
        reports = [json.loads(row.report) for row in rows]
        texts = {name: pyarrow.array([plain[name] for plain in reports], pyarrow.string()) for name in _TEXTS}
        probability = pyarrow.array([plain["probability"] for plain in reports], pyarrow.float64())
        report = pyarrow.array([row.report for row in rows], pyarrow.string())
        return pyarrow.table({**texts, "probability": probability, "report": report})


def _parts(shard: Shard, journal: Journal, limits: Limits) -> Iterator[tuple[Shard, frozenset[str]]]:
    """Cut a shard into what one task opens, each with the keys that it may pass over."""
    if isinstance(shard, Files):
        files = shard.items(limits, journal.is_done)
        while listed := tuple(islice(files, _ITEMS)):
            yield Files(listed), frozenset()
    else:
        yield shard, journal.done_under(shard.prefix)


def _items(row: dict[str, Any], limits: Limits) -> Iterator[dict[str, bytes]]:
    shard, done = pickle.loads(row["part"])  # this module pickled it  # noqa: S301  # nosec B301
    for item in shard.items(limits, done.__contains__):
        yield {"item": pickle.dumps(item)}


def _ray() -> Any:
    # Nothing leaves this machine unasked; and what goes wrong is raised, not printed by every process.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray would run its actors below everything else
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise MissingExtraError("scale", "the engine 'ray'") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", "The minimum number of concurrent actors")  # fewer files than that are no fault
    warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")  # max_restarts has no other way in yet
    return ray


def _start(ray: Any, address: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    on_stop = signal.getsignal(signal.SIGTERM)
    try:
        if address:
            ray.init(address, **quiet)
        else:
            ray.init("local", object_store_memory=_STORE_BYTES, include_dashboard=False, **quiet)
    except Exception as error:  # on a busy machine Ray waits for itself in vain, and says so by a bare Exception
        raise _gave_up(error) from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_stop)  # Ray has put its own in the place of our caller's


def _gave_up(error: Exception) -> FauxtoError:
    *_, last = [type(error).__name__, *str(error).strip().rstrip(".").splitlines()]
    return FauxtoError(
        f"Ray gave up: {last}; --resume without --engine ray goes on, and "
        "gives a picture that ends every process a row of its own"
    )


def _cpus(ray: Any) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _actors(ray: Any, count: int) -> dict[str, Any]:
    pool = ray.data.ActorPoolStrategy(size=count)
    faults = {"max_restarts": -1, "max_task_retries": _TRIES}
    return {"batch_size": _ITEMS, "batch_format": "pyarrow", "compute": pool, "num_cpus": 1, **faults}
