"""A bundle's network in ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fauxto import preprocessing
from fauxto.bundles import model_file
from fauxto.bundles.bundle import Bundle
from fauxto.cores import network_threads
from fauxto.errors import BundleFormatError
from fauxto.preprocessing import Pixels

# ONNX Runtime writes usage events to a file under the home folder unless this is set before its import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

_PIXELS_A_RUN = 8 * 224 * 224
"""A run's memory grows with its pixels, and past a few pictures of this size no longer its speed."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What a network makes of N pictures.

    Attributes:
        scores: float64 [N], the raw logit of AI.
        families: float64 [N, F], the probability of each of the bundle's families of generators, were the picture AI.
        unlikeness: float64 [N], in [0, 1], how unlike those that the network learnt the pictures are; 0 where it
            doesn't tell.
    """

    scores: NDArray[np.float64]
    families: NDArray[np.float64]
    unlikeness: NDArray[np.float64]


class Network:
    """One ONNX Runtime session of a bundle's network; its methods may be called from several threads at once."""

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        """Open the session from the very bytes that were hashed.

        Args:
            bundle: A loaded bundle.
            threads: How many threads one call may use; None for one per physical core that may be used.

        Raises:
            BundleFormatError: ONNX Runtime refuses the network.
        """
        self._where = bundle.folder / model_file.NAME
        self._input = bundle.input
        self._families, self._outputs = len(bundle.families), bundle.outputs
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or network_threads()
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 4  # what goes wrong is raised, not printed
        options.add_session_config_entry("session.load_model_format", "ONNX")
        # Spinning threads would take the cores from those that decode the next pictures.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(bundle.model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own classes derive from Exception alone
            raise BundleFormatError(f"ONNX Runtime can't open {self._where}: {_first_line(error)}") from error
        self._input_name: str = self._session.get_inputs()[0].name

    def views(self, rgb: Pixels) -> Pixels:
        """Return the parts, uint8 [K, H, W, 3] of the bundle's input size, that the network sees of a picture."""
        return preprocessing.views(rgb, self._input)

    def score(self, pictures: Sequence[Pixels]) -> NDArray[np.float64]:
        """Score pictures, uint8 [h, w, 3] each, of any sizes.

        Returns:
            float64 [N]: the raw logit of AI, NaN where the network gives no finite number.

        Raises:
            BundleFormatError: See `run`.
        """
        return self.judge([self.views(rgb) for rgb in pictures]).scores

    def judge(self, views: Sequence[Pixels]) -> Judged:
        """Judge pictures of which the views were made before, uint8 [K, H, W, 3] each, as `views` returns them.

        Returns:
            Means over each picture's views; NaN where the network gives no finite number for one of them.

        Raises:
            BundleFormatError: See `run`.
        """
        if not views:
            return Judged(np.empty(0), np.empty((0, self._families)), np.empty(0))
        pixels = np.concatenate(views)
        most = max(1, _PIXELS_A_RUN // (self._input.height * self._input.width))
        runs = [self.run(pixels[start : start + most]) for start in range(0, len(pixels), most)]
        outputs = np.concatenate(runs).astype(np.float64).reshape(len(views), self._input.count, -1)
        real, ai, *others = np.moveaxis(np.where(np.isfinite(outputs), outputs, np.nan), -1, 0)
        families = np.reshape(others[: self._families], (self._families, *real.shape)).mean(axis=2).T
        (unlikeness,) = others[self._families :] or (np.zeros_like(real),)
        return Judged((ai - real).mean(axis=1), families, unlikeness.mean(axis=1))

    def run(self, pixels: Pixels) -> NDArray[np.float32]:
        """Run the network once.

        Args:
            pixels: uint8 [N, H, W, 3], of the bundle's input size.

        Returns:
            float32 [N, 2 + F] or [N, 3 + F]: the raw logits of real and of ai, the probability of each of the bundle's
            F families of generators, and the unlikeness where it tells it; NaN or infinite where the network is bad.

        Raises:
            BundleFormatError: The network fails, or its output hasn't the shape that it declares.
        """
        try:
            outputs = self._session.run(None, {self._input_name: preprocessing.normalise(pixels, self._input)})
        except Exception as error:
            raise BundleFormatError(f"{self._where} fails on a batch of {len(pixels)}: {_first_line(error)}") from error
        shapes = [output.shape for output in outputs]
        if shapes != [(len(pixels), columns) for columns in self._outputs]:
            raise BundleFormatError(f"{self._where} gives outputs of shapes {shapes} for a batch of {len(pixels)}")
        return np.concatenate(outputs, axis=1, dtype=np.float32)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
