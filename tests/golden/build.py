"""Writes the golden bundle and its pictures' scores: python tests/golden/build.py

The bundle is a contract that must load for ever and the scores are what it must always give, so both are committed;
test_golden.py rebuilds them and compares. The network is tiny (0.2 kB of weights) and means nothing: it measures how
rough a picture is.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

HERE = Path(__file__).parent
SIDE = 32
LAPLACE = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], np.float32)


def pictures() -> dict[str, NDArray[np.uint8]]:
    """Return pictures uint8 [h, w, 3] by name: smooth to rough, of the input's size and of others."""
    rng = np.random.default_rng(20240229)
    ramp = np.linspace(0, 255, SIDE).astype(np.uint8)
    smooth = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], np.uint8(90)), axis=-1)
    noise = rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    return {
        "black": np.zeros((SIDE, SIDE, 3), np.uint8),
        "smooth": smooth,
        "grainy": (smooth // 2 + noise // 8 + 40).astype(np.uint8),
        "rougher": (smooth // 2 + noise // 3 + 40).astype(np.uint8),
        "rough": (smooth // 2 + noise // 2).astype(np.uint8),
        "noise": noise,
        "blocks": noise[: SIDE // 2, : SIDE // 2, :1].repeat(2, axis=0).repeat(2, axis=1).repeat(3, axis=2),
        "wide": np.tile(smooth, (1, 2, 1)),
        "large": noise.repeat(4, axis=0).repeat(3, axis=1),
        "tiny": noise[:9, :12],
    }


def as_png(rgb: NDArray[np.uint8]) -> bytes:
    """Return the picture as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


def reference_score(rgb: NDArray[np.uint8]) -> float:
    """Return the score as the network should give it, computed in float64 without ONNX Runtime."""
    if rgb.shape[:2] != (SIDE, SIDE):
        rgb = np.asarray(Image.fromarray(rgb).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    x = (rgb / 255.0 - 0.5) / 0.5
    edges = sum(LAPLACE[i, j] * x[i : SIDE - 2 + i, j : SIDE - 2 + j].sum(axis=-1) for i in range(3) for j in range(3))
    return float(np.abs(edges).mean() - 2.0)


def network() -> onnx.ModelProto:
    """Return the network: mean |Laplace| of the channels' sum, a little linear layer behind it."""
    kernel = np.broadcast_to(LAPLACE, (1, 3, 3, 3)).copy()
    weights = {
        "kernel": kernel,
        "slopes": np.array([[-0.5, 0.5]], np.float32),
        "offsets": np.array([1.0, -1.0], np.float32),
    }
    nodes = [
        helper.make_node("Transpose", ["pixels"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["channels_first", "kernel"], ["edges"]),
        helper.make_node("Abs", ["edges"], ["roughness"]),
        helper.make_node("GlobalAveragePool", ["roughness"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "slopes", "offsets"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "golden",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="fauxto tests")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def description(model: bytes) -> dict[str, object]:
    """Return bundle.json for the network `model`."""
    point = {"fpr": 0.05, "tpr": 0.9, "inconclusive": 0.1}
    return {
        "format": 1,
        "name": "golden",
        "version": "1.0.0",
        "summary": "A toy for the tests: it takes rough pictures for generated ones.",
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "domain": {"min_short_side": 16, "max_short_side": 64},
        "input": {
            "view": "whole",
            "height": SIDE,
            "width": SIDE,
            "scale": 1 / 255,
            "mean": [0.5] * 3,
            "std": [0.5] * 3,
        },
        "stability": False,
        "labels": ["real", "ai"],
        "calibration": {"method": "platt", "slope": 1.5, "intercept": -0.25, "fitted_on": "val", "count": 1000},
        "operating_points": {
            "cautious": {"real_below": 0.1, "ai_above": 0.95, **point},
            "balanced": {"real_below": 0.25, "ai_above": 0.75, **point},
            "sensitive": {"real_below": 0.3, "ai_above": 0.6, **point},
        },
        "real_score_quantiles": {"fpr": [1.0, 0.5, 0.1, 0.01], "score": [-2.0, -1.5, 0.0, 2.0]},
        "training": {
            "network": "golden",
            "command": "python tests/golden/build.py",
            "git_revision": "none",
            "seed": 0,
            "dataset": "none",
            "manifest_sha256": "0" * 64,
            "parameters": 31,
            "epochs": 0,
            "seconds": 0.0,
            "libraries": {"onnx": "any"},
        },
    }


def build(folder: Path) -> None:
    """Write the bundle into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    model = network().SerializeToString(deterministic=True)
    (folder / "model.onnx").write_bytes(model)
    (folder / "bundle.json").write_text(json.dumps(description(model), indent=2) + "\n", encoding="utf-8")
    (folder / "CARD.md").write_text("# golden\n\nA toy for the tests; its verdicts mean nothing.\n", encoding="utf-8")


if __name__ == "__main__":
    build(HERE / "bundle")
    scores = {name: round(reference_score(rgb), 9) for name, rgb in pictures().items()}
    (HERE / "scores.json").write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
