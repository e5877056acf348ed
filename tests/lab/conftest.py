"""A toy data set and a toy network for the tests of calibration, evaluation and the card: no training needed."""

from __future__ import annotations

import io
import json
from functools import partial

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from fauxto.lab import exporting
from fauxto.lab.datasets import Dataset
from fauxto.lab.datasets.writer import Candidate, write_dataset
from fauxto.lab.recipe import Recipe
from fauxto.lab.run import Run

TRAIN, VAL, TEST, LEAKED = 40, 600, 800, 50
SIDE = 8
RAMP = np.linspace(40, 190, SIDE * SIDE).reshape(SIDE, SIDE, 1)  # tones enough for a picture of the domain


def _png(label, rng):
    """Return a noisy ramp whose warmth (red less blue) tells its label, four times in five."""
    warmth = rng.normal(4 if label == "ai" else -4, 5)
    rgb = RAMP + rng.normal(0, 2, (SIDE, SIDE, 3)) + np.array([warmth, 0, -warmth])
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.rint(rgb), 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def toy_data(tmp_path_factory):
    """Folder of a data set named cifake; of its test pictures, 50 AI ones also stand in val, under other names."""
    rng = np.random.default_rng(3)
    candidates, of_val = [], []
    for split, count in (("train", TRAIN), ("val", VAL), ("test", TEST)):
        for number in range(count):
            label = ("real", "ai")[number % 2]
            data = _png(label, rng)
            if split == "val" and label == "ai":
                of_val.append(data)
            if split == "test" and label == "ai" and number < 2 * LEAKED:
                data = of_val[number]
            candidates.append(
                Candidate(
                    path=f"{split}/{number:04}.png",
                    label=label,
                    generator=None,
                    source="toy",
                    object_class=("cat", "dog")[number // 2 % 2],
                    shares={split: 1.0},
                    read=partial(bytes, data),
                    done=1.0,
                )
            )
    out = tmp_path_factory.mktemp("data") / "toy"
    write_dataset(out, {"name": "cifake"}, candidates)
    return out


def _network(gain, offset):
    """Return an ONNX network: the score is `gain` times the warmth in levels of 256, plus `offset`."""
    half = 255 * gain / 2
    stored = {
        "red less blue": np.array([[1], [0], [-1]], np.float32),
        "gains": np.array([[-half, half]], np.float32),
        "offsets": np.array([-offset / 2, offset / 2], np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["pixels"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["means", "red less blue"], ["warmth"]),  # of a grey picture it is exactly 0
        helper.make_node("Gemm", ["warmth", "gains", "offsets"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(array, name) for name, array in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


@pytest.fixture(scope="session")
def give_network():
    """`give_network(run, gain=1.0, offset=-1.0)`: trains it, as it were, to go by warmth, and exports the network."""

    def give_network(run, gain=1.0, offset=-1.0):
        run.keras_model.write_bytes(f"gain {gain}, offset {offset}".encode())
        (run.folder / "model.onnx").write_bytes(_network(gain, offset))
        about = {"network_sha256": run.network_sha256, "exporter": exporting.code(), "bits": 32, "pictures": 48}
        (run.folder / "export.json").write_text(json.dumps({**about, "difference": 2.5e-6}))

    return give_network


@pytest.fixture
def toy_run(tmp_path, toy_data, give_network):
    """A finished run whose network scores a picture by its warmth, too boldly."""
    run = Run(tmp_path / "toy-run")
    run.folder.mkdir()
    (run.folder / "recipe.toml").write_text(Recipe(network="paper-cnn", image_size=SIDE).to_toml())
    run.finish(
        {
            "command": "fauxto train --network paper-cnn",
            "git_revision": "0123abcd",
            "dataset": "cifake",
            "manifest_sha256": Dataset.open(toy_data).manifest_sha256,
            "parameters": 123_456,
            "epochs": 20,
            "seconds": 1_234.5,
            "libraries": {"keras": "3.12.0"},
            "weights_sha256": None,
        }
    )
    give_network(run)
    return run
