"""`fauxto models`: list the installed model bundles and trust lists, or show the card of one bundle."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fauxto.cli.options import complete_model
from fauxto.errors import BundleError
from fauxto.wording import printable

if TYPE_CHECKING:
    from fauxto.bundles import Bundle


def models(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|FOLDER",
            help="Show the test results and the card of this model.",
            show_default=False,
            autocompletion=complete_model,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per model and line.")] = False,
) -> None:
    """List the installed models and how old the trust lists are, or show one model's test results and card.

    Exit code: 0 every model can be used, 1 an installed one is broken, 2 the command was wrong.
    """
    from fauxto import bundles

    if model is None:
        loaded, broken = _load_all(bundles.names())
    else:
        loaded, broken = [bundles.load(model)], []
    if as_json:
        for bundle in loaded:
            typer.echo(json.dumps(_as_dict(bundle)))
    elif model is None:
        _print_table(loaded)
        _print_trust_lists()
    else:
        _print_test_figures(loaded[0])
        _print_card(loaded[0].card)
    for problem in broken:
        typer.echo(f"fauxto: {printable(problem)}", err=True)
    if broken:
        raise typer.Exit(1)


def _load_all(names: list[str]) -> tuple[list[Bundle], list[str]]:
    from fauxto import bundles

    loaded, broken = [], []
    for name in names:
        try:
            loaded.append(bundles.load(name))
        except BundleError as error:
            broken.append(f"{name}: {error}")
    return loaded, broken


def _as_dict(bundle: Bundle) -> dict[str, Any]:
    from fauxto.bundles import DEFAULTS

    plain = dataclasses.asdict(dataclasses.replace(bundle, model=b""))
    for field in ("model", "card", "folder"):
        del plain[field]
    return {**plain, "bytes": len(bundle.model), "default": bundle.name in DEFAULTS}


def _print_table(loaded: list[Bundle]) -> None:
    from rich import box
    from rich.console import Console
    from rich.filesize import decimal
    from rich.table import Table
    from rich.text import Text

    from fauxto.bundles import DEFAULTS

    table = Table("model", "what it is", show_lines=True, box=box.ROUNDED)
    for bundle in loaded:
        name = Text(bundle.name, style="bold").append(f"\n{bundle.version}", style="not bold")
        if bundle.name in DEFAULTS:
            name.append("\n(default)", style="not bold")
        facts = (
            f"for pictures with a short side of {bundle.domain.short_sides}; "
            f"{bundle.training.parameters:,} parameters, {decimal(len(bundle.model))}"
        )
        table.add_row(name, Text(bundle.summary).append(f"\n{facts}", style="dim"))
    Console().print(table)


def _print_trust_lists() -> None:
    from datetime import date

    from fauxto.evidence.content_credentials import trust_list

    typer.echo("Content credentials are checked against two lists:")
    for built_in in trust_list.built_in():
        typer.echo(f"  {built_in.age(date.today())}")


def _print_test_figures(bundle: Bundle) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    from fauxto import error_rates

    console = Console(highlight=False, markup=False, emoji=False)
    console.print(error_rates.measured_on(bundle))
    header, rows = error_rates.table(bundle)
    if rows:
        table = Table(*(Column(title, min_width=min(15, len(title))) for title in header), box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(cell.replace(" (", "\n(").replace(" to ", "–") for cell in row))
        console.print(table)
    console.print()


def _print_card(card: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    text = "\n".join(printable(line) for line in card.splitlines())
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text, hyperlinks=False))
    else:
        typer.echo(text)
