"""What a worker finds out about one picture of a known label: the facts of its file, and its scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from fauxto import domain, images
from fauxto.detector import Detector
from fauxto.errors import FauxtoError, ImageError
from fauxto.jpeg_tables import estimate_quality, read_tables
from fauxto.lab.datasets.pictures import pixel_sha256
from fauxto.lab.degradations.protocols import DELIVERED
from fauxto.reencoding import reencode
from fauxto.report import Report, Status
from fauxto.scan.items import Item, Row, internal_error, row_of_unjudged
from fauxto.verdict import outside

SEED = 1
"""Of what the protocols leave to chance, with a picture's own pixels; the same as for data sets."""


def measured(item: Item, detector: Detector, *, protocols: int) -> Row:
    """Return an item's row, whatever happens to it; its `report` is the JSON of `facts_of`, or of a `Report`.

    Args:
        item: A file.
        detector: Whose models score it.
        protocols: Under how many of `DELIVERED`, the first of which is `clean`.

    Raises:
        FauxtoError: The network can't be opened or fails; no other picture would fare better.
    """
    try:
        if isinstance(item.source, Report):
            return row_of_unjudged(item, item.source)
        facts = facts_of(images.read_bytes(item.source, detector.limits), detector, protocols)
    except ImageError as error:
        return row_of_unjudged(item, Report.unjudged(item.path, error.status, str(error)))
    except FauxtoError:
        raise
    except Exception as error:  # one row a picture: a fault of ours must not end an evaluation
        return row_of_unjudged(item, internal_error(item, error))
    if not np.isfinite(facts["scores"]).all():
        sentence = "the network gave no finite number for this picture"
        return row_of_unjudged(item, Report.unjudged(item.path, Status.UNREADABLE, sentence, word="model_error"))
    file = item.source if isinstance(item.source, str) else None
    return Row(item.key, Status.OK, None, json.dumps({"path": item.path, **facts}), file)


def facts_of(data: bytes, detector: Detector, protocols: int) -> Mapping[str, Any]:
    """Return the facts of a file and its scores.

    Returns:
        `bundle`, the name of the one that scores it, under all protocols; `width`, `height`, `format`, `jpeg_quality`,
        `sha256` and `pixel_sha256` as in a data set's manifest; and a list with an entry a protocol for each of
        `scores` (raw, then after the re-encoding that a verdict must outlast) and `objections` (why it is out of
        domain, or None).

    Raises:
        ImageError: There is no picture in it.
        BundleError: A network can't be opened or fails.
    """
    image = images.decode(data, detector.limits)
    digest, tables = pixel_sha256(image.rgb), read_tables(data)
    height, width = image.rgb.shape[:2]
    bundle = min(detector.bundles, key=lambda bundle: bundle.domain.distance(min(height, width)))
    draws = np.random.default_rng((SEED, int(digest[:8], 16)))
    seen = [protocol.apply(image.rgb, draws) for protocol in DELIVERED[:protocols]]
    # All by the picture's own model: another's scores would mean nothing beside this one's calibration and thresholds.
    outputs = detector.judge_pixels([*seen, *(map(reencode, seen) if bundle.stability else ())], versions=True)
    scores = [score for score, _, _ in outputs]
    reasons = [
        outside(min(rgb.shape[:2]), domain.objection(rgb), bundle.domain, unlikeness)
        for rgb, (_, _, unlikeness) in zip(seen, outputs, strict=False)
    ]
    return {
        "bundle": bundle.name,
        "width": width,
        "height": height,
        "format": image.facts.format,
        "jpeg_quality": estimate_quality(tables[0]) if 0 in tables else None,
        "sha256": image.facts.sha256,
        "pixel_sha256": digest,
        "scores": np.tile(scores, 1 if bundle.stability else 2).reshape(2, -1).T.tolist(),
        "objections": [reason and reason.sentence for reason in reasons],
    }
