"""The way of the photo detector from whole pictures to a bundle, on a tower of the right shape with random weights."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from fauxto.lab.photos import clip, delivery
from fauxto.lab.photos.building import FEWEST, Recipe, build, harder_half
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from fauxto import Detector
from fauxto.bundles import load
from fauxto.errors import DatasetError
from fauxto.lab.datasets.photos import import_photos

RNG = np.random.default_rng(0)
EMBEDDINGS = "vision_model.embeddings"


def tower(path: Path) -> Path:
    """One block of a tower that has learnt nothing, in the form that `read_weights` takes."""
    stored = {
        f"{EMBEDDINGS}.patch_embedding.weight": RNG.normal(0, 0.05, (768, 3, 16, 16)),
        f"{EMBEDDINGS}.position_embedding.weight": RNG.normal(0, 0.02, (197, 768)),
        f"{EMBEDDINGS}.class_embedding": RNG.normal(0, 0.02, 768),
    }
    block = "vision_model.encoder.layers.0"
    for name in ("vision_model.pre_layrnorm", f"{block}.layer_norm1", f"{block}.layer_norm2"):
        stored |= {f"{name}.weight": np.ones(768), f"{name}.bias": np.zeros(768)}
    arrays = {name: array.astype(np.float32) for name, array in stored.items()}
    nodes = []
    shapes = dict.fromkeys((f"self_attn/{part}_proj" for part in ("q", "k", "v", "out")), (768, 768))
    for number, (part, shape) in enumerate((shapes | {"mlp/fc1": (768, 3072), "mlp/fc2": (3072, 768)}).items()):
        arrays[f"m{number}_quantized"] = RNG.integers(-127, 128, shape).astype(np.int8)
        arrays[f"m{number}_scale"] = np.full(shape[1], 0.0004, np.float32)
        arrays[f"m{number}_zero_point"] = np.zeros(shape[1], np.int8)
        arrays[f"{block}.{part.replace('/', '.')}.bias"] = np.zeros(shape[1], np.float32)
        name = f"/vision_model/encoder/layers.0/{part}/MatMul_quant"
        inputs = ["x", f"m{number}_quantized", "z", f"m{number}_zero_point"]
        nodes.append(helper.make_node("MatMulInteger", inputs, [f"y{number}"], name=name))
    graph = helper.make_graph(
        nodes,
        "tower",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 768])],
        [helper.make_tensor_value_info("y0", TensorProto.INT32, [1, 768])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    onnx.save(helper.make_model(graph), path)
    return path


def picture(label: str) -> np.ndarray:
    """A scene of soft shapes; the AI pictures are of a warmer tint, which anything can learn."""
    rows, columns = RNG.integers(90, 160, 2)
    coarse = RNG.integers(0, 200, (9, 9, 3)).astype(np.uint8)
    scene = np.asarray(Image.fromarray(coarse).resize((columns, rows), Image.Resampling.BICUBIC)).astype(np.int64)
    noisy = scene + RNG.integers(0, 20, scene.shape) + np.array([35, 0, -35]) * (label == "ai")
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    windows, originals = [], []
    for split, count in (("train", 40), ("val", 30), ("test", 20)):
        for number in range(count):
            label = "ai" if number % 2 else "real"
            path = f"{label}/{split}-{number}.png"
            file = folder / "originals" / split / path
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(label)).save(file)
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
            source = f"{split}-{number % 10}"
            facts = {"path": path, "label": label, "generator": "g" if label == "ai" else "", "split": split}
            windows.append(
                facts
                | {"width": 1, "height": 1, "format": "PNG", "origin_repo": source, "sha256": sha256}
                | {"origin_sha256": sha256}
            )
            originals.append(facts | {"source": source, "repo": source, "sha256": sha256})
    for name, rows in (("manifest.csv", windows), ("originals.csv", originals)):
        with (folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    import_photos(folder, folder / "data", originals=folder / "originals")
    return folder / "data"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_whole_pictures_become_a_bundle_that_judges_them(data: Path, tmp_path: Path) -> None:
    weights = tower(tmp_path / "tower.onnx")
    run, out = tmp_path / "run", tmp_path / "photos"
    bundle = build(data, weights, run, out, "a test", Recipe(depth=1, strength=0.01))
    assert bundle.stability
    assert (bundle.name, bundle.domain.min_short_side) == ("photos", 65)
    results = json.loads((run / "evaluation.json").read_text())
    clean, web, hard = results["test"]["protocols"]
    assert [one["name"] for one in (clean, web, hard)] == ["clean", "web", "hard"]
    assert clean["count"] == 20
    assert min(one["auroc"] for one in (clean, web, hard)) > 0.9
    assert f"| clean | 20 | {clean['auroc']:.4f} |" in bundle.card
    detector = Detector(out, operating_point="sensitive", evidence=False)
    reports = [detector.analyze(file) for file in sorted((data.parent / "originals/test/ai").iterdir())]
    assert all(report.model and report.model.sha256 == bundle.model_sha256 for report in reports)
    assert [report.stability is None for report in reports] == [
        "pixels_inconclusive" in report.reasons[0] or "out_of_domain" in report.reasons[0] for report in reports
    ]
    before = (out / "model.onnx.gz").stat().st_mtime_ns
    again = build(data, weights, run, out, "a test", Recipe(depth=1, strength=0.01))
    assert again.model_sha256 == bundle.model_sha256
    assert (out / "model.onnx.gz").stat().st_mtime_ns > before
    assert load(out).card == again.card


def test_a_score_does_not_depend_on_the_batch(tmp_path: Path) -> None:
    import onnxruntime

    weights = clip.read_weights(tower(tmp_path / "tower.onnx"))
    head = clip.Head(np.random.default_rng(0).normal(size=768).astype(np.float32), 0.5)
    session = onnxruntime.InferenceSession(clip.detector_network(weights, 1, head))
    features = onnxruntime.InferenceSession(clip.feature_network(weights, 1))
    rng = np.random.default_rng(1)
    pixels = (rng.normal(size=(5, 224, 224, 3)) + np.linspace(-3, 3, 5)[:, None, None, None]).astype(np.float32)
    (together,) = session.run(None, {"pixels": pixels})
    alone = np.concatenate([session.run(None, {"pixels": one[None]})[0] for one in pixels])
    np.testing.assert_allclose(alone, together, atol=1e-4)
    # The head folded into the tower's last matrix says what it says of the features.
    (seen,) = features.run(None, {"pixels": pixels})
    folded, apart = together[:, 1] - together[:, 0], seen @ head.direction + head.bias
    np.testing.assert_allclose(folded, apart, atol=0.1 * np.ptp(apart))


def test_the_harder_half_of_the_sources_is_the_one_near_the_other_label() -> None:
    medians = {"a": -3.0, "b": -2.0, "c": -1.0, "d": 1.0, "e": 2.0, "f": 3.0}
    sources = np.repeat([*medians, "tiny"], [12] * 6 + [FEWEST - 1])
    scores = np.array([medians.get(name, 0.0) for name in sources]) + np.tile([-0.1, 0.1], len(sources))[: len(sources)]
    labels = np.isin(sources, ["d", "e", "f", "tiny"]).astype(np.int64)
    assert set(sources[harder_half(scores, labels, sources)]) == {"b", "c", "d", "e"}


def test_another_file_is_no_tower(tmp_path: Path) -> None:
    (tmp_path / "tower.onnx").write_bytes(b"no network")
    with pytest.raises(DatasetError, match=r"tower\.onnx isn't the ONNX file of CLIP"):
        clip.read_weights(tmp_path / "tower.onnx")


def test_a_delivery_is_drawn_alike_for_the_same_seed_and_bounded() -> None:
    large = RNG.integers(0, 256, (400, 3200, 3)).astype(np.uint8)
    first, second = (delivery.deliver(large, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, second)
    for seed in range(12):
        delivered = delivery.deliver(large, np.random.default_rng(seed))
        assert delivered.dtype == np.uint8
        assert min(delivered.shape[:2]) >= 32
        assert max(delivered.shape[:2]) <= delivery.LARGEST


@pytest.mark.parametrize(("name", "longest"), [("clean", 1000), ("web", 768), ("hard", 512)])
def test_a_protocol_bounds_the_longest_side(name: str, longest: int) -> None:
    assert max(delivery.PROTOCOLS[name](RNG.integers(0, 256, (1000, 600, 3)).astype(np.uint8)).shape) == longest


def test_the_command_has_help() -> None:
    import runpy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["fauxto.lab.photos", "--help"])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("fauxto.lab.photos", run_name="__main__", alter_sys=True)
    assert ended.value.code == 0
