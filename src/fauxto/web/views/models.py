"""The page Models: what judges the pictures, how good it is, and the choice of the operating point."""

from __future__ import annotations

import streamlit as st

from fauxto.bundles import Bundle
from fauxto.web import card_figures, session
from fauxto.wording import printable


def main() -> None:
    """Build the page."""
    st.title("The models", anchor=False)
    detector = session.detector()
    choose_operating_point(detector.bundles)
    for bundle in detector.bundles:
        show_bundle(bundle)


def choose_operating_point(bundles: tuple[Bundle, ...]) -> None:
    """Ask where the line shall be drawn, with what each choice costs."""
    st.header("How careful shall it be?", anchor=False)
    names = list(session.POINTS)
    costs = card_figures.costs(bundles[-1])
    st.radio(
        "Operating point",
        names,
        index=names.index(session.launched_with().operating_point),
        format_func=session.POINTS.__getitem__,
        captions=[costs[name] for name in names],
        key=session.POINT_KEY,
        persist_state="session",
    )
    of = f" The figures are those of {bundles[-1].name}; the others' stand below." if len(bundles) > 1 else ""
    st.caption(
        "The choice moves the two thresholds between which a picture stays open. It holds on all pages of this "
        f"session; pictures are judged anew by it.{of}"
    )


def show_bundle(bundle: Bundle) -> None:
    """Show one model: its figures, charts and card."""
    st.header(f"{bundle.name} {bundle.version}", anchor=False)
    st.text(printable(bundle.summary))
    speaks, parameters = st.columns(2)
    speaks.metric("Speaks for a shorter side of", bundle.domain.short_sides)
    parameters.metric("Parameters", f"{bundle.training.parameters:,}")
    point = session.operating_point()
    st.table(
        {
            "": list(session.POINTS.values()),
            **{
                column: [f"{100 * getattr(bundle.operating_points[name], field):.1f} %" for name in session.POINTS]
                for column, field in (
                    ("photographs called generated", "fpr"),
                    ("generated found", "tpr"),
                    ("left open", "inconclusive"),
                )
            },
        },
        hide_index=True,
        border="horizontal",
        alt=f"What each operating point of {bundle.name} costs",
    )
    st.markdown("**Photographs that score high**")
    rows, chart = card_figures.false_alarms(bundle, point)
    st.vega_lite_chart(rows, chart, alt="Share of real photographs with at least a probability, by that probability")
    st.caption(
        "The line falls to the right: few real photographs get a high probability. Dotted: from where "
        f"*{session.POINTS[point].lower()}* calls a picture generated."
    )
    for title, (rows, chart) in card_figures.charts(bundle.card):
        with st.expander(title):
            st.vega_lite_chart(rows, chart, alt=f"{title}: bars; the card below has the figures")
    with st.expander(f"The card of {bundle.name}"):
        # A card is its bundle's own text: no picture in it may ask another host for anything.
        st.markdown(bundle.card.replace("![", "["))


main()
