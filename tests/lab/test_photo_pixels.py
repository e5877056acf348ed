"""Networks that look at pixels: their windows, weights and aligned copies, and the balance of what they learn."""

from __future__ import annotations

import io
import pickletools
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pytest
from fauxto.lab.photos import autoencoders, copies, crops, sampling, state_dicts
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from skimage import data as skimage_data

from fauxto.errors import DatasetError
from fauxto.lab.datasets.manifest import Split
from fauxto.lab.training import import_keras

RNG = np.random.default_rng(0)
KINDS = {"float16": b"HalfStorage", "float32": b"FloatStorage", "int64": b"LongStorage"}


def text(value):
    return b"X" + len(value).to_bytes(4, "little") + value.encode()


def numbers(values):
    return b"(" + b"".join(b"I%d\n" % value for value in values) + b"t"


def torch_file(path: Path, weights: dict[str, np.ndarray], *, old: bool = False) -> Path:
    """Write a state dict as PyTorch does, pickle operation by pickle operation."""
    pickled = b"\x80\x02}("
    for key, (name, array) in enumerate(weights.items()):
        storage = b"(" + text("storage") + b"ctorch\n" + KINDS[array.dtype.name] + b"\n" + text(str(key))
        storage += text("cpu") + b"I%d\n" % array.size + (b"N" if old else b"") + b"tQ"
        steps = [step // array.itemsize for step in array.strides]
        tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"I0\n" + numbers(array.shape) + numbers(steps)
        pickled += text(name) + tensor + b"\x89ccollections\nOrderedDict\n)RtR"
    pickled += b"u."
    pickletools.dis(pickled, out=io.StringIO())  # complains if it isn't a pickle
    if old:
        keys = b"\x80\x02](" + b"".join(text(str(key)) for key in range(len(weights))) + b"e."
        bodies = b"".join(array.size.to_bytes(8, "little") + array.tobytes() for array in weights.values())
        path.write_bytes(b"\x80\x02I1\n." * 2 + b"\x80\x02}." + pickled + keys + bodies)
        return path
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("weights/data.pkl", pickled)
        for key, array in enumerate(weights.values()):
            file.writestr(f"weights/data/{key}", array.tobytes())
    return path


@pytest.mark.parametrize("old", [False, True])
def test_weights_are_read_without_pytorch(tmp_path, old):
    weights = {
        "a": RNG.normal(size=(2, 3, 4)).astype(np.float16),
        "b": RNG.normal(size=5).astype(np.float32),
        "c": np.array(7),
    }
    found = state_dicts.read(torch_file(tmp_path / "weights.pth", weights, old=old))
    assert list(found) == list(weights)
    for name, array in weights.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_a_weight_file_cannot_run_code_nor_read_beyond_itself(tmp_path):
    path = tmp_path / "weights.pth"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("weights/data.pkl", b"cos\nsystem\n(X\x04\x00\x00\x00exittR.")
    with pytest.raises(DatasetError, match=r"weights\.pth isn't .* it asks for os\.system"):
        state_dicts.read(path)
    beyond = np.lib.stride_tricks.as_strided(np.zeros(4, np.float32), (4,), (400,))
    with pytest.raises(DatasetError, match="reaches beyond its storage"):
        state_dicts.read(torch_file(path, {"a": beyond}))
    path.write_bytes(b"no weights")
    with pytest.raises(DatasetError, match="isn't a file of PyTorch weights"):
        state_dicts.read(path)


def test_windows_are_cut_where_the_detail_is():
    rgb = np.full((3 * crops.SIDE, 2 * crops.SIDE + 10, 3), 90, np.uint8)
    noise = RNG.integers(0, 256, (crops.SIDE, crops.SIDE, 3)).astype(np.uint8)
    rgb[crops.SIDE : 2 * crops.SIDE, 5 + crops.SIDE : 5 + 2 * crops.SIDE] = noise
    found = crops.crops(rgb, 4)
    assert found.shape == (4, crops.SIDE, crops.SIDE, 3)
    assert np.array_equal(found[0], noise)
    assert len(crops.crops(rgb, 9)) == 6


def test_a_picture_smaller_than_a_window_is_continued_by_its_mirror_image():
    rgb = RNG.integers(0, 256, (100, 250, 3)).astype(np.uint8)
    (found,) = crops.crops(rgb, 4)
    assert np.array_equal(found[:100], rgb[:, 29 : 29 + crops.SIDE])
    assert np.array_equal(found[100:192], rgb[::-1][:92, 29 : 29 + crops.SIDE])


def photographs(count: int) -> Split:
    pictures = (skimage_data.astronaut(), skimage_data.coffee(), skimage_data.chelsea())
    images = [pictures[number % 3][: 290 + number] for number in range(count)]
    rows = pa.table({"sha256": [f"{number:08x}" for number in range(count)]})
    return Split("train", images, np.zeros(count, np.int64), rows, np.zeros(count, bool))


def test_windows_of_a_split_are_cut_once(tmp_path):
    split = photographs(3)
    found = crops.cached(split, "as found", lambda sha256, rgb: rgb, 2, tmp_path)
    assert found.pictures.tolist() == [0, 0, 1, 1, 2, 2][: len(found.pictures)]
    assert np.array_equal(found.pixels[0], crops.crops(split.images[0], 2)[0])

    def fail(sha256, rgb):
        raise AssertionError("cut again")

    again = crops.cached(split, "as found", fail, 2, tmp_path)
    assert np.array_equal(again.pixels, found.pixels)
    with pytest.raises(AssertionError, match="cut again"):
        crops.cached(split, "otherwise", fail, 2, tmp_path)


def test_copies_are_made_once_and_named_by_their_kind(tmp_path):
    originals = copies.windows(photographs(4), np.array([0, 2, 3]), 1, tmp_path)
    assert originals.shape == (3, copies.WINDOW, copies.WINDOW, 3)
    made = copies.copies(originals, "negative", lambda window: 255 - window, tmp_path)
    assert np.array_equal(made, 255 - originals)
    (path,) = tmp_path.glob("copy-negative-*.npy")
    assert np.array_equal(copies.copies(originals, "negative", None, tmp_path), made)
    copies.copies(originals[:2], "negative", lambda window: window, tmp_path)
    assert len(list(tmp_path.glob("copy-negative-*.npy"))) == 2
    assert np.array_equal(copies.windows(photographs(4), np.array([0, 2, 3]), 1, tmp_path), originals)
    assert path.stat().st_size == made.nbytes + 128


def test_a_window_and_its_copy_travel_alike():
    window = np.asarray(Image.fromarray(skimage_data.coffee()).resize((copies.WINDOW, copies.WINDOW)))
    copy = copies.enlarged(Image.Resampling.LANCZOS)(window)
    assert copy.shape == window.shape
    places = set()
    for seed in range(12):
        first, second = (copies.sent(one, np.random.default_rng(seed)).astype(float) for one in (window, copy))
        assert first.shape == (crops.SIDE, crops.SIDE, 3)
        assert 0 < np.abs(first - second).mean() < 12  # the same cut: another place differs by far more
        places.add(first.tobytes())
    assert len(places) == 12


def tap(value: float, out: int, into: int) -> np.ndarray:
    """A 3x3 kernel that hands the first channels on, times `value`."""
    kernel = np.zeros((out, into, 3, 3), np.float16)
    for channel in range(min(out, into, 3)):
        kernel[channel, channel, 1, 1] = value
    return kernel


def layer(name: str, kernel: np.ndarray) -> dict[str, np.ndarray]:
    return {f"{name}.weight": kernel, f"{name}.bias": np.zeros(len(kernel), np.float16)}


def test_a_network_is_built_from_the_names_in_its_state_dict(tmp_path):
    # It takes every second pixel and doubles it again; the residual blocks add nothing to what is positive.
    nothing = {
        **layer("conv.0", tap(0, 8, 8)),
        **layer("conv.2", tap(0, 8, 8)),
        **layer("conv.4", tap(0, 8, 8)),
        "pool.0.weight": np.zeros((16, 8, 1, 1), np.float16),
        "pool.1.weight": np.ones(16, np.float16),
        "pool.1.bias": np.ones(16, np.float16),
        "pool.3.weight": np.zeros((8, 16, 1, 1), np.float16),
    }
    small = 1 / 64  # where 3 tanh(x / 3) is x
    encoder = layer("0", tap(1, 8, 3)) | {f"1.{name}": array for name, array in nothing.items()}
    encoder |= {"2.weight": tap(1, 8, 8)} | layer("3", tap(small, 4, 8))
    decoder = layer("1", tap(1 / small, 8, 4)) | {f"3.{name}": array for name, array in nothing.items()}
    decoder |= {"7.weight": tap(1, 8, 8)} | layer("8", tap(1, 3, 8))
    paths = [torch_file(tmp_path / f"{n}.pth", w) for n, w in (("encoder", encoder), ("decoder", decoder))]
    window = RNG.integers(0, 256, (copies.WINDOW, copies.WINDOW, 3)).astype(np.uint8)
    expected = window[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)
    assert np.abs(autoencoders.taef2(*paths)(window).astype(int) - expected).max() <= 1


def test_the_scales_of_a_decoder_are_summed(tmp_path):
    def network(nodes, inside, outside, stored=()):
        values = [
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names] for names in (inside, outside)
        ]
        graph = helper.make_graph(nodes, "toy", *values, list(stored))
        path = tmp_path / f"{inside[0]}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)
        return path

    encoder = network(
        [helper.make_node("AveragePool", ["input"], ["latent"], kernel_shape=[2, 2], strides=[2, 2])],
        ["input"],
        ["latent"],
    )
    half = numpy_helper.from_array(np.float32(0.5), "half")
    decoder = network(
        [
            helper.make_node("Mul", ["latent", "half"], ["fine"]),
            helper.make_node("AveragePool", ["fine"], ["coarse"], kernel_shape=[2, 2], strides=[2, 2]),
        ],
        ["latent"],
        ["fine", "coarse"],
        [half],
    )
    slope = np.linspace(0, 255, copies.WINDOW).astype(np.uint8)
    window = np.broadcast_to(slope[:, None, None], (copies.WINDOW, copies.WINDOW, 3))
    assert np.abs(autoencoders.vaelight(encoder, decoder)(window).astype(int) - window).max() <= 2


def test_the_real_autoencoders_return_the_picture_and_leave_traces(shared):
    if not (shared / "weights/taef2_encoder.pth").is_file():
        pytest.skip("there are no weights of autoencoders in the folder 'shared'")
    window = np.asarray(Image.fromarray(skimage_data.coffee()).resize((copies.WINDOW, copies.WINDOW)))
    copiers = copies.copiers(shared / "weights")
    assert list(copiers) == ["taef2", "vaelight", "lanczos", "bicubic"]
    for name, least in (("taef2", 27), ("vaelight", 18)):  # decibels; any mistake in a layer costs ten
        error = np.mean((copiers[name](window).astype(float) - window) ** 2)
        assert least < 10 * np.log10(255**2 / error) < 45, name


def shortcut_rows() -> pa.Table:
    """Real pictures mostly small, from four sources; AI ones mostly large and of q85, from two sources."""
    rows = []
    for label, count, sources, small, q85 in (("real", 600, 4, 0.7, 0.2), ("ai", 900, 2, 0.2, 0.8)):
        for _ in range(count):
            side = 400 if RNG.random() < small else 1200
            kind = ("JPEG", 87) if RNG.random() < q85 else ("JPEG", 70) if RNG.random() < 0.6 else ("PNG", None)
            # The last source has half of all pictures.
            source = f"{label}-{min(RNG.integers(2 * sources), sources - 1)}"
            rows.append(
                {"label": label, "source": source, "format": kind[0], "jpeg_quality": kind[1]} | {"width": side}
            )
    rows += [{"label": "ai", "source": "ai-1", "format": "WEBP", "jpeg_quality": None, "width": 1200}] * 9
    return pa.Table.from_pylist([row | {"height": row["width"] + 50} for row in rows])


def shares(rows: pa.Table, weights: np.ndarray, groups: list, label: str) -> dict:
    ours = np.array(rows["label"].to_pylist()) == label
    return {
        group: weights[ours & np.array([one == group for one in groups])].sum() / weights[ours].sum()
        for group in dict.fromkeys(groups)
    }


def test_weights_balance_what_a_file_is_over_the_classes():
    rows = shortcut_rows()
    found = sampling.weights(rows)
    assert found.dtype == np.float64
    assert found.mean() == pytest.approx(1)
    assert found.min() > 0
    assert found.max() <= 1.2 * sampling.LARGEST
    labels = np.array(rows["label"].to_pylist())
    assert found[labels == "real"].sum() == pytest.approx(found[labels == "ai"].sum())
    even = np.ones(len(rows))
    for groups in (sampling.kinds_of(rows), sampling.sizes_of(rows)):
        before, after = (
            max(
                abs(share - shares(rows, weights, groups, "ai")[group])
                for group, share in shares(rows, weights, groups, "real").items()
                if group != ("WEBP", 0)  # too few for a bin
            )
            for weights in (even, found)
        )
        assert before > 0.3
        assert after < 0.03
    sources = rows["source"].to_pylist()
    for label in ("real", "ai"):
        sizes = {name: count for name, count in shares(rows, even, sources, label).items() if count}
        total = sum(np.sqrt(size) for size in sizes.values())
        for name, share in shares(rows, found, sources, label).items():
            assert share == pytest.approx(np.sqrt(sizes.get(name, 0)) / total, abs=0.02)


@pytest.fixture(scope="module")
def pixel_network():
    import_keras("tensorflow")
    from fauxto.lab.photos import pixel_network

    return pixel_network


def torch_weights(pixel_network, model) -> dict[str, np.ndarray]:
    """Draw weights for the network, named and shaped as in the file for PyTorch."""
    drawn = {}
    for one in model.layers:
        for weight in one.weights if one.name != "logits" else ():
            values = RNG.uniform(0.5, 1.5, weight.shape).astype(np.float32)
            if weight.name == "kernel":
                axes = (3, 2) if "depthwise" not in one.name else (2, 3)
                values = np.ascontiguousarray(np.moveaxis(values, axes, (0, 1)))
            drawn[f"{one.name}.{pixel_network._PARTS.get(weight.name, 'weight')}"] = values
    return drawn


def test_lite0_takes_its_weights_from_the_file(pixel_network, tmp_path):
    blank = pixel_network._network("lite0", 32, pixel_network._LITE0, 1280)
    drawn = torch_weights(pixel_network, blank)
    assert drawn["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert drawn["_blocks.1._depthwise_conv.weight"].shape == (96, 1, 3, 3)
    model = pixel_network.lite0(torch_file(tmp_path / "lite0.pth", drawn, old=True))
    stem, depthwise = (model.get_layer(name).weights[0].numpy() for name in ("_conv_stem", "_blocks.1._depthwise_conv"))
    assert stem[1, 2, 0, 5] == drawn["_conv_stem.weight"][5, 0, 1, 2]
    assert depthwise[1, 2, 7, 0] == drawn["_blocks.1._depthwise_conv.weight"][7, 0, 1, 2]
    normalisation = model.get_layer("_blocks.15._bn2")
    assert np.array_equal(normalisation.moving_variance.numpy(), drawn["_blocks.15._bn2.running_var"])
    del drawn["_conv_head.weight"]
    with pytest.raises(DatasetError, match="doesn't hold the weights of EfficientNet-Lite0"):
        pixel_network.lite0(torch_file(tmp_path / "other.pth", drawn))


def test_the_small_network_learns_a_texture_and_judges_pictures_by_their_windows(pixel_network):
    import keras

    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)

    def windows(count):
        """Noise; of the AI ones, every second column repeats the one before."""
        pixels = rng.integers(0, 256, (count, crops.SIDE, crops.SIDE, 3)).astype(np.uint8)
        pixels[count // 2 :, :, 1::2] = pixels[count // 2 :, :, ::2]
        return pixels

    def batch(step):
        return windows(4), np.repeat([0, 1], 2).astype(np.float32)

    model = pixel_network.small()
    losses = pixel_network.train(model, batch, 80, 3e-3)  # as many as its moving averages need
    assert len(losses) == 10
    assert losses[-1] < 0.6 * losses[0]
    judged = windows(8)
    each = pixel_network.scores(model, judged, np.arange(8))
    assert each.shape == (8,)
    assert each[:4].max() < each[4:].min()
    pooled = pixel_network.scores(model, judged, np.array([3, 3, 3, 3, 7, 7, 8, 8]))
    np.testing.assert_allclose(pooled, [each[:4].mean(), each[4:6].mean(), each[6:].mean()], atol=1e-4)
