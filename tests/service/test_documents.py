"""What is written about the service is true: the examples, the OpenAPI document, the container's files."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fauxto import Client, DetectorOptions
from fauxto.service.app import create_app
from fauxto.service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ROOT / "docs/how-to/run-the-service.md"
EXAMPLES = re.findall(r"^(curl .*127\.0\.0\.1:8080.*)$", HOW_TO.read_text(), re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_how_to_work(example, service, pictures, tmp_path):
    (tmp_path / "picture.jpg").write_bytes(pictures["rough"])
    (tmp_path / "another.png").write_bytes(pictures["smooth"])
    command = shlex.split(example.replace("http://127.0.0.1:8080", service.address))
    ended = subprocess.run([*command, "--silent", "--show-error", "--fail"], cwd=tmp_path, capture_output=True)
    assert (ended.returncode, ended.stderr) == (0, b"")
    if "map.png" in example:
        assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
        return
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(answers) == (2 if "batch" in example else 1)
    assert "models" in answers[0] or answers[0]["verdict"] == "ai"


def test_there_is_an_example_of_every_path_that_takes_something():
    paths = {re.search(r":8080(\S+)$", example)[1] for example in EXAMPLES}
    assert paths == {"/v1/analyze", "/v1/analyze/batch", "/v1/explain", "/v1/models"}


def test_the_reference_names_every_path_and_the_defaults():
    page = (ROOT / "docs/reference/http.md").read_text()
    for path, methods in create_app().openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in page
    settings = Settings()
    for written in (
        f"| bytes of a picture | {settings.limits.max_bytes >> 20} MiB |",
        f"| pictures in a batch | {settings.max_files} |",
        f"| bytes of a batch | {settings.max_batch_bytes >> 20} MiB |",
        f"| time for a picture | {settings.limits.max_seconds:.0f} s |",
        f"| time for an explanation | {settings.explain_seconds:.0f} s |",
        f"| memory of a worker beyond its start | {settings.worker_bytes >> 30} GiB |",
        f"| requests that wait | {settings.queue} |",
        f"| time to wait for a worker | {settings.wait_seconds:.0f} s |",
        f"| bytes of all bodies in memory | {settings.max_held_bytes >> 20} MiB |",
        f"| silence while a body is sent, or an answer accepted | {settings.read_seconds:.0f} s |",
        f"| average of an upload, after 10 s | {settings.read_rate >> 10} KiB/s |",
        f"| pictures a minute and key | {settings.rate} |",
    ):
        assert written in page


def test_the_command_has_the_defaults_of_the_settings():
    from fauxto.cli.serve import serve

    command = {name: parameter.default for name, parameter in inspect.signature(serve).parameters.items()}
    settings = Settings()
    assert command["queue"] == settings.queue
    assert command["rate"] == settings.rate
    assert command["max_files"] == settings.max_files
    assert command["max_seconds"] == settings.limits.max_seconds
    assert command["max_megabytes"] << 20 == settings.limits.max_bytes
    assert command["max_megapixels"] is None
    assert (settings.limits.max_pixels, settings.limits.max_full_pixels) == (250_000_000, 64_000_000)
    assert command["worker_memory"] << 20 == settings.worker_bytes


def test_a_key_is_made_by_the_command(tmp_path):
    from typer.testing import CliRunner

    from fauxto.cli import commands
    from fauxto.service.keys import KeyRing

    file = tmp_path / "keys"
    made = CliRunner().invoke(commands, ["serve", "--keys", str(file), "--new-key", "newsroom"])
    assert made.exit_code == 0
    assert KeyRing.load(file).name_of(made.stdout.strip()) == "newsroom"
    for wrong in (["--new-key", "a"], ["--host", "0.0.0.0"], ["--log-level", "all"]):
        assert CliRunner().invoke(commands, ["serve", *wrong]).exit_code == 2


def test_the_command_hands_its_options_to_the_workers(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from fauxto.cli import commands

    served = []
    monkeypatch.setattr("fauxto.service.run.serve", lambda settings, *_, **__: served.append(settings))
    options = ["--operating-point", "cautious", "--personal", "--trust-list", str(tmp_path / "list.pem")]
    assert CliRunner().invoke(commands, ["serve", *options, "--max-seconds", "7"]).exit_code == 0
    told = served[0].detector.to_dict()
    assert (told["operating_point"], told["personal"], told["limits"]["max_seconds"]) == ("cautious", True, 7.0)
    assert DetectorOptions.from_dict(told).trust_list == tmp_path / "list.pem"


def test_the_container_has_no_rights():
    image = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001:10001$", image, re.MULTILINE)
    assert "HEALTHCHECK" in image
    assert image.count("pip install") == image.count("--require-hashes") + image.count("--no-index")
    assert image.count("--require-hashes --only-binary :all:") == 2
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", image, re.MULTILINE):
        for path in copied.split():
            assert (ROOT / path).exists()
            assert f"!{path}" in (ROOT / ".dockerignore").read_text().splitlines()
    compose = (ROOT / "compose.yaml").read_text()
    for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "mem_limit:", "pids_limit:"):
        assert line in compose
    workers, each = map(int, re.search(r'"--workers", "(\d+)", "--worker-memory", "(\d+)"', compose).groups())
    most = 1024 * int(re.search(r"mem_limit: (\d+)g", compose)[1])
    assert workers * (each + 400) + (Settings().max_held_bytes >> 20) + 250 < most
    seconds = int(re.search(r"stop_grace_period: (\d+)s", compose)[1])
    assert seconds > Settings().limits.clock_seconds + Settings().wait_seconds + 10
    assert inspect.signature(Client).parameters["seconds"].default > seconds


def test_the_image_has_the_versions_that_the_tests_ran_with():
    def pins(lock):
        text = (ROOT / "requirements" / lock).read_text()
        found = re.findall(
            r"^([a-z0-9-]+)==([^ ;]+)([^\n]*\\\n(?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M
        )
        assert len(found) == len(re.findall(r"^[^ ]", text, re.MULTILINE))  # each has hashes
        return {(name, version) for name, version, _ in found}

    served = pins("serve.lock")
    assert served <= pins("dev.lock")
    assert {name for name, _ in served} >= {"fastapi", "uvicorn", "onnxruntime", "pillow", "pillow-heif", "c2pa-python"}
    assert "hatchling" in {name for name, _ in pins("build.lock")}


def test_the_health_check_of_the_image_tells_well_from_ill(service):
    (command,) = re.findall(r"^ +CMD (\[.+\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    program, *words = json.loads(command)
    assert program == "python"
    for port, code in ((service.port, 0), (1, 1)):
        asked = [word.replace(":8080/", f":{port}/") for word in words]
        assert subprocess.run([sys.executable, *asked], capture_output=True, timeout=60).returncode == code
