"""`DetectorOptions`: the options of a detector, shared by library, scans, service and page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from fauxto.choices import PointName
from fauxto.errors import ConfigError
from fauxto.limits import Limits

_DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class DetectorOptions:
    """The arguments of a `Detector`, with the same names.

    Attributes:
        model: The name of an installed model or its folder; None for the built-in ones, each for its domain.
        operating_point: "cautious", "balanced" or "sensitive".
        limits: Limits per picture.
        batch_size: Maximum number of pictures in one run of the network.
        threads: Threads per run of the network; None for one per physical core that may be used.
        evidence: Whether to read evidence in the files; without it, verdicts rest on the pixels alone.
        personal: Whether reports keep names, places and serial numbers found in the files.
        trust_list: PEM file of trusted certificate authorities; None for the built-in list.
    """

    model: str | Path | None = None
    operating_point: str = PointName.BALANCED.value
    limits: Limits = _DEFAULT_LIMITS
    batch_size: int = 64
    threads: int | None = None
    evidence: bool = True
    personal: bool = False
    trust_list: Path | None = None

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ConfigError: An unknown operating point, or a batch size or number of threads below 1.
        """
        if self.operating_point not in set(PointName):
            names = ", ".join(PointName)
            raise ConfigError(f"operating point {self.operating_point!r} is unknown; choose one of {names}")
        if self.batch_size < 1 or (self.threads is not None and self.threads < 1):
            raise ConfigError(f"batch_size and threads must be 1 or more, not {self.batch_size} and {self.threads}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, strings and numbers, ready for `json.dumps`."""
        plain = dataclasses.asdict(self)
        if isinstance(self.model, Path):
            plain["model"] = str(self.model.absolute())  # not a model's name
        return {**plain, "trust_list": self.trust_list and str(self.trust_list)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild options from `to_dict`'s result."""
        trust_list = plain["trust_list"] and Path(plain["trust_list"])
        return cls(**{**plain, "limits": Limits(**plain["limits"]), "trust_list": trust_list})
