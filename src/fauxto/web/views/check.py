"""The page Check: a picture or a few, each with its verdict and everything behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from secrets import token_hex

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fauxto import error_rates, wording
from fauxto.detector import Detector
from fauxto.errors import ImageError
from fauxto.images import formats
from fauxto.limits import Limits
from fauxto.report import Reason, Verdict
from fauxto.web import crop_tool, drop_zone, language, session, uploads
from fauxto.web.judging import Judged, judge
from fauxto.web.language import _, ngettext
from fauxto.web.look import LOOKS
from fauxto.web.picture_card import Showing, show_card
from fauxto.web.samples import samples
from fauxto.web.uploads import Given
from fauxto.wording import as_sentence, printable

DROP_HERE = "Drop pictures here: {formats}"
PASTE_HERE = "Or click here, paste a picture (Ctrl+V) and press Enter"
PASTE_OR_ADDRESS = "Or click here, paste a picture (Ctrl+V) or its address, and press Enter"
SAMPLE = "sample-"
MOST_WHOLE_CARDS = 3  # more pictures than these are rows, which open on demand


def main() -> None:
    """Build the page."""
    st.title(_("Photograph, or made by a generative model?"), anchor=False)
    detector = session.detector()
    st.markdown(_("fauxto says which a picture probably is, how sure it is, and when it can't tell."))
    given = collect()
    session.choose_operating_point("check")
    show_cards(detector, given)
    show_limits(detector)


def collect() -> list[Given]:
    """Show the ways in, and return what the tab has: a sample, then files, the latest first."""
    room = {"most": uploads.CHECK_FILES, "most_bytes": uploads.CHECK_BYTES}
    most = Limits().max_bytes // 2**20
    drop_here = _(DROP_HERE, formats=formats.labels().replace(" or ", f" {_('or')} "))
    given = drop_zone.drop_zone(drop_here, "given", most_megabytes=most, **room)
    with st.container(key="paste-or-address" if session.may_fetch() else "paste"):  # a phone hides the latter
        paste_here = PASTE_OR_ADDRESS if session.may_fetch() else PASTE_HERE
        message = st.chat_input(_(paste_here), accept_file="multiple", key="paste-here", max_upload_size=most)
    if message:
        drop_zone.take("given", drop_zone.as_given(message.files), **room)
        if not message.files:
            drop_zone.take("given", list(fetch(message.text)), **room)
        if drop_zone.refused("given"):
            st.rerun()  # the place to drop files says so, which stands above
    titles = {title: _(title) for title in samples()}
    key = language.key("sample")
    st.session_state[key] = st.session_state.get("sample")
    chosen = st.pills(
        _("Or try a sample"), list(titles), format_func=titles.__getitem__, key=key, on_change=_take_sample, args=(key,)
    )
    if not chosen:
        return given
    sample = samples()[chosen]
    return [Given(f"{SAMPLE}{sample.name}", sample.name, sample.data, _(sample.origin)), *given]


def _take_sample(key: str) -> None:
    """Keep a sample that was just chosen, and have it come into view."""
    if chosen := st.session_state[key]:
        st.session_state["newest"] = f"card-{SAMPLE}{samples()[chosen].name}"
    st.session_state["sample"] = chosen


def show_cards(detector: Detector, given: list[Given]) -> None:
    """Show every picture as soon as it is judged, and say what came out."""
    if not given:
        st.session_state["judged"].clear()
        return
    are_rows = len(given) > MOST_WHOLE_CARDS
    tally = show_tally(len(given)) if are_rows else None
    counts: Counter[Verdict | None] = Counter()
    headlines = []
    for file, judged in judge_all(detector, given):
        showing = Showing(file.name, file.caption, are_rows, partial(put_away, file.id), can_crop=True)
        show_card(judged, detector, file.id, showing)
        counts[judged.report.verdict] += 1
        headlines.append(f"{file.name}: {_(wording.finding(judged.report).headline)}.")
        if tally is not None:
            tally.markdown(tally_in_words(counts, len(given)))
    st.session_state["status"] = tally_in_words(counts, len(given)) if are_rows else " ".join(headlines)


def show_tally(total: int) -> DeltaGenerator:
    """Show a line above many pictures, and return the place in it for what came out."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="tally"):
        tally = st.empty()
        words = _("Put all away ({count})", count=total)
        st.button(words, icon=":material/close:", type="tertiary", on_click=put_away, args=(None,))
    return tally


def put_away(id: str | None) -> None:
    """Take a picture off the page, or all: the visitor's own and the sample."""
    drop_zone.put_away("given", id)
    crops = st.session_state["crops"]
    for gone in list(crops) if id is None else [id]:
        crops.pop(gone, None)
    if id is None or id.startswith(SAMPLE):
        st.session_state["sample"] = None


def tally_in_words(counts: Counter[Verdict | None], total: int) -> str:
    """Return how many pictures are judged, and how many got which verdict."""
    done = counts.total()
    pictures = _("{count} of {total} pictures", count=done, total=total)
    if done == total:
        pictures = ngettext("{count} picture", "{count} pictures", total)
    return " · ".join(
        [pictures, *(f"{look.word}: {counts[verdict]}" for verdict, look in LOOKS.items() if counts[verdict])]
    )


def fetch(text: str) -> Iterator[Given]:
    """Yield the picture at the address that was pasted, or say why there is none."""
    address = text.strip()
    if not session.may_fetch():
        st.info(
            _(
                "Paste the picture itself: fauxto fetches nothing from the net, unless it is started with "
                "`fauxto app --fetch-urls`."
            ),
            icon=":material/info:",
        )
        return
    from fauxto import fetching

    try:
        with st.spinner(_("Fetching the picture …")):
            data = fetching.read(address, session.detector().limits)
    except ImageError as error:
        st.warning(_("There is no picture to judge."), icon=":material/warning:")
        st.text(printable(_(as_sentence(Reason(error.status, str(error))))))
        return
    yield Given(f"fetched-{token_hex(8)}", address, data)


def judge_all(detector: Detector, given: list[Given]) -> Iterator[tuple[Given, Judged]]:
    """Judge each file once, however often the page runs; what is no longer given is forgotten."""
    judged: dict[tuple[str, str], Judged] = st.session_state["judged"]
    given = given[:]  # another tab with the same work may change it meanwhile
    keys = [(file.id, detector.operating_point) for file in given]
    for gone in judged.keys() - set(keys):
        judged.pop(gone, None)
    for number, (key, file) in enumerate(zip(keys, given, strict=True), start=1):
        crop = crop_tool.chosen(file.id)
        result = judged.get(key)
        if result is None or result.crop != crop:
            with st.spinner(_("Looking at picture {number} of {total} …", number=number, total=len(given))):
                result = judged[key] = judge(detector, file.data, file.name, crop)
        yield file, result


def show_limits(detector: Detector) -> None:
    """Say on the page itself what a verdict isn't worth."""
    st.header(_("What it can't tell"), anchor=False)
    sizes = f" {_('or')} ".join(f"{_(bundle.domain.short_sides)} ({bundle.name})" for bundle in detector.bundles)
    limits = (
        _(
            "**Doubt.** {left_open} That keeps it from calling more photographs generated. What helps then: the "
            "original file (chats and social networks shrink pictures and strip their metadata), and who showed it "
            "first. How sure it has to be is the operating point above, now *{point}*; the page Models says what each "
            "costs.",
            left_open=_(error_rates.left_open(detector.bundles[-1], detector.operating_point)),
            point=session.point_in_words(detector.operating_point),
        ),
        _(
            "**Other pictures.** It judges only pictures like photographs whose shorter side is {sizes}. Any other "
            "gets “can't tell”, and that says nothing either way.",
            sizes=sizes,
        ),
        _(
            "**Proof.** It takes some photographs for generated pictures and some generated pictures for photographs, "
            "most of all those of generators that it has never seen."
        ),
        _("**Edits.** It doesn't say whether a photograph was retouched, staged or put in a false context."),
    )
    privacy = _(
        "Your pictures stay in the memory of the computer that runs this page: not stored, and sent nowhere else."
    )
    st.markdown("".join(f"- {limit}\n" for limit in limits) + f"\n{privacy}")


main()
