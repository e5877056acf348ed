"""The terms of IPTC's vocabulary "digitalsourcetype", with C2PA's additions, and what each says of a generative model.

Labels in metadata and the steps of content credentials use the same terms, so this is the one place that sorts them: as
IPTC defines them (NewsCodes, 2026) and the C2PA Conformance Program's asset rubrics (2026) do.
"""

from __future__ import annotations

GENERATED = frozenset({"trainedAlgorithmicMedia", "trainedAlgorithmicData"})
"""A generative model made it as a whole."""

GENERATED_IN_PART = frozenset({"compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"})
"""A generative model edited it, or made at least one of the elements that it was put together from."""

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
        "multiFrameComputationalCapture",
        "negativeFilm",
        "positiveFilm",
        "print",
        "screenCapture",
        "softwareImage",
        "virtualRecording",
    }
)

_VOCABULARIES = ("cv.iptc.org/newscodes/digitalsourcetype/", "c2pa.org/digitalsourcetype/")
_BY_LOWER_CASE = {term.lower(): term for term in GENERATED | GENERATED_IN_PART | CAPTURED | EDITED | _OTHER}


def term(value: str) -> str | None:
    """Return the term that a value names, as an address of a vocabulary or bare, in whatever case; None for no term."""
    bare = value.strip().removeprefix("https://").removeprefix("http://")
    for vocabulary in _VOCABULARIES:
        bare = bare.removeprefix(vocabulary)
    return _BY_LOWER_CASE.get(bare.lower())
