"""From a run's Keras model to the ONNX network that ships, checked against Keras."""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from fauxto.errors import FauxtoError
from fauxto.lab.backend import import_keras, without_notes

if TYPE_CHECKING:
    import keras

    from fauxto.lab.families import FamilyHead

TOLERANCES = {32: 1e-4, 8: 0.5}
"""Largest difference that is let through between a logit of Keras and of ONNX Runtime, by the latter's bits."""

_PICTURES = 48


def code() -> str:
    """Return a hash of the code that decides an export."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for name in ("exporting.py", "encoder_export.py", "layers.py"):
        digest.update((here / name).read_bytes())
    return digest.hexdigest()[:16]


def export(
    load: Callable[[], keras.Model], backend: str, *, is_backbone: bool, families: FamilyHead | None, folder: Path
) -> tuple[bytes, dict[str, Any]]:
    """Export a run's network.

    Args:
        load: Loads the network, once Keras has its backend.
        backend: What the network was trained on.
        is_backbone: Whether it started from a pretrained encoder's weights, and is exported as transformers are.
        families: Of a backbone, the head that gives the second output; None for none.
        folder: The run's, for the error.

    Returns:
        The ONNX file, and how far it agrees with Keras on random pictures: `pictures`, `bits` (32 or 8) and the largest
        `difference` between logits.

    Raises:
        FauxtoError: They disagree.
    """
    if is_backbone:
        import_keras(backend)
        from fauxto.lab import encoder_export

        model = load()
        exported, bits = encoder_export.export(model, families), 8
    else:
        # Other networks are exported on TensorFlow, whatever they were trained on: one exporter, one set of operators.
        import_keras("tensorflow")
        model = load()
        exported, bits = _by_keras(model), 32
    agreement = {"bits": bits, **_agreement(model, exported)}
    if not agreement["difference"] <= TOLERANCES[bits]:
        raise FauxtoError(
            f"ONNX Runtime and Keras disagree on {folder}: a logit differs by {agreement['difference']:.2g}, "
            f"more than {TOLERANCES[bits]:g}"
        )
    return exported, agreement


def _by_keras(model: keras.Model) -> bytes:
    import keras

    signature = [keras.InputSpec(shape=model.input_shape, dtype="float32", name="pixels")]
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "model.onnx"
        with without_notes(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # Keras's own, about NumPy
            model.export(path, format="onnx", input_signature=signature, verbose=False)
        return path.read_bytes()


def _agreement(model: keras.Model, exported: bytes) -> dict[str, Any]:
    """Compare on smooth random pictures: colour gradients with noise of many strengths."""
    rng = np.random.default_rng(0)
    side = model.input_shape[1]
    corners = rng.random((_PICTURES, 2, 2, 3))
    ramp = np.stack([np.linspace(1, 0, side), np.linspace(0, 1, side)], axis=1)
    pictures = np.einsum("ya,xb,nabc->nyxc", ramp, ramp, corners)
    pictures += rng.normal(0, 1, pictures.shape) * rng.uniform(0, 0.3, (_PICTURES, 1, 1, 1))
    pixels = np.clip(pictures, 0, 1).astype(np.float32)
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: pixels})
    expected = model.predict(pixels, verbose=0)
    expected = expected if isinstance(expected, list) else [expected]
    differences = [np.abs(output - other).max() for output, other in zip(outputs, expected, strict=False)]
    return {"pictures": _PICTURES, "difference": float(max(differences))}
