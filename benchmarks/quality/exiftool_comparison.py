"""Which tags our readers find in image files, beside ExifTool, which knows every place where a tag may stand.

python -m benchmarks.quality.exiftool_comparison [FOLDER ...]

Reads the images inside the installed packages of Pillow, pillow-heif and scikit-image, and in every FOLDER, such as a
checkout of Pillow (its Tests/images) or a collection of public cases. Of each tag of interest that ExifTool finds in a
picture that fauxto decodes, it counts whether our readers see the same text. Needs ExifTool (Debian:
libimage-exiftool-perl); without it, it says so and writes nothing. Writes results/exiftool-comparison.json, which names
every miss.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import results
from fauxto import images
from fauxto.errors import ImageError
from fauxto.evidence import camera_metadata, metadata
from fauxto.images.formats import FORMATS
from fauxto.limits import Limits

PACKAGES = ("PIL", "pillow_heif", "skimage")
TAGS = (
    "DigitalSourceType",
    "DigitalSourceFileType",
    "Credit",
    "CreditLine",
    "Software",
    "CreatorTool",
    "Make",
    "Model",
    "UserComment",
    "ImageDescription",
    "Description",
    "Caption-Abstract",
    "Comment",
    "XPTitle",
    "XPComment",
    "XPKeywords",
    "XPSubject",
    "Parameters",
    "Prompt",
    "Workflow",
    "DateTimeOriginal",
)
OTHER_PICTURES = ("IFD1", "SubIFD", "MakerNotes", "MPF", "MPImage", "Track", "ICC", "Composite", "JFIF", "C2PA")
"""Groups that aren't about this picture, or no metadata that our readers take: thumbnails, profiles and the like."""

_SUFFIXES = {suffix for format in FORMATS.values() for suffix in format.suffixes}
_COMPARED = 60
"""Characters of a text that are compared, without white space and beyond ASCII, which ExifTool prints its own way."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare every file, print the counts and the misses, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", help="folders of image files")
    options = parser.parse_args(arguments)
    exiftool = shutil.which("exiftool")
    if exiftool is None:
        print("skipped: ExifTool isn't installed (Debian: apt-get install libimage-exiftool-perl)")
        return
    version = subprocess.run([exiftool, "-ver"], capture_output=True, text=True, check=True).stdout.strip()
    counts: Counter[str] = Counter()
    found: Counter[str] = Counter()
    agreed: Counter[str] = Counter()
    misses: list[dict[str, str]] = []
    theirs = _theirs(exiftool, sorted(set(_files(options.folders))))
    for path, tags in theirs.items():
        file = path.read_bytes()
        try:
            image = images.decode(file)
        except ImageError as error:
            counts[str(error.status)] += 1
            continue
        counts["read"] += 1
        ours = _ours(file, image)
        for group, tag, value in tags:
            found[tag] += 1
            if _plain(value) in ours or (tag == "DateTimeOriginal" and _moment(value) in ours):
                agreed[tag] += 1
            else:
                misses.append({"file": path.name, "tag": f"{group}:{tag}", "value": value[:80]})
    for tag in found:
        print(f"{tag:24} ExifTool {found[tag]:5}   fauxto {agreed[tag]:5}")
    print(f"{dict(counts)}; misses: {json.dumps(misses, indent=1) if misses else 'none'}")
    by_tag = {tag: {"exiftool": found[tag], "fauxto": agreed[tag]} for tag in TAGS if found[tag]}
    figures = {"exiftool": version, "files": dict(counts), "tags": by_tag, "misses": misses}
    print(f"wrote {results.write('exiftool-comparison', figures, ('fauxto', 'pillow', 'pillow-heif')).name}")


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    specs = (importlib.util.find_spec(package) for package in PACKAGES)
    packages = [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin is not None]
    for folder in (*packages, *folders):
        yield from (path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())


def _theirs(exiftool: str, paths: Sequence[Path]) -> dict[Path, list[tuple[str, str, str]]]:
    """Return (group, tag, text) of each tag of interest by file, duplicates included."""
    command = [exiftool, "-j", "-a", "-G1", "-n", *(f"-{tag}" for tag in TAGS), "-@", "-"]
    run = subprocess.run(command, input="\n".join(map(str, paths)).encode(), capture_output=True)
    listed: list[dict[str, Any]] = json.loads(
        run.stdout.decode("utf-8", "replace") or "[]", parse_float=str, parse_int=str
    )
    theirs: dict[Path, list[tuple[str, str, str]]] = {path: [] for path in paths}
    for tags in listed:
        for key, value in tags.items():
            group, colon, tag = key.rpartition(":")
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            if colon and not group.startswith(OTHER_PICTURES) and _plain(text):
                theirs[Path(tags["SourceFile"])].append((group, tag, text))
    return theirs


def _ours(file: bytes, image: images.Image) -> set[str]:
    """Return every text that our readers see in a file, as it is compared."""
    parsed = metadata.parse(file, image.facts.format, Limits())
    taken = camera_metadata.read(file, image, Limits()).details.get("taken", "")
    times = (taken, *(text.value for text in parsed.texts if text.name == "DateTimeOriginal"))
    return {_plain(text.value) for text in parsed.texts} | set(map(_moment, times))


def _moment(time: str) -> str:
    """Return the digits of a time down to the second, without its zone, which EXIF holds in a tag of its own."""
    return "".join(filter(str.isdigit, time))[:14]


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isalnum())[:_COMPARED]


if __name__ == "__main__":
    main()
