"""Make the photo detector's bundle: python -m fauxto.lab.photos --help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def main(
    data: Annotated[Path, typer.Option(help="Data set of whole pictures: `fauxto data import photos --originals`.")],
    tower: Annotated[Path, typer.Option(help="ONNX file of CLIP ViT-B/16's image tower.")],
    run: Annotated[Path, typer.Option(help="Folder for features and results; what is there is used again.")],
    out: Annotated[Path, typer.Option(help="Bundle folder to write; a bundle that is there is replaced.")],
) -> None:
    """Fit the head on the tower, calibrate it on val, judge the test split and write the bundle with its card."""
    from fauxto.lab.photos.building import build

    paths = (f"--data {data}", f"--tower {tower.name}", f"--run {run}", f"--out {out}")
    command = f"python -m fauxto.lab.photos {' '.join(paths)}"
    bundle = build(data, tower, run, out, command)
    typer.echo(f"wrote {bundle.folder}")


if __name__ == "__main__":
    typer.run(main)
