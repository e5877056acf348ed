"""The page Check: a picture or a few, each with its verdict and everything behind it."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex
from typing import NamedTuple

import streamlit as st

from fauxto import error_rates
from fauxto.detector import Detector
from fauxto.errors import ImageError
from fauxto.images import formats
from fauxto.limits import Limits
from fauxto.web import crop_tool, session
from fauxto.web.judging import Judged, judge
from fauxto.web.picture_card import show_card
from fauxto.web.samples import samples
from fauxto.wording import printable

DROP_HERE = f"Drop pictures here: {formats.labels()}"
PASTE_HERE = "Or click here, paste a picture (Ctrl+V) and press Enter"
PASTE_OR_ADDRESS = "Or click here, paste a picture (Ctrl+V) or its address, and press Enter"
MOST = 12  # cards that one page can bear


class Given(NamedTuple):
    """A file that the visitor gave: something that tells it from others, its name, its bytes, our caption."""

    id: str
    name: str
    data: bytes
    caption: str = ""


def main() -> None:
    """Build the page."""
    st.title("Photograph, or made by a generative model?", anchor=False)
    detector = session.detector()
    st.markdown("fauxto says which a picture probably is, how sure it is, and when it can't tell.")
    given = list(collect())
    if len(given) > MOST:
        st.info(
            f"Here are the first {MOST} of {len(given)}. The page Check many takes hundreds.", icon=":material/info:"
        )
    for file, judged in judge_all(detector, given[:MOST]):
        show_card(judged, detector, file.id, file.caption, can_crop=True)
    show_limits(detector)


def collect() -> Iterator[Given]:
    """Show the ways in, and yield what came by them."""
    most = Limits().max_bytes // 2**20
    for upload in st.file_uploader(DROP_HERE, accept_multiple_files=True, key="uploads", max_upload_size=most):
        yield Given(upload.file_id, upload.name, upload.getvalue())
    pasted: list[Given] = st.session_state.setdefault("pasted", [])
    with st.container(key="paste"):
        paste_here = PASTE_OR_ADDRESS if session.may_fetch() else PASTE_HERE
        message = st.chat_input(paste_here, accept_file="multiple", key="paste-here", max_upload_size=most)
    if message:
        pasted += [Given(file.file_id, file.name, file.getvalue()) for file in message.files]
        if not message.files:
            pasted += fetch(message.text)
    chosen = st.pills("Or try a sample", list(samples()), key="sample")
    if pasted and st.button(f"Put away what was pasted ({len(pasted)})", icon=":material/close:"):
        pasted.clear()
        st.rerun()
    yield from pasted
    if chosen:
        sample = samples()[chosen]
        yield Given(f"sample-{sample.name}", sample.name, sample.data, sample.origin)


def fetch(text: str) -> Iterator[Given]:
    """Yield the picture at the address that was pasted, or say why there is none."""
    address = text.strip()
    if not session.may_fetch():
        st.info(
            "Paste the picture itself: fauxto fetches nothing from the net, unless it is started with "
            "`fauxto app --fetch-urls`.",
            icon=":material/info:",
        )
        return
    from fauxto import fetching

    try:
        with st.spinner("Fetching the picture …"):
            data = fetching.read(address, session.detector().limits)
    except ImageError as error:
        st.warning("There is no picture to judge.", icon=":material/warning:")
        st.text(printable(str(error)))
        return
    yield Given(f"fetched-{token_hex(8)}", address, data)


def judge_all(detector: Detector, given: list[Given]) -> Iterator[tuple[Given, Judged]]:
    """Judge each file once, however often the page runs; what is no longer given is forgotten."""
    judged: dict[tuple[str, str], Judged] = st.session_state.setdefault("judged", {})
    keys = [(file.id, detector.operating_point) for file in given]
    for gone in judged.keys() - set(keys):
        del judged[gone]
    for number, (key, file) in enumerate(zip(keys, given, strict=True), start=1):
        crop = crop_tool.chosen(file.id)
        if key not in judged or judged[key].crop != crop:
            with st.spinner(f"Looking at picture {number} of {len(given)} …"):
                judged[key] = judge(detector, file.data, file.name, crop)
        yield file, judged[key]


def show_limits(detector: Detector) -> None:
    """Say on the page itself what a verdict isn't worth."""
    st.header("What it can't tell", anchor=False)
    sizes = " or ".join(f"{bundle.domain.short_sides} ({bundle.name})" for bundle in detector.bundles)
    point = session.POINTS[detector.operating_point].lower()
    left_open = error_rates.left_open(detector.bundles[-1], detector.operating_point)
    st.markdown(
        f"""
- **Doubt.** {left_open} That keeps it from accusing more photographs. What helps then: the original file (chats and
  social networks shrink pictures and strip their notes), and who showed it first. How sure it has to be is the
  operating point, now *{point}*; the page Models says what that costs and changes it.
- **Other pictures.** It judges only pictures like photographs whose shorter side is {sizes}. Any other gets
  "can't tell", and that says nothing either way.
- **Proof.** It takes some photographs for generated pictures and some generated pictures for photographs,
  most of all those of generators that it has never seen.
- **Edits.** It doesn't say whether a photograph was retouched, staged or put in a false context.

Your pictures stay in the memory of the computer that runs this page: not stored, and sent nowhere else.
"""
    )


main()
