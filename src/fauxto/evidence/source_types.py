"""The terms of IPTC's vocabulary "digitalsourcetype" and C2PA's additions, grouped by the use of generative models.

Metadata labels and actions in content credentials use the same terms. The groups follow IPTC's definitions (NewsCodes,
2026) and the C2PA Conformance Program's asset rubrics (2026).
"""

from __future__ import annotations

import re

GENERATED = frozenset({"trainedAlgorithmicMedia"})
"""A generative model made the whole picture."""

GENERATED_IN_PART = frozenset({"compositeWithTrainedAlgorithmicMedia", "compositeSynthetic", "trainedAlgorithmicData"})
"""A generative model edited it, or made at least one of its elements.

C2PA defines "trained algorithmic data" as output of a model that isn't a picture, so it can only be part of one.
"""

CAPTURED = frozenset({"digitalCapture", "computationalCapture"})
"""A camera took it."""

EDITED = frozenset({"humanEdits", "minorHumanEdits", "algorithmicallyEnhanced"})
"""Something was changed, without a generative model."""

# "Algorithmic media" come from a formula without training data, such as a fractal. Includes retired terms.
_OTHER = frozenset(
    {
        "algorithmicMedia",
        "composite",
        "compositeCapture",
        "dataDrivenMedia",
        "digitalArt",
        "digitalCreation",
        "empty",
        "negativeFilm",
        "positiveFilm",
        "print",
        "screenCapture",
        "softwareImage",
        "virtualRecording",
    }
)

# IPTC's own prefix for its vocabulary is "digsrctype:".
_VOCABULARIES = re.compile(r"(https?://)?(cv\.iptc\.org/newscodes|c2pa\.org)/digitalsourcetype/|digsrctype:")
_BY_LOWER_CASE = {term.lower(): term for term in GENERATED | GENERATED_IN_PART | CAPTURED | EDITED | _OTHER}


def term(value: str) -> str | None:
    """Return the term that a value names (a vocabulary URL or the bare term, in any case); None if it names none."""
    written = value.strip().lower()
    address = _VOCABULARIES.match(written)
    return _BY_LOWER_CASE.get(written[address.end() :].removesuffix("/") if address else written)
