"""Every picture of a split under every protocol, judged as the runtime would: one row each, kept in a Parquet file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rich.progress import track

from fauxto import domain, preprocessing
from fauxto.bundles import Bundle
from fauxto.bundles.network import Network
from fauxto.domain import objection
from fauxto.lab import corruptions
from fauxto.lab.datasets import Split
from fauxto.lab.photos import delivery
from fauxto.lab.photos.delivery import PROTOCOLS
from fauxto.preprocessing import resize, sent_on, shrunk

_COLUMNS = ("path", "label", "source", "generator", "format", "jpeg_quality", "width", "height")
_WORKERS = 2


def judged(pictures: Split, bundle: Bundle, cache: Path) -> pa.Table:
    """Score a split under every protocol.

    Args:
        pictures: Whole pictures.
        bundle: What judges them; the cache is only good for this one.
        cache: A folder.

    Returns:
        A row per picture and protocol: columns of the manifest, `protocol`, `score` (raw), `score_sent_on` (of the
        copy that the verdict must outlast) and `objection` (why its kind can't be judged, or null).
    """
    path = cache / f"judged-{pictures.name}-{_key(pictures, bundle)}.parquet"
    if not path.is_file():
        network = Network(bundle, threads=1)
        with ThreadPoolExecutor(_WORKERS) as pool:
            found = pool.map(lambda row: list(_rows(pictures, row, network, bundle)), range(len(pictures)))
            rows = [one for many in track(found, f"judging {pictures.name}", total=len(pictures)) for one in many]
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)
    return pq.read_table(path)


def _key(pictures: Split, bundle: Bundle) -> str:
    """Return what stands for everything that decides a row: the pictures, the network and the code in between."""
    digest = hashlib.sha256(bundle.model_sha256.encode())
    for sha256 in pictures.rows["sha256"].to_pylist():
        digest.update(sha256.encode())
    for module in (delivery, corruptions, domain, preprocessing):
        digest.update(Path(module.__file__).read_bytes())
    return digest.hexdigest()[:12]


def _rows(pictures: Split, row: int, network: Network, bundle: Bundle) -> Iterator[dict[str, Any]]:
    size = bundle.input.height, bundle.input.width
    rgb = pictures.images[row]
    facts = {name: pictures.rows[name][row].as_py() for name in _COLUMNS}
    for protocol, deliver in PROTOCOLS.items():
        seen = deliver(rgb)
        both: NDArray[np.uint8] = np.stack([resize(one, *size) for one in (seen, sent_on(shrunk(seen)))])
        score, score_sent_on = network.scores(both).tolist()
        found = {"score": score, "score_sent_on": score_sent_on, "objection": objection(seen)}
        yield {**facts, "protocol": protocol, **found}
