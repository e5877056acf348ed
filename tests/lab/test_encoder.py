"""The backbone: its layers, its starting weights, and the ONNX network that multiplies in 8 bits, against Keras."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from fauxto.errors import DatasetError
from fauxto.lab import networks
from fauxto.lab.backend import import_keras

keras = import_keras("tensorflow")

from fauxto.lab import encoder_export, layers  # noqa: E402
from fauxto.lab.layers import ClassToken, EncoderBlock, Features, PatchTokens, TokenDropping  # noqa: E402
from fauxto.lab.networks import clip_vit_b16  # noqa: E402

WIDTH, SIDE = 1 / 12, 48


@pytest.fixture(scope="module")
def narrow():
    """A narrow backbone of random weights, its normalisations among them."""
    keras.utils.set_random_seed(3)
    model = networks.build("clip-vit-b16", SIDE, WIDTH)
    rng = np.random.default_rng(3)
    for layer in model.layers:
        layer.set_weights([weight + rng.normal(0, 0.1, weight.shape) for weight in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def pixels():
    """Five pictures in [0, 1] of very different brightness."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.2, (5, SIDE, SIDE, 3)) + np.linspace(0, 1, 5)[:, None, None, None]
    return np.clip(noise, 0, 1).astype(np.float32)


def run(model, pixels):
    (result,) = onnxruntime.InferenceSession(model).run(None, {"pixels": pixels})
    return result


def features_of(model):
    return keras.Model(model.inputs, model.get_layer("features").output)


def test_a_backbone_ends_in_features_and_logits(narrow):
    assert networks.is_backbone("clip-vit-b16")
    assert not networks.is_backbone("paper-cnn")
    assert [layer.name for layer in narrow.layers[-2:]] == ["features", "logits"]
    blocks = [layer.name for layer in narrow.layers if layer.name.startswith("block_")]
    assert blocks == [f"block_{number}" for number in range(1, max(clip_vit_b16.DEPTHS) + 1)]
    assert narrow.get_layer("features").output.shape == (None, 64 * len(clip_vit_b16.DEPTHS))


def test_the_exported_features_are_kerass_but_for_their_rounding(narrow, pixels):
    model = features_of(narrow)
    expected, exported = model.predict(pixels, verbose=0), run(encoder_export.export(model), pixels)
    assert exported.shape == expected.shape
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(expected, exported, strict=True)]
    assert min(correlations) > 0.99


def test_without_rounding_the_exported_network_is_kerass(narrow, pixels, monkeypatch):
    """Products in 32 bits show whether everything around them is the same function."""

    def product(graph, layer, tokens):
        return graph.add("MatMul", tokens, graph.keep(layer.get_weights()[0]))

    monkeypatch.setattr(encoder_export, "_product", product)
    monkeypatch.setattr(encoder_export._Graph, "keep_half", encoder_export._Graph.keep)
    np.testing.assert_allclose(run(encoder_export.export(narrow), pixels), narrow(pixels), rtol=1e-3, atol=1e-4)


def test_a_pictures_score_does_not_depend_on_its_batch(narrow, pixels):
    exported = encoder_export.export(narrow)
    together = run(exported, pixels)
    alone = np.concatenate([run(exported, pixels[row : row + 1]) for row in range(len(pixels))])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_an_even_grey_picture_gives_numbers(narrow):
    assert np.isfinite(run(encoder_export.export(narrow), np.zeros((2, SIDE, SIDE, 3), np.float32))).all()


def test_rounded_columns_lose_little_and_take_63_values():
    matrix = np.random.default_rng(0).standard_t(4, (200, 30)).astype(np.float32)
    matrix[:, 3] = 0
    rounded, scales = encoder_export.round_columns(matrix)
    assert rounded.dtype == np.int8
    assert np.abs(rounded).max() == encoder_export.STEPS
    assert (scales > 0).all()
    plain = np.abs(matrix).max(axis=0) / encoder_export.STEPS
    naive = np.rint(matrix / np.where(plain > 0, plain, 1)) * plain
    assert (np.square(rounded * scales - matrix).sum(axis=0) <= np.square(naive - matrix).sum(axis=0) + 1e-6).all()
    assert np.square(rounded * scales - matrix).mean() < 0.005 * np.square(matrix).mean()


def test_a_layer_that_no_encoder_may_hold_is_named():
    inputs = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(inputs, keras.layers.Flatten(name="flat")(inputs))
    with pytest.raises(TypeError, match="layer flat is a Flatten"):
        encoder_export.export(model)


def test_the_class_token_alone_is_that_of_the_whole_block():
    keras.utils.set_random_seed(1)
    tokens = np.random.default_rng(0).normal(size=(3, 10, 64)).astype(np.float32)
    whole, alone = EncoderBlock(heads=4), EncoderBlock(heads=4, class_token_only=True)
    for block in (whole, alone):
        block.build((None, 10, 64))
    alone.set_weights([weight + 0.05 for weight in whole.get_weights()])
    whole.set_weights(alone.get_weights())
    expected = keras.ops.convert_to_numpy(whole(tokens))
    given = keras.ops.convert_to_numpy(alone(tokens))
    assert given.shape == (3, 1, 64)
    assert alone.compute_output_shape((None, 10, 64)) == (None, 1, 64)
    np.testing.assert_allclose(given, expected[:, :1], atol=1e-5)


def test_tokens_are_dropped_in_training_only():
    layer = TokenDropping(0.5)
    tokens = np.arange(2 * 9 * 4, dtype=np.float32).reshape(2, 9, 4)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(tokens)), tokens)
    first, second = (keras.ops.convert_to_numpy(layer(tokens, training=True)) for _ in range(2))
    assert first.shape == (2, 5, 4)
    np.testing.assert_array_equal(first[:, 0], tokens[:, 0])
    places = {tuple(token) for token in tokens[0].tolist()}
    assert len({tuple(token) for token in first[0].tolist()} & places) == 5
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(TokenDropping(1.0)(tokens, training=True)), tokens)


def test_every_layer_is_made_again_from_its_config():
    for layer in (PatchTokens(), TokenDropping(0.3), EncoderBlock(2, class_token_only=True), ClassToken(), Features()):
        again = type(layer).from_config(layer.get_config())
        for name in ("kept", "heads", "class_token_only"):
            assert getattr(again, name, None) == getattr(layer, name, None)


def test_the_class_token_is_normalised():
    tokens = np.random.default_rng(0).normal(3, 5, (4, 7, 64)).astype(np.float32)
    given = keras.ops.convert_to_numpy(ClassToken()(tokens))
    np.testing.assert_allclose(given.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(given.std(axis=1), 1, atol=1e-3)


EMBEDDINGS = "vision_model.embeddings"
SHAPES = dict.fromkeys((f"self_attn/{part}_proj" for part in ("q", "k", "v", "out")), (64, 64))
SHAPES |= {"mlp/fc1": (64, 256), "mlp/fc2": (256, 64)}


def encoder_file(path, side=14, without=()):
    """Write weights of random numbers in the form of the package that carries CLIP's encoder, 64 channels wide."""
    rng = np.random.default_rng(0)
    arrays = {
        f"{EMBEDDINGS}.patch_embedding.weight": rng.normal(0, 0.05, (64, 3, 16, 16)),
        f"{EMBEDDINGS}.position_embedding.weight": rng.normal(0, 0.02, (1 + side * side, 64)),
        f"{EMBEDDINGS}.class_embedding": rng.normal(0, 0.02, 64),
        "vision_model.pre_layrnorm.weight": rng.normal(1, 0.1, 64),
        "vision_model.pre_layrnorm.bias": rng.normal(0, 0.1, 64),
    }
    nodes = []
    for layer in range(12):
        block = f"vision_model.encoder.layers.{layer}"
        for name in (f"{block}.layer_norm1", f"{block}.layer_norm2"):
            arrays |= {f"{name}.weight": rng.normal(1, 0.1, 64), f"{name}.bias": rng.normal(0, 0.1, 64)}
        for part, shape in SHAPES.items():
            stem = f"m{len(nodes)}"
            arrays[f"{stem}_quantized"] = rng.integers(-127, 128, shape).astype(np.int8)
            arrays[f"{stem}_scale"] = rng.uniform(0.0003, 0.0005, shape[1])
            arrays[f"{stem}_zero_point"] = rng.integers(-2, 3, shape[1]).astype(np.int8)
            arrays[f"{block}.{part.replace('/', '.')}.bias"] = rng.normal(0, 0.1, shape[1])
            name = f"/vision_model/encoder/layers.{layer}/{part}/MatMul_quant"
            inputs = ["x", f"{stem}_quantized", "z", f"{stem}_zero_point"]
            nodes.append(helper.make_node("MatMulInteger", inputs, [f"y{len(nodes)}"], name=name))
    arrays = {
        name: array if array.dtype == np.int8 else array.astype(np.float32)
        for name, array in arrays.items()
        if name not in without
    }
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 64])],
        [helper.make_tensor_value_info("y0", TensorProto.INT32, [1, 64])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    onnx.save(helper.make_model(graph), path)
    return arrays


def test_starting_weights_are_read_to_their_places(tmp_path):
    stored = encoder_file(tmp_path / "encoder.onnx")
    model = networks.build("clip-vit-b16", 224, WIDTH)
    head = model.get_layer("logits").get_weights()
    networks.load_starting_weights("clip-vit-b16", model, tmp_path / "encoder.onnx")
    np.testing.assert_array_equal(
        model.get_layer("patches").get_weights()[0][2, 5, 1, 7],
        stored[f"{EMBEDDINGS}.patch_embedding.weight"][7, 1, 2, 5],
    )
    class_embedding, positions = model.get_layer("tokens").get_weights()
    np.testing.assert_array_equal(class_embedding, stored[f"{EMBEDDINGS}.class_embedding"])
    np.testing.assert_array_equal(positions, stored[f"{EMBEDDINGS}.position_embedding.weight"])
    block = model.get_layer("block_2")
    wide = stored["m10_quantized"].astype(np.float32) - stored["m10_zero_point"]  # the fifth matrix of the second
    np.testing.assert_allclose(block.widen.get_weights()[0], wide * stored["m10_scale"], rtol=1e-6)
    np.testing.assert_array_equal(
        block.query.get_weights()[1], stored["vision_model.encoder.layers.1.self_attn.q_proj.bias"]
    )
    np.testing.assert_array_equal(
        block.norm_2.get_weights()[0], stored["vision_model.encoder.layers.1.layer_norm2.weight"]
    )
    for before, after in zip(head, model.get_layer("logits").get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_positions_are_interpolated_for_another_size(tmp_path):
    stored = encoder_file(tmp_path / "encoder.onnx", side=4)
    ramp = np.linspace(0, 1, 4, dtype=np.float32)
    positions = np.concatenate([[7.0], np.add.outer(10 * ramp, ramp).ravel()]).astype(np.float32)
    larger = layers.resized_positions(positions[:, None], 65)[:, 0]
    assert larger[0] == 7
    grid = larger[1:].reshape(8, 8)
    assert (grid.min(), grid.max()) == pytest.approx((0, 11))
    assert (np.diff(grid, axis=0) >= 0).all()
    assert grid.mean() == pytest.approx(5.5, abs=1e-5)
    assert grid[3, 0] == pytest.approx(10 * (3.5 / 2 - 0.5) / 3, abs=1e-5)
    model = networks.build("clip-vit-b16", 64, WIDTH)
    networks.load_starting_weights("clip-vit-b16", model, tmp_path / "encoder.onnx")
    np.testing.assert_array_equal(
        model.get_layer("tokens").get_weights()[1], stored[f"{EMBEDDINGS}.position_embedding.weight"]
    )


@pytest.mark.parametrize("wrong", ["missing", "no network", "another network", "a weight less", "wider"])
def test_another_file_is_refused(tmp_path, wrong):
    path = tmp_path / "encoder.onnx"
    if wrong == "no network":
        path.write_bytes(b"no network")
    elif wrong == "another network":
        graph = helper.make_graph([], "nothing", [], [])
        onnx.save(helper.make_model(graph), path)
    elif wrong != "missing":
        encoder_file(path, without={"m3_scale"} if wrong == "a weight less" else ())
    model = networks.build("clip-vit-b16", 224, WIDTH * (2 if wrong == "wider" else 1))
    with pytest.raises(DatasetError, match=r"encoder\.onnx isn't the ONNX file of CLIP ViT-B/16's image encoder"):
        networks.load_starting_weights("clip-vit-b16", model, path)
