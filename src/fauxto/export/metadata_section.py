"""What the metadata of a file states as HTML, for reports and for the page: every text in it is escaped."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
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

Say = Callable[..., str]
"""Returns a text in some language, like `in_english`."""

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


def in_english(text: str, **values: object) -> str:
    """Return a text as it is, with values in the place of their names in braces."""
    return text.format(**values) if values else text


def signer_in_words(entry: Entry, say: Say = in_english) -> str:
    """Return who signed an entry, and for which picture."""
    who = entry.who or say("A certificate that names no organisation")
    return who if entry.is_own else say("{who}, for a picture that went into this one", who=who)


def when_and_how(entry: Entry, say: Say = in_english) -> str:
    """Return when an entry was signed and with which tool, in a line."""
    when = say("Signed {when}", when=entry.when) if entry.when else say("Not stated when it was signed")
    return say("{when} · written with {tool}", when=when, tool=entry.tool) if entry.tool else when


def step_in_words(step: Step, say: Say = in_english) -> str:
    """Return what was done, with which program and when, in a line."""
    words = ", ".join(filter(None, (say(step.what), step.tool and say("with {tool}", tool=step.tool), step.when)))
    return say("{words} (repeated from an earlier source)", words=words) if step.is_repeated else words


def source_in_words(source: Source, say: Say = in_english) -> str:
    """Return what a picture was for, in a line."""
    words = f"{source.title or say('without a name')}: {say(source.role)}"
    return say("{words}, with a credential of its own", words=words) if source.is_signed else words


def timeline(credential: Timeline, say: Say = in_english) -> str:
    """Return a credential's entries as a list, the oldest first, in the words of `say`."""
    return f'<ol class="timeline">{"".join(_entry(entry, say) for entry in credential.entries)}</ol>'


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


def both(embedded: NDArray[np.uint8], picture: Thumbnail, sentence: str, say: Say = in_english) -> str:
    """Return the thumbnail of a file beside its picture, with how they compare."""
    own = _image(thumbnail(embedded, _PICTURE_SIDE), say("The thumbnail in the file"))
    whole = say("The picture")
    return (
        f'<div class="together"><figure>{own}<figcaption>{say("In the file")}</figcaption></figure>'
        f"<figure>{_image(picture, whole)}<figcaption>{whole}</figcaption></figure></div>"
        f"<p>{html.escape(sentence)}</p>"
    )


def pictures(entry: Entry, say: Say = in_english) -> list[tuple[Thumbnail | None, str]]:
    """Return the pictures of an entry, each with what it is: those that went in, and the one that came out."""
    inside = [(source.picture, source_in_words(source, say)) for source in entry.sources]
    if entry.picture is not None:
        inside.append((entry.picture, say("The result, as it was signed")))
    return [(None if rgb is None else thumbnail(rgb, _PICTURE_SIDE), words) for rgb, words in inside]


def _entry(entry: Entry, say: Say) -> str:
    kind = " trusted" if entry.is_vouched else ""
    steps = "".join(f"<li>{html.escape(step_in_words(step, say))}</li>" for step in entry.steps)
    none = say("no thumbnail")
    items = "".join(
        f"<li>{_image(picture, none=none)}{html.escape(words)}</li>" for picture, words in pictures(entry, say)
    )
    return (
        f'<li><p class="who">{html.escape(signer_in_words(entry, say))} '
        f'<span class="mark{kind}">{say(VOUCHED[entry.is_vouched])}</span></p>'
        f'<p class="quiet">{html.escape(when_and_how(entry, say))}</p>'
        + (f'<ul class="steps">{steps}</ul>' if steps else f'<p class="quiet">{say("It states no action.")}</p>')
        + (f'<ul class="pictures">{items}</ul>' if items else "")
        + "</li>"
    )


def _image(picture: Thumbnail | None, alt: str = "", none: str = "") -> str:
    if picture is None:
        return f'<span class="none">{none}</span>'
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
