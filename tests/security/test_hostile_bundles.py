"""Whatever a bundle's folder holds, it is run as described or refused."""

from __future__ import annotations

import hashlib
import io
import json
import math
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from fauxto import Detector, bundles
from fauxto.bundles import registry
from fauxto.errors import BundleError, BundleFormatError, BundleNotFoundError, ModelIntegrityError

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"

Edit = Callable[[onnx.ModelProto], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "golden"))


def replace_model(folder: Path, model: bytes) -> Path:
    """Write another model.onnx, with the sha256 that fits it: a forger would do no less."""
    (folder / "model.onnx").write_bytes(model)
    plain = json.loads((folder / "bundle.json").read_text())
    plain["model_sha256"] = hashlib.sha256(model).hexdigest()
    (folder / "bundle.json").write_text(json.dumps(plain))
    return folder


def edited(folder: Path, edit: Edit) -> Path:
    model = onnx.load(GOLDEN / "model.onnx")
    edit(model)
    return replace_model(folder, model.SerializeToString())


def picture(shade: int = 40) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, 90, 90)).save(file, "PNG")
    return file.getvalue()


# model.onnx isn't what bundle.json describes


@pytest.mark.parametrize("position", [0, 200, -1])
def test_one_flipped_bit(folder: Path, position: int) -> None:
    model = bytearray((GOLDEN / "model.onnx").read_bytes())
    expected = hashlib.sha256(model).hexdigest()
    model[position] ^= 1
    (folder / "model.onnx").write_bytes(model)
    with pytest.raises(ModelIntegrityError) as caught:
        Detector(folder)
    assert expected in str(caught.value)
    assert hashlib.sha256(model).hexdigest() in str(caught.value)


def test_a_model_that_is_swapped_after_it_was_checked_is_not_run(folder: Path) -> None:
    detector = Detector(folder)
    replace_model(folder, edited(folder, scale_weights).joinpath("model.onnx").read_bytes())
    assert detector.analyze(picture()).score == pytest.approx(-2.0, abs=1e-5)


def scale_weights(model: onnx.ModelProto) -> None:
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 3, tensor.name))


# There is no bundle


def test_no_bundle_is_no_detector(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BundleNotFoundError, match="no-such-folder"):
        Detector(tmp_path / "no-such-folder")
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(BundleNotFoundError, match=r"has no bundle\.json"):
        Detector(folder)
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path / "empty")
    with pytest.raises(BundleNotFoundError, match=registry.DEFAULTS[0]):
        Detector()  # the default bundle is no exception


# Networks that break the contract


def external_data(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def external_data_unannounced(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].external_data.add(key="location", value="weights.bin")


def not_finite(value: float, kind: type[np.floating]) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        weights = np.array([1, value], kind)
        model.graph.initializer.append(numpy_helper.from_array(weights, "spare"))

    return edit


def not_finite_as_numbers(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("spare", TensorProto.FLOAT, [2], [1.0, math.nan]))


def half_floats_as_numbers(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("spare", TensorProto.FLOAT16, [2], [1.0, math.nan]))


def bad_tensor() -> TensorProto:
    return numpy_helper.from_array(np.array([math.inf], np.float32), "hidden")


def in_a_constant(model: onnx.ModelProto) -> None:
    model.graph.node.insert(0, helper.make_node("Constant", [], ["hidden"], value=bad_tensor()))


def in_a_branch(depth: int) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        graph = helper.make_graph([], "inmost", [], [], [bad_tensor()])
        for level in range(depth):
            node = helper.make_node("If", ["condition"], [f"out{level}"], then_branch=graph)
            graph = helper.make_graph([node], f"level{level}", [], [])
        model.graph.node.extend(graph.node)

    return edit


def in_a_function(model: onnx.ModelProto) -> None:
    node = helper.make_node("Constant", [], ["y"], value=bad_tensor())
    function = helper.make_function("own", "Hidden", [], ["y"], [node], [helper.make_opsetid("", 17)])
    model.functions.append(function)


def in_a_sparse_tensor(model: onnx.ModelProto) -> None:
    indices = numpy_helper.from_array(np.array([0], np.int64), "where")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(bad_tensor(), indices, [4]))


def strange_type(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("spare", TensorProto.STRING, [1], [b"text"]))


def second_output(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("flat", TensorProto.FLOAT, ["N", 1]))


def no_output(model: onnx.ModelProto) -> None:
    model.graph.ClearField("output")


def second_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, ["N", 2]))


def input_shape(*shape: int | str) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.input[0].CopyFrom(helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape))

    return edit


def input_of_bytes(model: onnx.ModelProto) -> None:
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", 32, 32, 3]))
    model.graph.node.insert(0, helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT))
    model.graph.node[1].input[0] = "floats"


def three_logits(model: onnx.ModelProto) -> None:
    widened = {"slopes": np.ones((1, 3), np.float32), "offsets": np.ones(3, np.float32)}
    for tensor in model.graph.initializer:
        if tensor.name in widened:
            tensor.CopyFrom(numpy_helper.from_array(widened[tensor.name], tensor.name))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3]))


def unknown_operator(model: onnx.ModelProto) -> None:
    model.graph.node[2].op_type = "RunCommand"


def no_graph(model: onnx.ModelProto) -> None:
    model.ClearField("graph")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (external_data, "keeps weights in another file"),
        (external_data_unannounced, "keeps weights in another file"),
        (not_finite(math.nan, np.float32), "tensor 'spare' holds weights that aren't finite"),
        (not_finite(-math.inf, np.float64), "tensor 'spare' holds weights that aren't finite"),
        (not_finite(math.inf, np.float16), "tensor 'spare' holds weights that aren't finite"),
        (not_finite_as_numbers, "tensor 'spare' holds weights that aren't finite"),
        (half_floats_as_numbers, "tensor 'spare' is stored in a way"),
        (in_a_constant, "tensor 'hidden' holds weights that aren't finite"),
        (in_a_branch(1), "tensor 'hidden' holds weights that aren't finite"),
        (in_a_branch(30), "tensor 'hidden' holds weights that aren't finite"),
        (in_a_function, "tensor 'hidden' holds weights that aren't finite"),
        (in_a_sparse_tensor, "tensor 'hidden' holds weights that aren't finite"),
        (strange_type, "tensor 'spare' is stored in a way"),
        (no_graph, "isn't an ONNX network"),
        (second_output, "has 2 outputs; by bundle.json it has 1"),
        (second_input, "has 2 inputs; by bundle.json it has 1"),
        (no_output, "has 0 outputs; by bundle.json it has 1"),
        (input_shape("N", 64, 64, 3), r"its input is of type 1 and shape \['free', 64, 64, 3\]"),
        (input_shape("N", 3, 32, 32), r"its input is of type 1 and shape \['free', 3, 32, 32\]"),
        (input_shape(1, 32, 32, 3), r"its input is of type 1 and shape \[1, 32, 32, 3\]"),
        (input_shape("N", "H", "W", 3), r"its input is of .*; bundle\.json asks for 1 \(float32\)"),
        (input_of_bytes, "its input is of type 2"),
        (three_logits, r"its output is of type 1 and shape \['free', 3\]"),
    ],
)
def test_networks_that_are_refused_when_loaded(folder: Path, edit: Edit, said: str) -> None:
    with pytest.raises(BundleFormatError, match=said):
        bundles.load(edited(folder, edit))


def test_a_description_of_another_input_is_refused_when_loaded(folder: Path) -> None:
    plain = json.loads((folder / "bundle.json").read_text())
    plain["input"]["height"] = 33
    (folder / "bundle.json").write_text(json.dumps(plain))
    with pytest.raises(BundleFormatError, match=r"asks for 1 \(float32\) and \['free', 33, 32, 3\]"):
        Detector(folder)


def test_a_network_that_is_refused_when_opened(folder: Path) -> None:
    detector = Detector(edited(folder, unknown_operator))
    for _ in range(2):  # and every time
        with pytest.raises(BundleFormatError, match="ONNX Runtime can't open"):
            detector.analyze(picture())


def test_a_network_that_lies_about_its_output(folder: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.node[-1].output[0] = "once"
        model.graph.node.append(helper.make_node("Concat", ["once", "once"], ["logits"], axis=0))

    with pytest.raises(BundleFormatError, match=r"gives outputs of shapes \[\(2, 2\)\] for a batch of 1"):
        Detector(edited(folder, edit)).analyze(picture())


def test_a_network_that_fails_when_it_runs(folder: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        # It gives its logits the shape of one picture's, which those of two don't fit.
        model.graph.initializer.append(numpy_helper.from_array(np.array([1, 2], np.int64), "shape"))
        model.graph.node[-1].output[0] = "before"
        model.graph.node.append(helper.make_node("Reshape", ["before", "shape"], ["logits"]))

    detector = Detector(edited(folder, edit))
    assert detector.analyze(picture()).status == "ok"
    with pytest.raises(BundleFormatError, match=r"golden/model\.onnx fails on a batch of 2: "):
        list(detector.analyze_many([picture()] * 5))


def test_floats_of_every_finite_kind_are_let_in(folder: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        for kind in (np.float16, np.float64, np.int64, np.uint8, np.bool_):
            model.graph.initializer.append(numpy_helper.from_array(np.ones(3, kind), f"spare-{kind.__name__}"))
        model.graph.initializer.append(helper.make_tensor("numbers", TensorProto.DOUBLE, [2], [1.0, 2.0]))

    assert Detector(edited(folder, edit)).analyze(picture()).score == pytest.approx(-2.0, abs=1e-5)


def test_nesting_without_end(folder: Path) -> None:
    def field(number: int, content: bytes) -> bytes:
        size, varint = len(content), b""
        while size > 0x7F:
            varint += bytes([size & 0x7F | 0x80])
            size >>= 7
        return bytes([number << 3 | 2]) + varint + bytes([size]) + content

    graph = b""
    for _ in range(3000):
        graph = field(1, field(5, field(6, graph)))  # a node's attribute holds the next graph
    ends = b"".join(
        field(number, helper.make_tensor_value_info(name, TensorProto.FLOAT, shape).SerializeToString())
        for number, name, shape in ((11, "pixels", ["N", 32, 32, 3]), (12, "logits", ["N", 2]))
    )
    with pytest.raises(BundleFormatError, match="ONNX Runtime can't open"):
        Detector(replace_model(folder, b"\x08\x08" + field(7, graph + ends))).analyze(picture())


# Other files in the network's place


def as_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", "{}")
    return file.getvalue()


class Bomb:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return _explode, ("a pickle was loaded",)


def _explode(said: str) -> None:
    raise AssertionError(said)


OTHER_FORMATS = {
    "model.keras": as_zip(),
    "model.h5": b"\x89HDF\r\n\x1a\n" + bytes(200),
    "model.pkl": pickle.dumps(Bomb()),
    "model.npz": as_zip(),
    "model.ort": b"\x30\x00\x00\x00ORTM" + bytes(200),
    "model.tflite": b"\x1c\x00\x00\x00TFL3" + bytes(200),
    "empty.onnx": b"",
    "text.onnx": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
}


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_only_onnx_is_run(tmp_path: Path, folder: Path, name: str) -> None:
    (tmp_path / name).write_bytes(OTHER_FORMATS[name])
    with pytest.raises(BundleFormatError, match="is a file; a bundle is a folder"):
        Detector(tmp_path / name)
    with pytest.raises(BundleFormatError, match="isn't an ONNX network"):
        Detector(replace_model(folder, OTHER_FORMATS[name]))


@pytest.mark.parametrize("seed", range(5))
def test_broken_bytes_are_refused_or_run_and_nothing_else(folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    original = np.frombuffer((GOLDEN / "model.onnx").read_bytes(), np.uint8)
    for _ in range(60):
        model = original.copy()
        model[rng.integers(len(model), size=3)] = rng.integers(256, size=3)
        cut = rng.integers(len(model)) if rng.random() < 0.3 else len(model)
        replace_model(folder, model[:cut].tobytes())
        try:
            report = Detector(folder).analyze(picture())
        except BundleError:
            continue
        assert report.status == "ok"


# Logits that aren't finite


@pytest.mark.parametrize("operator", ["Log", "Reciprocal", "Sqrt", "Exp"])
def test_logits_that_arent_finite_are_no_verdict(folder: Path, operator: str) -> None:
    def edit(model: onnx.ModelProto) -> None:
        # Flat pictures have the logits (1, -1): from these, NaN and infinity on one side or both.
        model.graph.node[-1].output[0] = "before"
        scale = {"Log": [1, 1], "Sqrt": [1, 1], "Reciprocal": [0, 1], "Exp": [1e4, 1]}[operator]
        model.graph.initializer.append(numpy_helper.from_array(np.array(scale, np.float32), "scale"))
        model.graph.node.append(helper.make_node("Mul", ["before", "scale"], ["scaled"]))
        model.graph.node.append(helper.make_node(operator, ["scaled"], ["logits"]))

    report = Detector(edited(folder, edit)).analyze(picture())
    assert (report.status, report.verdict) == ("ok", "inconclusive")
    assert (report.probability, report.score, report.fpr_at_score) == (None, None, None)
    assert report.reasons[0].word == "model_error"
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_picture_without_finite_logits_leaves_its_batch_alone(folder: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.node[-1].output[0] = "before"
        model.graph.node.append(helper.make_node("Sqrt", ["before"], ["logits"]))
        for tensor in model.graph.initializer:
            if tensor.name == "offsets":
                tensor.CopyFrom(numpy_helper.from_array(np.array([1, 0], np.float32), "offsets"))

    rough = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(rough).save(file, "PNG")
    detector = Detector(edited(folder, edit))
    scores = [report.score for report in detector.analyze_many([picture(), file.getvalue(), picture()])]
    assert scores == [pytest.approx(-1.0), None, pytest.approx(-1.0)]
