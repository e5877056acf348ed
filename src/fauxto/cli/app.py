"""`fauxto app`: the web page, served from this machine to this machine. Needs the extra `app`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from fauxto.cli.options import FetchUrls, takes_detector_options
from fauxto.options import DetectorOptions


@takes_detector_options
def app(
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default accepts only this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port to listen on.", show_default="the first free one from 8501"),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    fetch_urls: FetchUrls = False,
    *,
    options: DetectorOptions,
) -> None:
    """Open a web page that judges the pictures you drop on it."""
    from fauxto.errors import MissingExtraError

    if find_spec("streamlit") is None:
        raise MissingExtraError("app", "the web page")

    from fauxto.web.launch import serve

    serve(host, port, options, open_browser=browser, fetch_urls=fetch_urls)
