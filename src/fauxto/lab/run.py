"""A training run: the folder in which every step of the laboratory finds what the steps before it wrote.

docs/reference/run.md lists its files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fauxto import bundles
from fauxto.bundles.bundle import (
    Bundle,
    Calibration,
    Description,
    Domain,
    OperatingPoint,
    ScoreQuantiles,
    Training,
)
from fauxto.bundles.schema import build
from fauxto.choices import CalibrationMethod
from fauxto.errors import ConfigError, FauxtoError
from fauxto.lab.families import FamilyHead
from fauxto.lab.recipe import Recipe
from fauxto.lab.unlikeness import Unlikeness, with_unlikeness
from fauxto.scan.files import replaced

if TYPE_CHECKING:
    import keras

KERAS_MODEL, ONNX_MODEL = "model.keras", "model.onnx"
FAMILY_HEAD, UNLIKENESS = "families.npz", "unlikeness.npz"
_RECIPE, _START, _RECORD, _CALIBRATION = "recipe.toml", "start.json", "run.json", "calibration.json"

Json = dict[str, Any]


UNCALIBRATED = Calibration(CalibrationMethod.TEMPERATURE, 1.0, 0.0, fitted_on="nothing", count=0)
"""The network's own two-way softmax."""


@dataclass(frozen=True, slots=True)
class RunCalibration:
    """What RUN/calibration.json holds: everything that was fitted for one trained network.

    Attributes:
        calibration: The map from score to probability.
        operating_points: By name, as the bundle wants them.
        real_score_quantiles: What turns a score into the report's `fpr_at_score`.
        val: The `calibration_error` on the clean pictures of val, `before` and `after`.
        families: From which probability each family of generators is named, in the network's order; None for never.
        max_unlikeness: From where on a picture is refused; None where the network doesn't tell it.
        foreign_photographs: How many photographs of another data set the thresholds were kept from accusing.
        foreign_unlike: How many of those are refused.
        network_sha256: Of the run's network.
    """

    calibration: Calibration
    operating_points: Mapping[str, OperatingPoint]
    real_score_quantiles: ScoreQuantiles
    val: Mapping[str, Mapping[str, float]]
    families: Mapping[str, float | None]
    max_unlikeness: float | None
    foreign_photographs: int
    foreign_unlike: int
    network_sha256: str


class Run:
    """A run folder; what isn't there yet raises an error that names the command that writes it.

    Attributes:
        folder: Where it lies.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.keras_model = self.folder / KERAS_MODEL
        self.family_head = self.folder / FAMILY_HEAD
        self.unlikeness = self.folder / UNLIKENESS
        self.cache = self.folder / "cache"

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def is_begun(self) -> bool:
        """Whether a training was started here."""
        return (self.folder / _RECIPE).exists()

    @property
    def is_trained(self) -> bool:
        """Whether the training is finished."""
        return (self.folder / _RECORD).is_file()

    def begin(self, recipe: Recipe, start: Json) -> Json:
        """Write what the run starts from, or check that it was begun from the same; return the first start.

        Raises:
            ConfigError: It was begun with another recipe, data set, starting weights, runs to average with or foreign
                pictures.
        """
        if not self.is_begun:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(_START, start)
            with replaced(self.folder / _RECIPE) as file:
                file.write(recipe.to_toml().encode())
            return start
        first = self._read(_START)
        if self.recipe != recipe:
            raise ConfigError(
                f"the run in {self.folder} was begun with another recipe; "
                f"resume it with its own {self.folder / _RECIPE}"
            )
        for ingredient, words in (
            ("manifest_sha256", "on another data set"),
            ("weights_sha256", "from other weights"),
            ("averaged_with", "to be averaged with other runs"),
            ("foreign_sha256", "with other pictures as foreign"),
        ):
            if first.get(ingredient) != start[ingredient]:
                raise ConfigError(f"the run in {self.folder} was begun {words}; give it those to resume it")
        return first

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that it was trained by."""
        return Recipe.load(self.folder / _RECIPE)

    @property
    def record(self) -> Json:
        """What the finished training left: `command`, `git_revision`, `history` and the like.

        Raises:
            FauxtoError: The training isn't finished.
        """
        if not self.is_trained:
            raise FauxtoError(
                f"{self.folder / _RECORD} isn't there: finish the training first "
                f"(`fauxto train --run {self.folder} --resume`)"
            )
        return self._read(_RECORD)

    def finish(self, record: Json) -> None:
        """Write the record of a finished training."""
        self._write(_RECORD, record)

    def load_network(self, path: Path | None = None) -> keras.Model:
        """Load the trained network, or that in another file, in float32, on whatever backend Keras runs.

        Raises:
            ConfigError: No epoch has finished yet.
        """
        import keras

        from fauxto.lab import networks

        path = path or self.keras_model
        if not path.is_file():
            raise ConfigError(f"{self.folder} has no {KERAS_MODEL}: no epoch of it has finished; train it first")
        keras.mixed_precision.set_global_policy("float32")
        network = networks.of(self.recipe)
        network.load_weights(path)
        return network

    def load_keras_model(self) -> keras.Model:
        """Load the network as it is exported; raises as `load_network` does.

        It averages over a picture and its mirror image if the recipe says so, and may tell the unlikeness.
        """
        import keras

        network, mirrored = self.load_network(), self.recipe.flip_averaging
        if self.unlikeness.exists():
            return with_unlikeness(network, Unlikeness.load(self.unlikeness), mirrored=mirrored)
        if not mirrored:
            return network
        pixels = keras.Input(network.input_shape[1:], name="pixels")
        logits = keras.layers.Average(name="logits")([network(pixels), network(keras.ops.flip(pixels, axis=2))])
        return keras.Model(pixels, logits, name=network.name)

    @property
    def network_sha256(self) -> str:
        """The sha256 of recipe and weights, which together decide every score and family.

        Raises:
            FauxtoError: There is no trained network.
        """
        digest = hashlib.sha256()
        heads = [path.name for path in (self.family_head, self.unlikeness) if path.exists()]
        for name in (_RECIPE, KERAS_MODEL, *heads):
            try:
                digest.update((self.folder / name).read_bytes())
            except OSError as error:
                raise FauxtoError(
                    f"{self.folder} holds no trained network: {name} can't be read ({error.strerror})"
                ) from error
        return digest.hexdigest()

    def onnx(self) -> bytes:
        """Return the network as it ships, exporting it where that wasn't done since the training.

        Raises:
            FauxtoError: There is no trained network, or ONNX Runtime and Keras disagree on it.
        """
        from fauxto.lab import exporting

        exported, about = self.folder / ONNX_MODEL, self.folder / "export.json"
        source = {"network_sha256": self.network_sha256, "exporter": exporting.code()}
        known = self._read(about.name) if about.is_file() and exported.is_file() else {}
        if source != {name: known.get(name) for name in source}:
            about.unlink(missing_ok=True)  # written last: a cut in between leaves no export rather than a wrong one
            model, agreement = exporting.export(
                self.load_keras_model,
                self.recipe.backend,
                is_backbone=bool(self.record["weights_sha256"]),
                families=self._families(),
                folder=self.folder,
            )
            with replaced(exported) as file:
                file.write(model)
            self._write(about.name, {**source, **agreement})
        return exported.read_bytes()

    @property
    def agreement(self) -> Json:
        """How far the exported network agrees with Keras's: see `exporting.export`."""
        self.onnx()
        return self._read("export.json")

    @property
    def calibration(self) -> RunCalibration | None:
        """What was fitted for this network; None when that hasn't been done.

        Raises:
            FauxtoError: The file is damaged, or was fitted for another network.
        """
        path = self.folder / _CALIBRATION
        if not path.exists():
            return None
        try:
            fitted: RunCalibration = build(RunCalibration, self._read(_CALIBRATION, "run `fauxto calibrate` again"), "")
        except ValueError as error:
            raise FauxtoError(f"{path}: {error}; run `fauxto calibrate` again") from error
        if fitted.network_sha256 != self.network_sha256:
            raise FauxtoError(
                f"{path} was fitted for another network than the run now holds; run `fauxto calibrate` again"
            )
        return fitted

    def write_calibration(self, fitted: Json) -> Path:
        """Write what was fitted and return the file's path."""
        return self._write(_CALIBRATION, fitted)

    def results(self, name: str) -> Json | None:
        """Return the results that `fauxto evaluate` wrote under a name; None when nobody has."""
        name = f"evaluation/{name}.json"
        return self._read(name, "run `fauxto evaluate` again") if (self.folder / name).exists() else None

    def write_results(self, name: str, results: Mapping[str, Any]) -> Path:
        """Write results under a name and return the file's path."""
        return self._write(f"evaluation/{name}.json", results)

    def bundle(self, *, calibrated: bool = True) -> Bundle:
        """Return the network as a bundle without a nameplate, calibrated as far as the run is, or not `calibrated`."""
        record, recipe, fitted = self.record, self.recipe, self.calibration if calibrated else None
        model = self.onnx()
        families = self._families()
        most_unlike = fitted.max_unlikeness if fitted else 1.0 if self.unlikeness.exists() else None
        undecided = OperatingPoint(real_below=0.0, ai_above=1.0, fpr=0.0, tpr=0.0, inconclusive=1.0)
        kept = ("command", "git_revision", "dataset", "manifest_sha256", "parameters", "epochs", "seconds", "libraries")
        description = Description(
            format=2,
            name="run",
            version="0.0.0",
            summary="A run that isn't packed.",
            model_sha256=hashlib.sha256(model).hexdigest(),
            domain=Domain(1, 2**31, most_unlike),
            input=recipe.input,
            stability=recipe.stability,
            labels=("real", "ai"),
            calibration=fitted.calibration if fitted else UNCALIBRATED,
            operating_points=fitted.operating_points if fitted else dict.fromkeys(bundles.OPERATING_POINTS, undecided),
            real_score_quantiles=fitted.real_score_quantiles if fitted else ScoreQuantiles((1.0,), (0.0,)),
            families=fitted.families if fitted else dict.fromkeys(families.names if families else ()),
            training=Training(network=recipe.network, seed=recipe.seed, **{key: record[key] for key in kept}),
        )
        return Bundle(**vars(description), folder=self.folder, model=model, card="")

    def _families(self) -> FamilyHead | None:
        return FamilyHead.load(self.family_head) if self.family_head.exists() else None

    def _read(self, name: str, remedy: str = "the run is damaged: train it again elsewhere") -> Json:
        path = self.folder / name
        try:
            plain: Json = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path} can't be read ({error}); {remedy}") from error
        return plain

    def _write(self, name: str, plain: Mapping[str, Any]) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as file:
            file.write(json.dumps(plain, indent=1, allow_nan=False).encode() + b"\n")
        return path
