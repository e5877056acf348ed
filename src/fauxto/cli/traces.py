"""`fauxto traces`: renders the traces of compression and scaling for people."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fauxto.errors import ConfigError, ImageError
from fauxto.wording import printable

if TYPE_CHECKING:
    import PIL.Image

    from fauxto.evidence.trace_pictures import Peak
    from fauxto.images import Image

ERROR_LEVELS, NOISE, GHOSTS, SPECTRUM = "error-levels.png", "noise.png", "jpeg-ghosts.png", "spectrum.png"


def traces(
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="Picture, or - for standard input.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the pictures; created if missing.")],
) -> None:
    """Write four pictures of the traces that compression, editing and scaling left in a picture, for a person.

    error-levels.png shows how much each pixel changes when the picture is saved as a JPEG once more, noise.png the
    finest grain, jpeg-ghosts.png how well each block fits twelve JPEG qualities, spectrum.png the average spectrum with
    its peaks boxed. None is a verdict. Nothing is overwritten.

    Exit code: 0 all were written, 1 the picture can't be read or is too small for ghosts (under 16 pixels a side) or a
    spectrum (under 32), 2 the command was wrong.
    """
    from fauxto import images
    from fauxto.evidence import compression
    from fauxto.limits import Limits

    for path in (out / name for name in (ERROR_LEVELS, NOISE, GHOSTS, SPECTRUM)):
        if os.path.lexists(path):
            raise ConfigError(f"{path} already exists; move it away, or give another folder with --out")
    limits = Limits()
    try:
        standard_input = sys.stdin.buffer if sys.stdin else b""  # None in a program without a console
        data = images.read_bytes(standard_input if image == "-" else image, limits)
        decoded = images.decode(data, limits)
    except ImageError as error:
        typer.echo(f"fauxto: {printable(str(error))}", err=True)
        raise typer.Exit(1) from error
    out.mkdir(parents=True, exist_ok=True)
    typer.echo(compression.read(data, decoded, limits).summary)
    try:
        _write_error_levels(decoded, out / ERROR_LEVELS)
        _write_noise(decoded, out / NOISE)
        _write_ghosts(decoded, out / GHOSTS)
        _write_spectrum(decoded, out / SPECTRUM)
    except ValueError as error:  # too small
        typer.echo(f"fauxto: {error}", err=True)
        raise typer.Exit(1) from error


def _write_error_levels(image: Image, path: Path) -> None:
    import PIL.Image

    from fauxto.evidence.trace_pictures import error_level_map

    _save(PIL.Image.fromarray(error_level_map(image)), path)
    typer.echo(
        f"\n{printable(str(path))}: how much each pixel changes when the picture is saved as a JPEG again. Parts with "
        "a different compression may stand out; edges and texture always do."
    )


def _write_noise(image: Image, path: Path) -> None:
    import PIL.Image

    from fauxto.evidence.trace_pictures import noise_residual

    _save(PIL.Image.fromarray(noise_residual(image)), path)
    typer.echo(
        f"\n{printable(str(path))}: the finest grain, strengthened. Parts with another grain may come from elsewhere "
        "or have been smoothed; sharp focus, dark parts and compression change it as well."
    )


def _write_ghosts(image: Image, path: Path) -> None:
    import PIL.Image

    from fauxto.evidence.trace_pictures import GHOST_QUALITIES, draw_ghosts, jpeg_ghosts

    _save(PIL.Image.fromarray(draw_ghosts(jpeg_ghosts(image))), path)
    qualities = ", ".join(map(str, GHOST_QUALITIES))
    typer.echo(
        f"\n{printable(str(path))}: how well each block fits the JPEG qualities {qualities}, row by row, dark for "
        "well. A patch that is dark alone may have been saved at that quality before it was pasted in; flat parts are "
        "dark by themselves."
    )


def _write_spectrum(image: Image, path: Path) -> None:
    import PIL.Image

    from fauxto.evidence.trace_pictures import average_spectrum, draw_spectrum, spectral_peaks

    spectrum = average_spectrum(image)
    peaks = spectral_peaks(spectrum)
    _save(PIL.Image.fromarray(draw_spectrum(spectrum, peaks)), path)
    typer.echo(
        f"\n{printable(str(path))}: the average spectrum of the fine structure, frequency zero in the middle, peaks "
        "boxed. Upsampling in generators may leave peaks; so do scaling, JPEG blocks, sensors, and woven "
        "or printed patterns."
    )
    for peak in peaks:
        typer.echo(f"  {_describe(peak)}")
    if not peaks:
        typer.echo("  no peaks")


def _save(picture: PIL.Image.Image, path: Path) -> None:
    with path.open("xb") as file:
        picture.save(file, "PNG")


def _describe(peak: Peak) -> str:
    grid = ", on the grid of a JPEG's blocks" if peak.is_of_eights else ""
    return f"peak of {peak.decibels:.1f} dB at {peak.x:+.3f}, {peak.y:+.3f} cycles per pixel (across, down){grid}"
