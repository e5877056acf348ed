"""The terms of IPTC's vocabulary "digitalsourcetype", with C2PA's additions, and what each says of a generative model.

Labels in metadata and the steps of content credentials use the same terms, so this is the one place that sorts them: as
IPTC defines them (NewsCodes, 2026) and the C2PA Conformance Program's asset rubrics (2026) do.
"""

from __future__ import annotations

import re

GENERATED = frozenset({"trainedAlgorithmicMedia"})
"""A generative model made it as a whole."""

GENERATED_IN_PART = frozenset({"compositeWithTrainedAlgorithmicMedia", "compositeSynthetic", "trainedAlgorithmicData"})
"""A generative model edited it, or made at least one of the elements that it was put together from.

"Trained algorithmic data" is by C2PA's definition what a model made that isn't a picture, so of a picture it can only
be a part.
"""

CAPTURED = frozenset({"digitalCapture", "computationalCapture"})
"""A camera took it."""

EDITED = frozenset({"humanEdits", "minorHumanEdits", "algorithmicallyEnhanced"})
"""Something was changed, without a generative model."""

# "Algorithmic media" is drawn by a formula that learnt from no data, such as a fractal. Retired terms are among these.
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

# IPTC's own short form of its vocabulary's address is "digsrctype:".
_VOCABULARIES = re.compile(r"(https?://)?(cv\.iptc\.org/newscodes|c2pa\.org)/digitalsourcetype/|digsrctype:")
_BY_LOWER_CASE = {term.lower(): term for term in GENERATED | GENERATED_IN_PART | CAPTURED | EDITED | _OTHER}


def term(value: str) -> str | None:
    """Return the term that a value names, as an address of a vocabulary or bare, in whatever case; None for no term."""
    written = value.strip().lower()
    address = _VOCABULARIES.match(written)
    return _BY_LOWER_CASE.get(written[address.end() :].removesuffix("/") if address else written)
