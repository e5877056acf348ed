"""The entry to the page: Streamlit runs this file, and then the visitor's page, at every click."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fauxto.errors import FauxtoError
from fauxto.web import language, tab
from fauxto.web.language import _

VIEWS = Path(__file__).with_name("views")


def main() -> None:
    """Show the way around, and the page that the visitor is on."""
    with tab.kept():
        pages = [  # without icons: for a browser's tab, Streamlit would get them from another host
            st.Page(VIEWS / "check.py", title=_("Check"), default=True),
            st.Page(VIEWS / "many.py", title=_("Check many"), url_path="many"),
            st.Page(VIEWS / "models.py", title=_("Models"), url_path="models"),
            st.Page(VIEWS / "laboratory.py", title=_("Laboratory"), url_path="laboratory"),
        ]
        page = st.navigation(pages, position="top")
        icon = Path(__file__).with_name("icon.svg")
        st.set_page_config(f"{page.title} · fauxto", icon, "wide" if page.url_path == "many" else "centered")
        with st.container(horizontal=True, gap=None, key="menu"):  # a phone's: there, Streamlit hides its own
            for part in pages:
                st.page_link(part)
        try:
            page.run()
        except FauxtoError as error:  # a network may fail as late as at its first picture
            st.error(_("The model can't be used."))
            st.text(str(error))
        language.choose()


main()
