"""The sentences that fauxto composes in English of a picture, a file or a model, with names in braces for what varies.

Reports and JSON state them in English; the page finds out by these which sentence one is, and translates it. Those that
stand in a table elsewhere (`fauxto.wording`) aren't repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

MOST_LETTERS = 1_500
"""Longer texts are left as they are: strangers' words are in them, and a search in them has to end soon."""

OF_STRANGERS = frozenset(
    {"address", "camera", "cause", "crop", "date", "family", "formats", "generator", "kind", "name", "place"}
    | {"program", "signer", "statement", "suffix", "why"}
)
"""Names of parts that are nobody's to translate; the other parts are numbers or sentences of ours."""

_NUMBERS = frozenset({"number", "low", "high", "width", "height", "of_width", "of_height", "most"})

_FIELDS = ("{number} fields are", "1 field is")

CHOICES: Mapping[str, Sequence[str]] = {
    "label": (
        "as AI-generated",
        "as made or edited in part with AI",
        "as captured by a camera, with no AI edits since",
        "without stating how the picture was made",
    ),
    "verdict": ("ai", "real", "inconclusive"),
    "tables": (
        "with libjpeg's standard tables, which most programs use",
        "with mozjpeg's tables, which many web services use",
        "with Adobe's tables",
        "with Apple's tables",
        "with custom tables, as many cameras use",
    ),
    "share": ("half", "a quarter of", "an eighth of"),
    "content": ("another JPEG, as in MPO and Ultra HDR files", "a video, as in motion photos"),
    "likeness": ("generated pictures than of photographs", "photographs than of generated pictures"),
    "stated": ("it was generated", "at least parts of it were made or edited with AI"),
    "fields": _FIELDS,
    "others": _FIELDS,
}
"""Parts that are one of a few texts, by their names."""

_EVIDENCE = (
    "The file has content credentials, but they can't be read ({cause}).",
    "The file has no content credentials. That means nothing: most files have none.",
    "The file has no content credentials in it, but names an address where they are kept: {address} (fauxto never "
    "fetches them, so what they say is unknown).",
    "The content credentials (signed by {signer}) don't match the file: it was changed after signing, or they were "
    "copied from another file.",
    "Signed by {signer} {label}; the signer is on the trust list.",
    "Signed by {signer} {label}, but the signer only repeats what an earlier source stated; the signer is on the trust "
    "list.",
    "Signed by {signer} {label}, but the signer isn't on the trust list, so anyone could have signed it.",
    "Signed by {signer} {label}, but the certificate has expired.",
    "Signed by {signer} {label}, but validation failed ({cause}).",
    "A part of the metadata can't be read and may name a generator; what can be read names none.",
    "The metadata names no generator. That means nothing: metadata is easily lost or removed.",
    "The metadata states how the picture was made, but declares no generative model: {statement}.",
    "The metadata declares that {stated} ({place}); anyone can write or remove that.",
    "The metadata declares that it was generated with {program} ({place}); anyone can write or remove that.",
    "The metadata declares that at least parts of it were made or edited with AI, by {program} ({place}); anyone can "
    "write or remove that.",
    "The metadata declares that {stated} ({place} and {number} more); anyone can write or remove that.",
    "The metadata declares that it was generated with {program} ({place} and {number} more); anyone can write or "
    "remove that.",
    "The metadata declares that at least parts of it were made or edited with AI, by {program} ({place} and {number} "
    "more); anyone can write or remove that.",
    "Where the camera belongs, the metadata names an image generator, {generator}.",
    "A part of the metadata can't be read and may name a camera; what can be read names none.",
    "The metadata names no camera, but has other fields ({name}).",
    "The metadata names no camera. That means nothing: many programs and sites strip metadata.",
    "The metadata names a camera ({camera}). Anyone can write that, so it isn't evidence of a photograph.",
    "The metadata names a camera ({camera}) on {date}. Anyone can write that, so it isn't evidence of a photograph.",
    "fauxto looks for no traces of compression in a {kind} of mode {name}.",
    "The JPEG has no luminance quantisation table.",
    "A JPEG of quality {number}, {kind}, {tables}; no trace of an earlier compression.",
    "A JPEG of quality {number}, {kind}, {tables}; earlier compression can't be measured.",
    "A JPEG of quality {number}, {kind}, {tables}; it is too large to look for an earlier compression.",
    "A JPEG of quality {number}, {kind}, {tables}; it was probably compressed before, at another quality.",
    "The {kind} is too small to tell whether it used to be a JPEG.",
    "The {kind} shows no trace of an earlier JPEG compression.",
    "The {kind} probably used to be a JPEG: its block grid is visible.",
    "The {kind} probably used to be a JPEG and was then cropped or shifted: its block grid is visible.",
    "The picture is too small or too narrow for any invisible watermark that fauxto can read.",
    "The picture is too large to look for invisible watermarks: it was decoded smaller.",
    "No invisible watermark of an open model was found. Those of Google (SynthID), Meta, Adobe and Digimarc may be "
    "present, but fauxto can't read them.",
    "The pixels carry the invisible watermark of {generator} ({number} of {most} bits). Anyone can put this watermark "
    "into any picture.",
    "The source {name} failed on this file and says nothing ({cause}).",
)

_REASONS = (
    "The network gave no finite number for this picture.",
    "The picture's short side is {number} px; this model needs {most} px or more.",
    "The picture's short side is {number} px; this model judges pictures of {sides} only.",
    "The picture is a strip of {width} x {height} px; this model judges photograph-like pictures only.",
    "The picture is of one colour; this model judges photograph-like pictures only.",
    "The picture is noise or small print: pixels side by side have little in common; this model judges photograph-like "
    "pictures only.",
    "The picture has very few colours, as drawings have; this model judges photograph-like pictures only.",
    "The picture is mostly of one colour, as text and drawings are; this model judges photograph-like pictures only.",
    "The picture is made of even areas, as screenshots and drawings are; this model judges photograph-like pictures "
    "only.",
    "The picture is unlike those that this model learnt, and of others it knows little.",
    "The pixels say {verdict}, but that changed when we shrank and re-saved the picture.",
    "Among generators, it looks most like {family} ({number} %).",
    "The file's content credentials don't match the picture: one of them was changed.",
    "The evidence in the file contradicts itself or the pixels, which say {verdict}.",
    "Only the part that was asked for was judged: {crop}.",
    "Judged was the picture inside, without what is around it: {crop}.",
    "The colour profile can't be used; colours were read as sRGB.",
    "The EXIF block is damaged; the picture was taken as upright.",
    "The file holds {number} pictures; only the first was read.",
    "The file holds at least {number} pictures; only the first was read.",
    "The file holds several pictures; only one was read.",
    "The mark at the end of the {kind} is missing; its pixels are all there.",
    "{number} bytes follow the end of the picture; they were not read.",
    "{number} bytes follow the end of the picture ({content}); they were not read.",
    "The picture is very large and was judged at {share} its width and height.",
    "The name ends in {suffix}, but the file is a {kind}.",
    "{cause}. What else it states isn't known.",
)

_REFUSALS = (
    "The file is empty; get it again.",
    "The file isn't a picture that fauxto reads ({formats}); save it as PNG or JPEG.",
    "The {kind} ends too early; get the whole file.",
    "The pixel data of the {kind} ends too early; get the whole file.",
    "The JPEG lacks scans of its picture; get the whole file.",
    "The {kind} doesn't fit into memory; save the picture smaller.",
    "The {kind} can't be decoded ({cause}); save it anew.",
    "The {kind} holds no picture; the file is damaged.",
    "The picture has {width} x {height} pixels; the limit is {most} in all.",
    "The file has more than {most} bytes; save the picture smaller.",
    "The picture has more than {most} bytes; save it smaller.",
    "The file consists of more than {most} parts; save it anew.",
    "The member's name isn't a plain relative path.",
    "The member is encrypted; unpack the archive with its password.",
    "The address isn't fetched: {why}.",
)

_FIGURES = (
    "over 99.9 %",
    "under 0.1 %",
    "{number} % ({low} to {high} %)",
    "no pictures",
    "no number",
    "out of domain",
    "{low} to {high} px",
    "1 photograph",
    "{number} photographs",
    "{number} photographs from {most} sources",
    "1 generated picture",
    "{number} generated pictures",
    "{number} generated pictures by {most} generators",
    "Photographs called generated: {fpr}. Generated pictures detected: {tpr}, called photographs: {missed}. No "
    "verdict: {inconclusive} of all.",
    "It gives no verdict on some pictures; how many wasn't measured on pictures that it had never seen.",
    "It gave no verdict on {rate} of {number} pictures that it had never seen.",
    "Measured on {photographs} and {pictures} that the model had never seen. 95 % confidence intervals in brackets.",
    "How many photographs score this high wasn't measured on pictures that the model had never seen.",
    "Of {photographs} that the model had never seen, about {number} scored this high.",
    "Of {photographs} that the model had never seen, at most {number} scored this high.",
    "{percent} on a scale from photograph (0 %) to generated (100 %); from {low} % to {high} % is inconclusive",
    "photograph",
    "can't tell",
    "generated",
    "up to {number} %",
    "from {number} %",
    "The raw probability, {percent}, means nothing here.",
    "Probability that it was generated, from the pixels alone: {percent}.",
    "The verdict stayed the same after we shrank and re-saved the picture.",
)

_WORDS = (
    "Its pixels look more like those of {likeness}, but that is no verdict.",
    "1 file that macOS and Windows keep for themselves was passed over",
    "{number} files that macOS and Windows keep for themselves were passed over",
    "The picture is too narrow to test a map of it, so don't rely on one.",
    "This map was tested and is faithful: blurring the marked parts moved the score further than blurring as much "
    "elsewhere, in each of {number} tries.",
    "This map was tested and failed: no part of the picture explains the score.",
    "EXIF holds no thumbnail that can be read.",
    "EXIF holds a thumbnail, but it or the picture is too even to compare them.",
    "The thumbnail in EXIF shows a different picture, or another part of this one. Cropping and editing can do that; "
    "so can a program that copies metadata.",
    "The thumbnail in EXIF shows the same picture. That proves nothing: editors write a new one.",
    "EXIF states {width} x {height} pixels, but the picture has {of_width} x {of_height}; it has been resized or "
    "cropped.",
    "{name} cameras write a MakerNote; software has removed it.",
    "The quantisation tables are libjpeg's; {name} cameras use their own.",
    "{fields} left out that may tell of people, devices or places.",
    "{fields} left out because the file has too many.",
    "{fields} left out that may tell of people, devices or places. {others} left out because the file has too many.",
    "Edit {number}",
    *("Taken", "Camera", "Lens", "Exposure", "Programs, oldest first", "Position", "Worth knowing"),
    *(
        "{done} by a generative model",
        "{done} in part by a generative model",
        "{done} by a camera",
        "{done} by a person",
    ),
    "the picture has fewer than {number} pixels per side, so it has no JPEG ghosts",
    "From {facts} alone, one ranks an AI picture above a photograph {number} % of the time, without having seen a "
    "trace of a generator. {advice}",
    *("Created", "Edited", "Cropped", "Resized", "Filtered", "Published", "Redacted", "Watermarked"),
)

SENTENCES = (*_EVIDENCE, *_REASONS, *_REFUSALS, *_FIGURES, *_WORDS)


def sentence_and_parts(text: str) -> tuple[str, dict[str, str]] | None:
    """Return which of the sentences with parts a text is, and its parts by their names; None if it is none."""
    if len(text) > MOST_LETTERS:
        return None
    for sentence, pattern in _patterns():
        if (match := pattern.fullmatch(text)) is not None:
            return sentence, match.groupdict()
    return None


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Return the sentences with parts as patterns, those with the most words of their own first."""
    sentences = [sentence for sentence in (*SENTENCES, *_all_choices()) if "{" in sentence]
    sentences.sort(key=lambda sentence: -len(re.sub(r"\{\w+\}", "", sentence)))
    return [(sentence, re.compile(_pattern(sentence), re.DOTALL)) for sentence in sentences]


def _all_choices() -> list[str]:
    return [text for texts in CHOICES.values() for text in texts]


def _pattern(sentence: str) -> str:
    return "".join(
        _part(piece[1:-1]) if piece.startswith("{") else re.escape(piece) for piece in re.split(r"(\{\w+\})", sentence)
    )


def _part(name: str) -> str:
    if name in _NUMBERS:
        return rf"(?P<{name}>[\d.,]+)"
    choices = "|".join(map(_pattern_of_choice, CHOICES.get(name, ())))
    return f"(?P<{name}>{choices or '.+?'})"


def _pattern_of_choice(text: str) -> str:
    return re.escape(text).replace(re.escape("{number}"), r"[\d,]+")
