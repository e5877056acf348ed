"""How `fauxto app` starts the page."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from starlette.formparsers import MultiPartParser
from streamlit import net_util
from streamlit.web import cli as streamlit

from fauxto.cli import app as command
from fauxto.errors import BundleNotFoundError, ConfigError, MissingExtraError
from fauxto.options import DetectorOptions
from fauxto.web import launch
from fauxto.web.uploads import MOST_BYTES


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines that Streamlit would have been started with."""
    lines: list[list[str]] = []
    monkeypatch.setattr(streamlit, "main", lambda arguments, prog_name: lines.append(arguments))
    monkeypatch.setattr(MultiPartParser, "spool_max_size", MultiPartParser.spool_max_size)
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)
    return lines


def test_the_defaults_keep_the_page_on_this_machine(
    started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    launch.serve("127.0.0.1", None, DetectorOptions(), open_browser=False)
    [line] = started
    assert line[:2] == ["run", str(launch.PAGE)]
    port = next(int(flag.partition("=")[2]) for flag in line if flag.startswith("--server.port="))
    assert port in launch.DEFAULT_PORTS
    assert {
        "--server.address=127.0.0.1",
        "--server.headless=true",
        "--server.allowedHosts=localhost",
        "--browser.gatherUsageStats=false",
        "--runner.postScriptGC=false",
        f"--server.maxUploadSize={MOST_BYTES // 2**20}",
    } <= set(line)
    assert MultiPartParser.spool_max_size == 0
    assert net_util.get_external_ip() is None
    said = capsys.readouterr().out
    assert f"http://127.0.0.1:{port}" in said
    assert "Other machines" not in said


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "localhost"])
def test_the_printed_address_is_one_that_the_page_answers_to(host: str) -> None:
    flags = launch.streamlit_flags(host, 8501, open_browser=False)
    assert flags.count(f"--server.allowedHosts={host}") == 1


def test_opening_the_page_to_others_is_said(
    started: list[list[str]], golden_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = DetectorOptions(str(golden_bundle), "cautious", personal=True)
    launch.serve("0.0.0.0", None, options, open_browser=True)
    [line] = started
    assert "Other machines can reach it" in capsys.readouterr().out
    assert line[-2] == "--"
    assert DetectorOptions.from_dict(json.loads(line[-1])) == options
    assert not any(flag.startswith(("--server.allowedHosts", "--server.headless")) for flag in line)


def test_the_page_may_fetch_only_where_it_is_asked_for(started: list[list[str]]) -> None:
    launch.serve("127.0.0.1", None, DetectorOptions(), open_browser=False, fetch_urls=True)
    launch.serve("127.0.0.1", None, DetectorOptions(), open_browser=False)
    with_flag, without = started
    assert with_flag[-3] == "--"
    assert with_flag[-1] == launch.FETCH_URLS
    assert launch.FETCH_URLS not in without


def test_every_flag_is_one_that_streamlit_knows() -> None:
    known = {option for parameter in streamlit.main_run.params for option in parameter.opts}
    flags = launch.streamlit_flags("127.0.0.1", 8501, open_browser=False)
    assert {flag.partition("=")[0] for flag in flags} <= known


def test_a_taken_port_is_said_and_the_next_free_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        port, free = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        monkeypatch.setattr(launch, "DEFAULT_PORTS", [port, free])
        assert launch.free_port("127.0.0.1", None) == free
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1, port {port}: .+--port"):
            launch.free_port("127.0.0.1", port)


def test_an_address_that_is_not_here_is_said() -> None:
    with pytest.raises(ConfigError, match="can't listen on no host at all"):
        launch.free_port("no host at all", None)


def test_a_wrong_model_is_said_before_anything_starts(started: list[list[str]], tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError):
        launch.serve("127.0.0.1", None, DetectorOptions(tmp_path / "nowhere"), open_browser=False)
    assert started == []


def test_without_streamlit_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[app\]'"):
        command.app()
