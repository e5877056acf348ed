"""The manifest of docs/how-to/scan-on-ray.md: YAML that says what this project's command and lock say."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer.main

from fauxto.cli import commands

yaml = pytest.importorskip("yaml", reason="comes with Ray, of the extra 'scale'")
pytest.importorskip("ray", reason="the extra 'scale' isn't installed")

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "scan-on-ray.md").read_text()


@pytest.fixture(scope="module")
def job() -> Any:
    (manifest,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    return yaml.safe_load(manifest)["spec"]


def test_the_entrypoint_is_a_command_that_there_is(job: Any) -> None:
    name, command, *arguments = shlex.split(job["entrypoint"])
    assert name == "fauxto"
    scan = typer.main.get_command(commands).commands[command]  # type: ignore[attr-defined]
    parsed = scan.make_context(command, arguments).params
    assert (parsed["engine"], parsed["address"], parsed["resume"]) == ("ray", "auto", True)


def test_its_ray_is_the_locked_one(job: Any) -> None:
    assert job["rayClusterSpec"]["rayVersion"] == version("ray")
    assert re.search(r"FROM rayproject/ray:([\d.]+)-py311-cpu", PAGE)[1] == version("ray")  # type: ignore[index]


def test_its_pods_are_restricted_and_bounded_and_of_one_image(job: Any) -> None:
    cluster = job["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    containers = [one for group in groups for one in group["template"]["spec"]["containers"]]
    assert len({one["image"] for one in containers}) == 1
    for one in containers:
        assert one["resources"]["requests"] == one["resources"]["limits"]
        rules = one["securityContext"]
        assert (rules["runAsNonRoot"], rules["allowPrivilegeEscalation"]) == (True, False)
        assert rules["capabilities"] == {"drop": ["ALL"]}
        assert rules["seccompProfile"] == {"type": "RuntimeDefault"}
    assert all(isinstance(value, str) for group in groups for value in group["rayStartParams"].values())
    mounted = containers[0]["volumeMounts"][0]["mountPath"]
    assert f"--out {mounted}/" in job["entrypoint"]
