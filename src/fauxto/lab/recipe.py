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
from fauxto.lab.degradations.chain import Degradation
from fauxto.preprocessing import Input

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How the network's inputs are varied in training; every value 0 (or false) switches its variation off.

    Attributes:
        flip: Mirror left and right, half of the time.
        shift: Largest shift in pixels, borders reflected.
        rotation: Largest rotation in degrees, borders reflected.
        brightness: Largest relative change of brightness.
        contrast: Largest relative change of contrast.
        saturation: Largest relative change of saturation.
        cutmix: Share of batches in which a rectangle of each picture comes from another one, labels mixed by area
            (Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features").
        mixup: Share of batches in which each picture is blended with another one, labels alike
            (Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization").
    """

    flip: bool = True
    shift: int = 0
    rotation: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    cutmix: float = 0.0
    mixup: float = 0.0

    def __post_init__(self) -> None:
        _require_in_range(self, ("brightness", "contrast", "saturation", "cutmix", "mixup"))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what a training run produces, but for the data and a backbone's starting weights.

    Attributes:
        network: A file name under `lab/networks/`.
        image_size: Side of the square input, in pixels; what has another size is resized to it.
        views: How the network looks at a picture: see `fauxto.preprocessing.Input`.
        crops: How many crops at native resolution it looks at besides.
        width: Scale of the network's channel counts; below 1 for quick experiments.
        train_share: Share of the train split that is learnt; below 1 for quick experiments.
        held_out: Share of train's sources that isn't learnt but calibrated on: val alone may be kinder than the world.
        seed: Seeds the weights, the order, the degradations and the augmentation.
        backend: Keras's backend: "tensorflow" or "torch" (which trains faster in bfloat16).
        precision: Keras's dtype policy.
        trainable: Of a backbone, how many of its last blocks are trained besides the head: 0 for none, -1 for
            everything. Networks without starting weights are trained whole.
        head: "trained" together with the network, or a "logistic" regression that is fitted on the finished network's
            features (`fauxto.lab.linear_head`).
        head_strength: Inverse of the L2 penalty of a logistic head.
        family_strength: The same for the head that tells families of generators apart.
        variants: How many random degradations of each train picture are made and kept (`fauxto.lab.views`); epochs take
            them in turn, and so do the pictures that a logistic head is fitted on. 0 degrades anew in every epoch,
            which is for thumbnails.
        batch_size: Pictures a step.
        epochs: Most epochs; 0 leaves a backbone as it is.
        patience: Stop after this many epochs without a better loss on val; 0 never stops early.
        learning_rate: Peak learning rate.
        schedule: "constant", or "cosine": linear warm-up, then down to zero along a cosine (Loshchilov & Hutter 2017,
            "SGDR: Stochastic Gradient Descent with Warm Restarts").
        warmup: Share of all steps that warm up, under "cosine".
        weight_decay: Decoupled weight decay (Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization").
        label_smoothing: Share of each label spread over both classes.
        kept_tokens: Share of a backbone's patch tokens that is kept in training.
        averaging: Momentum of an exponential average of the weights, which the finished network gets; 0 for none.
        interpolation: Share of the trained weights in the finished network, the rest being the backbone's starting
            weights (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
        flip_averaging: Whether the finished network averages its logits over a picture and its mirror image, which
            doubles its cost.
        stability: Whether a verdict has to outlast a re-encoding of the picture.
        degradation: See `Degradation`.
        augmentation: See `Augmentation`.
    """

    network: str
    image_size: int = 32
    views: tuple[Literal["whole", "centre"], ...] = ("whole",)
    crops: int = 0
    width: float = 1.0
    train_share: float = 1.0
    held_out: float = 0.0
    seed: int = 1
    backend: Literal["tensorflow", "torch"] = "tensorflow"
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    trainable: int = -1
    head: Literal["trained", "logistic"] = "trained"
    head_strength: float = 1e-4
    family_strength: float = 1e-3
    variants: int = 0
    batch_size: int = 128
    epochs: int = 20
    patience: int = 0
    learning_rate: float = 0.001
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: float = 0.2
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    kept_tokens: float = 1.0
    averaging: float = 0.0
    interpolation: float = 1.0
    flip_averaging: bool = False
    stability: bool = False
    degradation: Degradation = field(default_factory=Degradation)
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        _require_in_range(
            self, ("train_share", "held_out", "warmup", "label_smoothing", "kept_tokens", "averaging", "interpolation")
        )
        for name, least in (("image_size", 8), ("batch_size", 1), ("epochs", 0), ("trainable", -1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be {least} or more, not {getattr(self, name)}")
        for name in ("width", "train_share", "learning_rate", "kept_tokens", "head_strength", "family_strength"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be greater than 0")
        for name in ("warmup", "held_out", "averaging"):
            if getattr(self, name) == 1:
                raise ValueError(f"{name} must be less than 1")
        whole = (self.degradation.cut, self.degradation.scale, self.input.count > 1)
        if self.epochs and not self.variants and any(whole):
            raise ValueError("variants must be 1 or more where pictures are cut or scaled, or seen in several views")
        if self.epochs == 0 and self.head == "trained":
            raise ValueError("epochs may be 0 only where the head is logistic: nothing would be learnt")
        if self.interpolation < 1 and self.head == "trained":
            raise ValueError(
                "interpolation needs a logistic head, which is fitted after it: a trained one would be off"
            )
        if self.flip_averaging and self.head == "logistic":
            raise ValueError("flip_averaging isn't possible with a logistic head")
        _ = self.input  # which checks views and crops
        _require_in_range(
            self.degradation, tuple(part.name for part in dataclasses.fields(Degradation)), "degradation."
        )

    @property
    def input(self) -> Input:
        """What the network is fed; networks of the laboratory take RGB in [0, 1]."""
        black, white = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        return Input(self.views, self.crops, self.image_size, self.image_size, scale=1 / 255, mean=black, std=white)

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
        for name, part in (("degradation", Degradation()), ("augmentation", Augmentation())):
            if isinstance(plain[name], dict):
                plain[name] = dataclasses.asdict(part) | plain[name]
        if isinstance(plain["views"], tuple):
            plain["views"] = list(plain["views"])
        try:
            recipe: Self = build(cls, plain, "")
        except ValueError as error:
            raise ConfigError(f"the recipe {path}: {error}") from error
        return recipe

    def to_toml(self) -> str:
        """Return the recipe as a TOML document that `load` reads back to an equal recipe."""
        table = dataclasses.asdict(self)
        parts = {name: table.pop(name) for name in ("degradation", "augmentation")}
        return _lines(table) + "".join(f"\n[{name}]\n{_lines(part)}" for name, part in parts.items())


def recipe_for(network: str) -> Path:
    """Return the path of the recipe that ships for `network`.

    Raises:
        ConfigError: No recipe ships for it.
    """
    path = RECIPES / f"{network}.toml"
    if not path.is_file():
        known = ", ".join(sorted(recipe.stem for recipe in RECIPES.glob("*.toml")))
        raise ConfigError(f"no recipe ships for the network {network!r} (there are: {known}); give one with --recipe")
    return path


def _lines(table: dict[str, Any]) -> str:
    def literal(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return json.dumps(value) if isinstance(value, (str, tuple)) else repr(value)

    return "".join(f"{key} = {literal(value)}\n" for key, value in table.items())


def _require_in_range(part: Any, shares: tuple[str, ...], prefix: str = "") -> None:
    for entry in dataclasses.fields(part):
        value = getattr(part, entry.name)
        if isinstance(value, (int, float)) and value < 0 and entry.name != "trainable":
            raise ValueError(f"{prefix}{entry.name} must not be negative, but is {value}")
        if entry.name in shares and value > 1:
            raise ValueError(f"{prefix}{entry.name} is a share and must be at most 1, but is {value}")
