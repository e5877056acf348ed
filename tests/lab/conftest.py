"""A toy data set and a toy network for the tests of calibration, evaluation and the card: no training needed."""

from __future__ import annotations

import io
import json
from functools import partial

import numpy as np
import pytest
from PIL import Image

from fauxto.lab.datasets import Dataset
from fauxto.lab.datasets.writer import Candidate, write_dataset
from fauxto.lab.evaluation import scores

TRAIN, VAL, TEST, LEAKED = 40, 600, 800, 50


def _png(label, rng):
    """Return a flat noisy picture whose warmth (red less blue) tells its label, four times in five."""
    warmth = rng.normal(4 if label == "ai" else -4, 5)
    rgb = 128 + rng.normal(0, 2, (8, 8, 3)) + np.array([warmth, 0, -warmth])
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


@pytest.fixture
def toy_run(tmp_path, toy_data, monkeypatch):
    """A finished run whose "network" scores a picture by its warmth, too boldly; it keeps `asked`, its calls."""
    run = tmp_path / "toy-run"
    run.mkdir()
    (run / "model.keras").write_bytes(b"weights")
    (run / "config.toml").write_text('network = "paper-cnn"\n')
    record = {
        "command": "fauxto train --network paper-cnn",
        "git_revision": "0123abcd",
        "dataset": "cifake",
        "manifest_sha256": Dataset.open(toy_data).manifest_sha256,
        "parameters": 123_456,
        "epochs": 20,
        "seconds": 1_234.5,
        "libraries": {"keras": "3.12.0"},
    }
    (run / "run.json").write_text(json.dumps(record))

    def predict_scores(run, images):
        pictures = np.stack([images[i] for i in range(len(images))]).astype(np.float32)
        return (pictures[..., 0] - pictures[..., 2]).mean(axis=(1, 2)) - 1

    monkeypatch.setattr(scores, "predict_scores", predict_scores)
    return run
