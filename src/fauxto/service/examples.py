"""Example reports for the API description; their figures are made up."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from fauxto.report import (
    Basis,
    Evidence,
    ImageSummary,
    Lean,
    ModelSummary,
    Reason,
    Report,
    Says,
    Stability,
    Status,
    Trust,
    Verdict,
)

_MODEL = ModelSummary("photos", "1.0.0", sha256(b"model.onnx").hexdigest())
_GENERATED = Report(
    path="picture.png",
    status=Status.OK,
    verdict=Verdict.AI,
    basis=Basis.PIXELS,
    probability=0.97,
    score=3.4,
    fpr_at_score=0.004,
    stability=Stability(flips=0, of=1),
    reasons=(Reason("pixels_ai", "the probability of AI is 0.9700: 0.7 or more counts as AI."),),
    evidence=(Evidence("camera_metadata", Says.NOTHING, Trust.DECLARED, "No camera is named.", {}),),
    image=ImageSummary(1024, 768, "PNG", sha256(b"picture.png").hexdigest()),
    model=_MODEL,
    milliseconds={"decode": 9.1, "evidence": 2.2, "model": 310.0},
)
_OPEN = Report(
    path="photo.jpg",
    status=Status.OK,
    verdict=Verdict.INCONCLUSIVE,
    basis=Basis.PIXELS,
    probability=0.41,
    score=-0.3,
    fpr_at_score=0.2,
    reasons=(Reason("pixels_inconclusive", "the probability of AI is 0.4100: between 0.3 and 0.7 is inconclusive."),),
    image=ImageSummary(4000, 3000, "JPEG", sha256(b"photo.jpg").hexdigest()),
    model=_MODEL,
    milliseconds={"decode": 95.0, "evidence": 12.0, "model": 320.0},
    lean=Lean.NONE,
)
_UNJUDGED = Report.unjudged("half.jpg", Status.TRUNCATED, "the JPEG ends too early; get the whole file")

REPORTS: dict[str, dict[str, Any]] = {
    "generated": {"summary": "Probably generated (made-up figures)", "value": _GENERATED.to_dict()},
    "inconclusive": {"summary": "Can't tell (made-up figures)", "value": _OPEN.to_dict()},
    "not_judged": {"summary": "Not a whole picture", "value": _UNJUDGED.to_dict()},
}
"""By name, as OpenAPI has them."""

LINES = "".join(json.dumps(example["value"]) + "\n" for example in REPORTS.values())
"""The same as the answer to a batch."""
