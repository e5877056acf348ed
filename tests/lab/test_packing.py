"""A bundle as `fauxto pack` writes it to disk."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fauxto import bundles
from fauxto.bundles import model_file
from fauxto.bundles.bundle import Description
from fauxto.lab.packing import write_bundle

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"


def test_a_bundle_in_parts_takes_the_place_of_a_whole_one_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = bundles.load(GOLDEN)
    description = Description(**{field.name: getattr(golden, field.name) for field in dataclasses.fields(Description)})

    def written() -> set[str]:
        bundle = write_bundle(tmp_path / "golden", description, golden.model, None, "A card.")
        assert bundle.model == golden.model
        return {path.name for path in bundle.folder.iterdir()}

    whole = written()
    assert whole == {"bundle.json", "CARD.md", "model.onnx"}
    monkeypatch.setattr(model_file, "_PART_BYTES", len(golden.model) - 1)
    assert written() == {"bundle.json", "CARD.md", "model.onnx.1", "model.onnx.2"}
    monkeypatch.undo()
    assert written() == whole
