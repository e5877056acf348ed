"""Options that several commands share, with the same names and help everywhere."""

from __future__ import annotations

import functools
import glob
import inspect
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from fauxto.choices import PointName
from fauxto.limits import Limits
from fauxto.options import DetectorOptions


def complete_model(incomplete: str) -> list[str]:
    """Return the names of installed models, and the folders, that begin as typed."""
    from fauxto.bundles import names

    folders = [f"{path}/" for path in Path().glob(f"{glob.escape(incomplete)}*") if path.is_dir()] if incomplete else []
    return [name for name in names() if name.startswith(incomplete)] + sorted(folders)


Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FOLDER",
        help="Model: its name, or its folder.",
        show_default="the built-in ones",
        autocompletion=complete_model,
    ),
]

OperatingPoint = Annotated[
    PointName,
    typer.Option(help="How careful to be: cautious has fewest false alarms, sensitive misses fewest AI pictures."),
]

Personal = Annotated[bool, typer.Option("--personal", help="Keep names, places and serial numbers found in the files.")]

TrustList = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="PEM certificates to trust for content credentials.",
        show_default="the built-in list",
    ),
]

MaxMegapixels = Annotated[
    int | None,
    typer.Option(
        min=1, help="Largest picture, in million pixels.", show_default="250 for a JPEG, 64 for any other format"
    ),
]

Workers = Annotated[int | None, typer.Option(min=1, help="Pictures to judge at a time.", show_default="one per core")]

FetchUrls = Annotated[
    bool, typer.Option("--fetch-urls", help="Also accept addresses of pictures on the public internet.")
]

_OF_A_DETECTOR = (
    Parameter("model", Parameter.KEYWORD_ONLY, default=None, annotation=Model),
    Parameter("operating_point", Parameter.KEYWORD_ONLY, default=PointName.BALANCED, annotation=OperatingPoint),
    Parameter("personal", Parameter.KEYWORD_ONLY, default=False, annotation=Personal),
    Parameter("trust_list", Parameter.KEYWORD_ONLY, default=None, annotation=TrustList),
    Parameter("max_megapixels", Parameter.KEYWORD_ONLY, default=None, annotation=MaxMegapixels),
)


def takes_detector_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a detector; it gets them as one argument, `options: DetectorOptions`."""
    own = [
        parameter.replace(kind=Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(command, eval_str=True).parameters.items()
        if name != "options"
    ]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        asked = {parameter.name: given.pop(parameter.name, parameter.default) for parameter in _OF_A_DETECTOR}
        limits = Limits()
        if (megapixels := asked["max_megapixels"]) is not None:
            limits = Limits(max_pixels=megapixels * 1_000_000, max_full_pixels=megapixels * 1_000_000)
        options = DetectorOptions(
            asked["model"],
            asked["operating_point"].value,
            limits,
            personal=asked["personal"],
            trust_list=asked["trust_list"],
        )
        command(**given, options=options)

    parameters = (*own, *_OF_A_DETECTOR)
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Typer reads
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
