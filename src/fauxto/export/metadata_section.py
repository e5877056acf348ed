"""What the metadata of a file states as HTML, for reports and for the page: every text in it is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fauxto.evidence.content_credentials.timeline import Entry, Source, Step, Timeline
from fauxto.evidence.content_credentials.validation import Outcome
from fauxto.evidence.listing import Field, FileMetadata
from fauxto.export.thumbnails import Thumbnail, thumbnail

STYLE = Path(__file__).with_name("metadata.css").read_text(encoding="utf-8")

WORTH = "Anyone can write, copy or remove metadata: it is a lead to follow, not proof."

NO_FIELDS = "The file has no fields of metadata to show. Most files lose them when they are shared."

VOUCHED = {True: "trusted signer", False: "not trusted"}
"""Whether a trusted signer vouches for an entry, in words."""

_PICTURE_SIDE = 240  # pixels
_OUTCOMES = {
    Outcome.TRUSTED: "The signature is valid and the signer is on the trust list.",
    Outcome.UNTRUSTED: "The signature is valid, but the signer isn't on the trust list: it could be anyone.",
    Outcome.EXPIRED: "The certificate has expired, and no time stamp shows that it was signed earlier.",
    Outcome.NOT_VALIDATED: "The credential breaks a rule of the standard, or leaves parts of the picture unsigned.",
    Outcome.TAMPERED: "This doesn't match the file: it was changed after signing, or copied from another file.",
}


def what_is_withheld(metadata: FileMetadata) -> str:
    """Return how many fields aren't shown, and why; "" where all are."""
    parts = []
    if metadata.withheld:
        parts.append(f"{_fields_are(metadata.withheld)} left out that may tell of people, devices or places.")
    if metadata.unlisted:
        parts.append(f"{_fields_are(metadata.unlisted)} left out because the file has too many.")
    return " ".join(parts)


def outcome_in_words(timeline: Timeline) -> str:
    """Return what the validation of a credential means for its timeline."""
    return _OUTCOMES[timeline.outcome]


def signer_in_words(entry: Entry) -> str:
    """Return who signed an entry, and for which picture."""
    who = entry.who or "A certificate that names no organisation"
    return who if entry.is_own else f"{who}, for a picture that went into this one"


def when_and_how(entry: Entry) -> str:
    """Return when an entry was signed and with which tool, in a line."""
    when = f"Signed {entry.when}" if entry.when else "Not stated when it was signed"
    return f"{when} · written with {entry.tool}" if entry.tool else when


def step_in_words(step: Step) -> str:
    """Return what was done, with which program and when, in a line."""
    details = ", ".join(filter(None, (step.tool and f"with {step.tool}", step.when)))
    repeated = " (repeated from an earlier source)" if step.is_repeated else ""
    return f"{step.what}{f', {details}' if details else ''}{repeated}"


def source_in_words(source: Source) -> str:
    """Return what a picture was for, in a line."""
    return f"{source.title or 'without a name'}: {source.role}{', with a credential of its own' * source.is_signed}"


def timeline(credential: Timeline) -> str:
    """Return a credential's entries as a list, the oldest first."""
    return f'<ol class="timeline">{"".join(map(_entry, credential.entries))}</ol>'


def fields(listed: Iterable[Field]) -> str:
    """Return fields as tables, one for each kind of block."""
    return "".join(_table(where, list(members)) for where, members in groupby(listed, key=lambda field: field.where))


def glance_rows(metadata: FileMetadata) -> list[tuple[str, str]]:
    """Return what people look for first, the history, the position and the contradictions, each with its label."""
    position = [] if metadata.position is None else [("Position", position_in_words(metadata.position))]
    edits = [(f"Edit {number}", line) for number, line in enumerate(metadata.edits, start=1)]
    notes = [("Worth knowing", sentence) for sentence in (*metadata.notes, *metadata.unreadable)]
    return [*metadata.glance, *position, *edits, *notes]


def glance(metadata: FileMetadata) -> str:
    """Return the rows of `glance_rows` as a table."""
    return _table("", [Field("", label, value) for label, value in glance_rows(metadata)])


def section(metadata: FileMetadata, picture: Thumbnail | None) -> str:
    """Return the section of a report, with its heading.

    Args:
        metadata: What the file states.
        picture: To stand beside the thumbnail in the file.
    """
    parts = ["<section><h2>Metadata</h2>", f"<p>{WORTH}</p>", glance(metadata)]
    if metadata.thumbnail is not None and picture is not None:
        parts.append(both(metadata.thumbnail, picture, metadata.thumbnail_sentence))
    if metadata.credential is not None:
        outcome = f"<p>{html.escape(outcome_in_words(metadata.credential))}</p>"
        parts += ["<h3>Content credential</h3>", outcome, timeline(metadata.credential)]
    parts.append(fields(metadata.fields) or f"<p>{NO_FIELDS}</p>")
    if withheld := what_is_withheld(metadata):
        parts.append(f'<p class="quiet">{html.escape(withheld)}</p>')
    return "".join((*parts, "</section>"))


def position_in_words(position: tuple[float, float]) -> str:
    """Return latitude and longitude as maps take them: "48.858222, 2.2945"."""
    return ", ".join(f"{degrees:.6f}".rstrip("0").rstrip(".") for degrees in position)


def both(embedded: NDArray[np.uint8], picture: Thumbnail, sentence: str) -> str:
    """Return the thumbnail of a file beside its picture, with how they compare."""
    own = _image(thumbnail(embedded, _PICTURE_SIDE), "The thumbnail in the file")
    return (
        f'<div class="together"><figure>{own}<figcaption>In the file</figcaption></figure>'
        f"<figure>{_image(picture, 'The picture')}<figcaption>The picture</figcaption></figure></div>"
        f"<p>{html.escape(sentence)}</p>"
    )


def pictures(entry: Entry) -> list[tuple[Thumbnail | None, str]]:
    """Return the pictures of an entry, each with what it is: those that went in, and the one that came out."""
    inside = [(source.picture, source_in_words(source)) for source in entry.sources]
    if entry.picture is not None:
        inside.append((entry.picture, "The result, as it was signed"))
    return [(None if rgb is None else thumbnail(rgb, _PICTURE_SIDE), words) for rgb, words in inside]


def _entry(entry: Entry) -> str:
    kind = " trusted" if entry.is_vouched else ""
    steps = "".join(f"<li>{html.escape(step_in_words(step))}</li>" for step in entry.steps)
    items = "".join(f"<li>{_image(picture)}{html.escape(words)}</li>" for picture, words in pictures(entry))
    return (
        f'<li><p class="who">{html.escape(signer_in_words(entry))} '
        f'<span class="mark{kind}">{VOUCHED[entry.is_vouched]}</span></p>'
        f'<p class="quiet">{html.escape(when_and_how(entry))}</p>'
        + (f'<ul class="steps">{steps}</ul>' if steps else '<p class="quiet">It states no action.</p>')
        + (f'<ul class="pictures">{items}</ul>' if items else "")
        + "</li>"
    )


def _image(picture: Thumbnail | None, alt: str = "") -> str:
    if picture is None:
        return '<span class="none">no thumbnail</span>'
    return f'<img src="{picture.address}" width="{picture.width}" height="{picture.height}" alt="{html.escape(alt)}">'


def _table(title: str, rows: Sequence[Field]) -> str:
    caption = f"<caption>{html.escape(title)}</caption>" if title else ""
    return f'<table class="fields">{caption}<tbody>{"".join(_rows(rows))}</tbody></table>'


def _rows(rows: Iterable[Field]) -> Iterator[str]:
    for row in rows:  # a text from right to left turns round no other
        name, value = html.escape(row.name or "text"), html.escape(row.value)
        yield f'<tr><th scope="row" dir="auto">{name}</th><td dir="auto">{value}</td></tr>'


def _fields_are(count: int) -> str:
    return "1 field is" if count == 1 else f"{count:,} fields are"
