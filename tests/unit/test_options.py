"""What a detector takes, in one piece."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path

import pytest

from fauxto import Detector, DetectorOptions, Limits
from fauxto.bundles import registry
from fauxto.errors import ConfigError

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"


def test_options_and_detector_take_the_same() -> None:
    parameters = inspect.signature(Detector).parameters
    fields = {field.name: field.default for field in dataclasses.fields(DetectorOptions)}
    assert {name: parameter.default for name, parameter in parameters.items()} == fields


def test_a_detector_knows_its_options() -> None:
    options = DetectorOptions(GOLDEN, "cautious", Limits(max_pixels=9), 3, 1, evidence=False, personal=True)
    assert Detector.from_options(options).options == options
    assert Detector.from_options(options, threads=2).options == dataclasses.replace(options, threads=2)
    assert (Detector.from_options(options).operating_point, Detector.from_options(options).limits) == (
        "cautious",
        options.limits,
    )


@pytest.mark.parametrize("model", [None, "photos", GOLDEN])
def test_options_survive_json(model: str | Path | None, tmp_path: Path) -> None:
    options = DetectorOptions(model, "sensitive", Limits(max_frames=7), trust_list=tmp_path / "list.pem")
    back = DetectorOptions.from_dict(json.loads(json.dumps(options.to_dict())))
    assert back == dataclasses.replace(options, model=model and str(model))


def test_a_folder_stays_a_folder_although_a_bundle_has_its_name() -> None:
    plain = DetectorOptions(Path(registry.DEFAULTS[0])).to_dict()
    assert plain["model"] == str(Path.cwd() / registry.DEFAULTS[0])


@pytest.mark.parametrize("wrong", [{"operating_point": "bold"}, {"batch_size": 0}, {"threads": 0}], ids=str)
def test_options_that_there_cannot_be_are_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"bold|1 or more"):
        DetectorOptions(**wrong)  # type: ignore[arg-type]
