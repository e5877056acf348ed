"""The page Models: what judges the pictures, how good it is, and the choice of the operating point."""

from __future__ import annotations

from datetime import date

import streamlit as st

from fauxto import error_rates
from fauxto.bundles import Bundle
from fauxto.bundles.metrics import Evaluation
from fauxto.evidence.content_credentials import trust_list
from fauxto.web import charts, session
from fauxto.web.language import _
from fauxto.wording import printable


def main() -> None:
    """Build the page."""
    st.title(_("The models"), anchor=False)
    detector = session.detector()
    choose_operating_point(detector.bundles)
    for bundle in detector.bundles:
        show_bundle(bundle)
    show_trust_lists()


def show_trust_lists() -> None:
    """Show how old the lists are that content credentials are checked against."""
    st.header(_("Trust lists"), anchor=False)
    st.markdown(
        _("Content credentials are checked against two lists, which come with fauxto and are never downloaded:")
    )
    for built_in in trust_list.built_in():
        words = _(
            "{count} certificates as of {issued.day} {issued:%B %Y} ({days} days ago).",
            count=built_in.certificates,
            issued=built_in.issued,
            days=(date.today() - built_in.issued).days,
        )
        st.markdown(f"- [{built_in.name}]({built_in.source}): {words}")
    if own := session.launched_with().trust_list:
        st.markdown(_("This page was started with a list of signers of its own, in place of the first:"))
        st.text(printable(own.name))


def choose_operating_point(bundles: tuple[Bundle, ...]) -> None:
    """Ask where the line shall be drawn, with what each choice costs."""
    st.header(_("How careful should it be?"), anchor=False)
    captions = [_(error_rates.costs(bundles[-1], name)) for name in session.POINTS]
    session.choose_operating_point("models", captions)
    st.caption(
        _(
            "The choice moves the two thresholds between which a picture gets no verdict. It holds on all pages of "
            "this session; pictures are judged anew by it."
        )
    )
    if any(captions):
        words = _("The figures are those of {model} on pictures that it had never seen.", model=bundles[-1].name)
        others = [_("Those of the others stand below.")] if len(bundles) > 1 else []
        st.caption(" ".join([words, *others, _(error_rates.INTERVALS)]))
    else:
        st.caption(_(error_rates.NOT_MEASURED))


def show_bundle(bundle: Bundle) -> None:
    """Show one model: its figures, charts and card."""
    st.header(f"{bundle.name} {bundle.version}", anchor=False)
    st.text(printable(bundle.summary))
    speaks, parameters = st.columns(2)
    speaks.metric(_("Judges a shorter side of"), _(bundle.domain.short_sides))
    parameters.metric(_("Parameters"), _("{count:,}", count=bundle.training.parameters))
    st.markdown(_(error_rates.measured_on(bundle)))
    test = error_rates.test_of(bundle)
    if test is not None:
        show_figures(bundle, test)
    with st.expander(_("The card of {model}", model=bundle.name)):
        # A card is its bundle's own text: no picture in it may ask another host for anything.
        st.markdown(bundle.card.replace("![", "["))


def show_figures(bundle: Bundle, test: Evaluation) -> None:
    """Show what was measured on pictures that the model had never seen."""
    point = session.operating_point()
    chosen = session.point_in_words(point)
    st.markdown(_("**What photographs are called**"))
    charts.verdicts_by_point(test, "real").show()
    st.markdown(_("**What generated pictures are called**"))
    charts.verdicts_by_point(test, "ai").show()
    if test.real_scores:
        st.markdown(_("**Photographs that score high**"))
        charts.high_scores(bundle, test, point).show()
        st.caption(
            _(
                "The line falls to the right: few photographs get a high probability. Dotted: from where *{point}* "
                "calls a picture generated, unless other rules keep it open.",
                point=chosen,
            )
        )
    with st.expander(_("After saving it smaller")):
        st.caption(
            _(
                "What pictures are called at *{point}* when they were shrunk to at most 768 or 512 px and saved as "
                "JPEG of quality 60 or 40.",
                point=chosen,
            )
        )
        st.markdown(_("**Photographs**"))
        charts.verdicts_by_protocol(test, "real", point).show()
        st.markdown(_("**Generated pictures**"))
        charts.verdicts_by_protocol(test, "ai", point).show()
        st.markdown(_("**How well the score ranks them**"))
        charts.ranking(test).show()
    for title, label, groups in (
        (_("Photographs called generated, by source"), "real", test.groups.get("source", ())),
        (_("Generated pictures found, by generator"), "ai", test.groups.get("generator", ())),
    ):
        if any(group.real if label == "real" else group.ai for group in groups):
            with st.expander(title):
                words = _("At *{point}*. A group of few pictures says little: its interval is wide.", point=chosen)
                st.caption(words)
                charts.called_generated(groups, point, label).show()
    if test.robustness:
        with st.expander(_("Under one damage at a time")):
            charts.robustness(test.robustness).show()
    if any(group.count for group in test.reliability):
        with st.expander(_("Do the probabilities hold?")):
            charts.reliability({bundle.name: test}).show()
            st.caption(_("On the dotted line, a probability of 70 % means that 7 of 10 such pictures are generated."))


main()
