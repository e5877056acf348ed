"""The page Laboratory: look into a data set, audit it for shortcuts, lay evaluations side by side.

It reads folders of the computer that runs it, so it is there only where nobody else can reach the page.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fauxto.errors import FauxtoError, MissingExtraError
from fauxto.service.settings import is_loopback
from fauxto.web import language
from fauxto.web.language import _


def main() -> None:
    """Build the page."""
    st.title(_("The laboratory"), anchor=False)
    if not is_loopback(st.get_option("server.address") or ""):
        st.info(
            _(
                "The laboratory reads folders of the computer that runs it. It is closed, for others can reach this "
                "page."
            )
        )
        return
    try:
        from fauxto.web import lab_views  # needs the extra `lab`
    except MissingExtraError as error:
        st.info(
            _(
                "The laboratory isn't installed here. In fauxto's checkout, `make lab` installs it (TensorFlow and "
                "more, about 2.5 GB) and opens this page again."
            ),
            icon=":material/science:",
        )
        st.text(str(error))
        return
    st.markdown(_("Where models come from: the data sets they learn from, and what was measured of them."))
    explore, audit, compare = st.tabs(
        [_("Explore a data set"), _("Audit it for shortcuts"), _("Compare evaluations")],
        on_change="rerun",
        key=language.key("lab-tabs"),
    )
    try:
        if explore.open:
            with explore:
                lab_views.show_exploration(
                    _folder(_("Data set (a folder on this computer)"), "data/cifake", "lab-explore")
                )
        if audit.open:
            with audit:
                lab_views.show_audit(_folder(_("Data set (a folder on this computer)"), "data/cifake", "lab-audit"))
        if compare.open:
            with compare:
                lab_views.show_comparison(_folder(_("Folder with runs (on this computer)"), "runs", "lab-runs"))
    except (FauxtoError, OSError) as error:
        st.error(_("This folder can't be used."))
        st.text(str(error))


def _folder(label: str, likely: str, key: str) -> Path | None:
    """Ask for a folder of this computer; None while none is given."""
    st.session_state.setdefault(key, likely if Path(likely).is_dir() else "")
    given = st.text_input(label, key=key, placeholder=likely, persist_state="session")
    return Path(given).expanduser() if given else None


main()
