"""The command line: one file per command, each thin over the library.

A command's module imports what it needs inside its function, so that `fauxto --help` stays instant.
"""

from __future__ import annotations

from fauxto.cli.interruption import keep_interrupts

keep_interrupts()  # first: an interrupt that comes while the rest is imported may be dropped

# isort: split
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fauxto.addresses import is_address
from fauxto.cli import app, bench, calibrate, check, data, evaluate, models, pack, scan, serve, traces, train, watch
from fauxto.cli.hints import how_to_check
from fauxto.errors import ConfigError, FauxtoError, MissingExtraError
from fauxto.wording import printable

_LAB_PACKAGES = {"keras", "matplotlib", "onnx", "pyarrow", "scipy", "sklearn", "tensorflow", "tf2onnx"}


class _Commands(TyperGroup):
    """Turns a FauxtoError into one line on stderr and exit code 2, without a traceback."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Say how to judge a picture that stands where a command should."""
        name = args[0]
        if name not in self.commands and (is_address(name) or Path(name).suffix or Path(name).exists()):
            raise ConfigError(f"{name!r} isn't a command; to judge it: {how_to_check(name)}")
        return super().resolve_command(ctx, args)

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
    rich_markup_mode=None,  # plain help: rich and its Markdown parser would take most of the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
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
    """Tell photographs from AI-generated pictures, and say how sure that is."""


_COMMANDS = (
    check.check,
    traces.traces,
    models.models,
    scan.scan,
    watch.watch,
    bench.bench,
    app.app,
    serve.serve,
    train.train,
    evaluate.evaluate,
    calibrate.calibrate,
    pack.pack,
)
for _command in _COMMANDS:
    commands.command()(_command)
commands.add_typer(data.data_app, name="data")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line (by default, that of the process) and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old code page must not stop a batch
    try:
        commands(args=arguments, prog_name="fauxto")
    except ImportError as error:
        if _is_interrupted(error):
            sys.exit(scan.STOPPED)
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"fauxto: {printable(f'{where}{error.strerror or error}')}", err=True)
        sys.exit(2)


def _is_interrupted(error: BaseException | None) -> bool:
    """Tell whether Ctrl-C lies behind an error: a library in C that is being loaded turns it into one of its own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
