"""The command line: one file a command, each thin over the library.

A command's module imports what it needs inside its function, so that `fauxto --help` stays instant.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fauxto.cli.terminal import printable
from fauxto.errors import FauxtoError, MissingExtraError

_LAB_PACKAGES = {"keras", "matplotlib", "onnx", "pyarrow", "scipy", "sklearn", "tensorflow", "tf2onnx"}


class _Commands(TyperGroup):
    """Ends a command that raised a FauxtoError with its one sentence and exit code 2, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except FauxtoError as error:
            raise _exit_with(error) from error
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] not in _LAB_PACKAGES:
                raise
            raise _exit_with(MissingExtraError("lab", f"fauxto {ctx.invoked_subcommand}")) from error


def _exit_with(error: FauxtoError) -> typer.Exit:
    typer.echo(f"fauxto: {printable(str(error))}", err=True)
    return typer.Exit(2)


commands = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from fauxto import __version__

        typer.echo(f"fauxto {__version__}")
        raise typer.Exit


@commands.callback()
def fauxto(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Tell a photograph from a picture that a generative model made, and say how sure that is."""


# Temporary, while the commands are being written.
for _panel, _names in (
    ("Judge", ("check", "models", "app")),
    ("Laboratory", ("data", "train", "evaluate", "calibrate", "pack")),
):
    for _name in _names:
        if find_spec(f"fauxto.cli.{_name}") is None:
            continue
        _module = importlib.import_module(f"fauxto.cli.{_name}")
        if _name == "data":
            commands.add_typer(_module.data_app, name="data", rich_help_panel=_panel)
        else:
            commands.command(_name, rich_help_panel=_panel)(getattr(_module, _name))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line (the process's own where none is given) and exit with its code."""
    commands(args=arguments, prog_name="fauxto")
