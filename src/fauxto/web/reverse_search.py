"""Links to search engines that find other copies of a picture; nothing is asked before one is clicked."""

from __future__ import annotations

from urllib.parse import quote

import streamlit as st

from fauxto.web.language import _

ENGINES: dict[str, tuple[str, str]] = {
    "TinEye": ("https://tineye.com/search?url=", "https://tineye.com/"),
    "Google Lens": ("https://lens.google.com/uploadbyurl?url=", "https://images.google.com/"),
    "Bing": (
        "https://www.bing.com/images/search?view=detailv2&iss=sbi&form=SBIVSP&sbisrc=UrlPaste&q=imgurl:",
        "https://www.bing.com/visualsearch",
    ),
    "Yandex": ("https://yandex.com/images/search?rpt=imageview&url=", "https://yandex.com/images/"),
}
"""By name, what the address of a picture is appended to, and the page on which a picture is uploaded by hand."""


def links(address: str | None) -> dict[str, str]:
    """Return the links by the engines' names; with the picture's address, they search for it."""
    return {
        name: upload if address is None else search + quote(address, safe="")
        for name, (search, upload) in ENGINES.items()
    }


def show_links(address: str | None, key: str) -> None:
    """Show the links, and what each click gives away.

    Args:
        address: Where the picture is on the web; None for one that was uploaded.
        key: Tells this picture's widgets from those of others.
    """
    with st.popover(
        _("Search the web for this picture"), icon=":material/travel_explore:", key=f"{key}-reverse-search"
    ):
        if address is None:
            st.markdown(
                _(
                    "Each opens a search engine's page, where you upload the picture by hand: the engine then has it. "
                    "fauxto itself sends nothing."
                )
            )
        else:
            st.markdown(_("Each sends the picture's address to the search engine, which then fetches the picture."))
        with st.container(horizontal=True):
            for name, link in links(address).items():
                st.link_button(name, link)
