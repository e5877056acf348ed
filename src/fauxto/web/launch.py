"""Starts Streamlit on the packaged page, with its settings as flags: no folder needs a `.streamlit`."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from rich.console import Console
from starlette.formparsers import MultiPartParser
from streamlit import net_util
from streamlit.web import cli as streamlit

from fauxto import palette
from fauxto.errors import ConfigError
from fauxto.options import DetectorOptions
from fauxto.service.settings import is_loopback
from fauxto.web.session import FETCH_URLS
from fauxto.web.uploads import MOST_BYTES

PAGE = Path(__file__).with_name("app.py")
DEFAULT_PORTS = range(8501, 8521)
_MEBIBYTE = 1024 * 1024
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
_THEME = {
    "headingFontSizes": '["2rem", "1.4rem", "1.2rem"]',
    "paddingTop": "3rem",
    "light.primaryColor": palette.ACTION.light,
    "light.textColor": palette.STRONG_LETTERS,
    "dark.primaryColor": palette.ACTION.dark,
    "dark.backgroundColor": palette.GROUND.dark,
    "dark.secondaryBackgroundColor": palette.PANEL.dark,
}


def serve(
    host: str, port: int | None, options: DetectorOptions, *, open_browser: bool, fetch_urls: bool = False
) -> None:
    """Serve the page until the process is told to stop.

    Args:
        host: Address to listen on.
        port: Port to listen on; None takes the first free one of `DEFAULT_PORTS`.
        options: How the page judges pictures; a visitor may choose another operating point.
        open_browser: Open the page in a browser where this machine has a screen.
        fetch_urls: Whether visitors may give addresses of pictures, which this machine then fetches.

    Raises:
        BundleError: There is no such bundle, or it can't be used.
        ConfigError: The trust list can't be used, or the address or port can't be listened on.
        MissingExtraError: Pictures can't be fetched without httpx.
    """
    is_plain = options == DetectorOptions()
    if not is_plain:
        from fauxto.detector import Detector

        Detector.from_options(options)  # so that what can't be used is told here and not on the page
    if fetch_urls:
        import fauxto.fetching  # noqa: F401 (the same)
    port = free_port(host, port)
    keep_to_this_machine()
    shown_host = f"[{host}]" if ":" in host else host
    console = Console(highlight=False)
    console.print(f"fauxto's page is at http://{shown_host}:{port} (Ctrl-C ends it)", soft_wrap=True)
    if not is_loopback(host):
        console.print("Other machines can reach it and there is no password.")
    arguments = ["run", str(PAGE), *streamlit_flags(host, port, open_browser=open_browser)]
    handed_over = ["--", json.dumps(options.to_dict())] if fetch_urls or not is_plain else []
    handed_over += [FETCH_URLS] if fetch_urls else []
    streamlit.main([*arguments, *handed_over], prog_name="fauxto app")


def free_port(host: str, port: int | None) -> int:
    """Return the wanted port, or the first free one of `DEFAULT_PORTS`; ConfigError where there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    problem = ""
    for candidate in DEFAULT_PORTS if port is None else [port]:
        try:
            with socket.create_server((host, candidate), family=family):
                return candidate
        except OSError as error:
            problem = error.strerror or str(error)
    wanted = f"port {port}" if port else f"any port from {DEFAULT_PORTS[0]} to {DEFAULT_PORTS[-1]}"
    raise ConfigError(f"can't listen on {host}, {wanted}: {problem}. Choose others with --host and --port.")


def keep_to_this_machine() -> None:
    """Close two holes that Streamlit has no setting for: uploads on disk, and a call to a public server."""
    # Starlette writes an upload of more than a megabyte to a temporary file while it arrives.
    MultiPartParser.spool_max_size = 0  # never
    # Streamlit asks a public server for this machine's address when a page of another origin knocks.
    net_util.get_external_ip = lambda: None


def streamlit_flags(host: str, port: int, *, open_browser: bool) -> list[str]:
    """Return Streamlit's command-line flags for the page."""
    settings = {
        "server.address": host,
        "server.port": port,
        "server.maxUploadSize": MOST_BYTES // _MEBIBYTE,
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "runner.magicEnabled": "false",
        "runner.postScriptGC": "false",  # it holds up the pictures that are judged meanwhile
        "logger.hideWelcomeMessage": "true",
        "logger.level": "warning",
        **{f"theme.{key}": value for key, value in _THEME.items()},
    }
    if not open_browser:  # left alone, Streamlit opens one where there is a screen
        settings["server.headless"] = "true"
    flags = [f"--{name}={value}" for name, value in settings.items()]
    if is_loopback(host):  # against DNS rebinding; for any other address the names are the operator's
        flags += [f"--server.allowedHosts={name}" for name in dict.fromkeys((*_LOOPBACK_NAMES, host))]
    return flags
