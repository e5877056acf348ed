"""The recipe of a training run: a small TOML file, checked key by key, stored with the run."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from fauxto.bundles.schema import build
from fauxto.errors import ConfigError

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How training pictures are varied; every value 0 (or false) switches its variation off.

    Attributes:
        flip: Mirror left and right, half of the time.
        shift: Largest shift in pixels, borders reflected.
        rotation: Largest rotation in degrees, borders reflected.
        brightness: Largest relative change of brightness.
        contrast: Largest relative change of contrast.
        saturation: Largest relative change of saturation.
        greyscale: Share of pictures turned grey.
        recompress: Share of pictures saved as JPEG or WebP at a quality of 30 to 95.
        degrade: Share of pictures blurred, made noisy, scaled down and up, or cropped.
        cutmix: Share of batches in which a rectangle of each picture comes from another one, labels mixed by area
            (Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features").
    """

    flip: bool = True
    shift: int = 0
    rotation: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    greyscale: float = 0.0
    recompress: float = 0.0
    degrade: float = 0.0
    cutmix: float = 0.0

    def __post_init__(self) -> None:
        _require_in_range(
            self, ("brightness", "contrast", "saturation", "greyscale", "recompress", "degrade", "cutmix")
        )


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what a training run produces, but for the data.

    Attributes:
        network: A file name under `lab/networks/`.
        image_size: Side of the square input, in pixels; pictures of another size are resized to it.
        width: Scale of the network's channel counts; below 1 for quick experiments.
        train_share: Share of the train split that is learnt; below 1 for quick experiments.
        seed: Seeds the weights, the order and the augmentation.
        backend: Keras's backend: "tensorflow" or "torch" (plain 3x3 networks train faster there, in bfloat16).
        precision: Keras's dtype policy.
        batch_size: Pictures a step.
        epochs: Most epochs.
        patience: Stop after this many epochs without a better loss on val; 0 never stops early.
        learning_rate: Peak learning rate.
        schedule: "constant", or "cosine": linear warm-up, then down to zero along a cosine (Loshchilov & Hutter 2017,
            "SGDR: Stochastic Gradient Descent with Warm Restarts").
        warmup: Share of all steps that warm up, under "cosine".
        weight_decay: Decoupled weight decay (Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization").
        label_smoothing: Share of each label spread over both classes.
        flip_averaging: Whether the finished network averages its logits over a picture and its mirror image, which
            doubles its cost.
        augmentation: See `Augmentation`.
    """

    network: str
    image_size: int = 32
    width: float = 1.0
    train_share: float = 1.0
    seed: int = 1
    backend: Literal["tensorflow", "torch"] = "tensorflow"
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    batch_size: int = 128
    epochs: int = 20
    patience: int = 0
    learning_rate: float = 0.001
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: float = 0.2
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    flip_averaging: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        _require_in_range(self, ("train_share", "warmup", "label_smoothing"))
        for name, least in (("image_size", 8), ("batch_size", 1), ("epochs", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be {least} or more, not {getattr(self, name)}")
        for name in ("width", "train_share", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be greater than 0")
        if self.warmup == 1:
            raise ValueError("warmup must be less than 1")

    @classmethod
    def load(cls, path: Path, **overrides: Any) -> Self:
        """Read a recipe from a TOML file; `overrides` (None: not given) win over the file.

        Raises:
            ConfigError: The file is missing or isn't TOML, or a key or value in it is wrong.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"the recipe {path} can't be read: {error.strerror}") from error
        except ValueError as error:
            raise ConfigError(f"the recipe {path} isn't valid TOML: {error}") from error
        plain = dataclasses.asdict(cls(network="")) | table
        plain |= {key: value for key, value in overrides.items() if value is not None}
        if isinstance(plain["augmentation"], dict):
            plain["augmentation"] = dataclasses.asdict(Augmentation()) | plain["augmentation"]
        try:
            recipe: Self = build(cls, plain, "")
        except ValueError as error:
            raise ConfigError(f"the recipe {path}: {error}") from error
        return recipe

    def to_toml(self) -> str:
        """Return the recipe as a TOML document that `load` reads back to an equal recipe."""
        table = dataclasses.asdict(self)
        augmentation = table.pop("augmentation")
        return _lines(table) + "\n[augmentation]\n" + _lines(augmentation)


def recipe_for(network: str) -> Path:
    """Return the path of the recipe that ships for `network`.

    Raises:
        ConfigError: No recipe ships for it.
    """
    path = RECIPES / f"{network}.toml"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in RECIPES.glob("*.toml")))
        raise ConfigError(f"no recipe ships for the network {network!r} (there are: {known}); give one with --recipe")
    return path


def _lines(table: dict[str, Any]) -> str:
    def literal(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return json.dumps(value) if isinstance(value, str) else repr(value)

    return "".join(f"{key} = {literal(value)}\n" for key, value in table.items())


def _require_in_range(part: Any, shares: tuple[str, ...]) -> None:
    for one in dataclasses.fields(part):
        value = getattr(part, one.name)
        if isinstance(value, (int, float)) and value < 0:
            raise ValueError(f"{one.name} must not be negative, but is {value}")
        if one.name in shares and value > 1:
            raise ValueError(f"{one.name} is a share and must be at most 1, but is {value}")
