"""XMP (ISO 16684-1): the properties that the packets of a file state of the picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from fauxto.evidence import xmp_packet
from fauxto.evidence.untrusted import UnreadableError
from fauxto.evidence.xmp_packet import RDF, ROOT, Element

BASIC = "http://ns.adobe.com/xap/1.0/"
CAMERA = "http://ns.adobe.com/exif/1.0/aux/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
EXIF = "http://ns.adobe.com/exif/1.0/"
EXIF_2 = "http://cipa.jp/exif/1.0/"
IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
MEDIA_MANAGEMENT = "http://ns.adobe.com/xap/1.0/mm/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
RESOURCE_EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
TIFF = "http://ns.adobe.com/tiff/1.0/"

_PREFIXES = {
    BASIC: "xmp:",
    CAMERA: "aux:",
    DUBLIN_CORE: "dc:",
    EXIF: "exif:",
    EXIF_2: "exifEX:",
    IPTC_CORE: "Iptc4xmpCore:",
    IPTC_EXTENSION: "Iptc4xmpExt:",
    MEDIA_MANAGEMENT: "xmpMM:",
    PHOTOSHOP: "photoshop:",
    RESOURCE_EVENT: "stEvt:",
    TIFF: "tiff:",
    "http://www.tc260.org.cn/ns/AIGC/1.0/": "TC260:",
    "https://github.com/Comfy-Org/ComfyUI": "comfy:",
}
"""Usual prefixes, to name a property in a report; a packet may choose its own."""

MAX_TEXTS = 1_000
"""Texts that `Xmp.named_texts` and `Xmp.values` yield."""

MAX_PATH = 100

_DESCRIPTION, _ITEM = (f"{RDF} {name}" for name in ("Description", "li"))
_ARRAYS = tuple(f"{RDF} {name}" for name in ("Alt", "Bag", "Seq"))
_RESOURCE, _VALUE = f"{RDF} resource", f"{RDF} value"
_TRANSPARENT = (*_ARRAYS, _DESCRIPTION, _ITEM, _VALUE)
_NO_FIELDS = (RDF, "http://www.w3.org/XML/1998/namespace")


class Xmp:
    """The properties of the picture itself, not of its ingredients or ancestors."""

    def __init__(self, properties: Mapping[str, list[Element | str]], damage: tuple[str, ...] = ()) -> None:
        """Hold the properties, by "namespace name".

        Args:
            properties: The values of each.
            damage: A sentence for each part that couldn't be read.
        """
        self._properties = properties
        self.damage = damage

    def texts(self, namespace: str, name: str) -> list[str]:
        """Return the value or values of a property; without empty ones and structures."""
        return self._texts(f"{namespace} {name}")

    def _texts(self, qualified_name: str) -> list[str]:
        values = self._properties.get(qualified_name, [])
        texts = (value if isinstance(value, str) else _simple_value(value) or _qualified(value) for value in values)
        return [text.strip() for text in texts if text.strip()]

    def named_texts(self) -> Iterator[tuple[str, str, str]]:
        """Yield (place, name, text) of up to `MAX_TEXTS` properties, such as ("XMP dc:title", "title", "A")."""
        named = ((name, text) for name in self._properties for text in self._texts(name))
        for qualified_name, text in islice(named, MAX_TEXTS):
            yield f"XMP {_short(qualified_name)}", qualified_name.rpartition(" ")[2], text

    def values(self) -> Iterator[tuple[str, str]]:
        """Yield (path, text) of every value, also inside structures: "xmpMM:History 2/stEvt:action" is of the second.

        A path has at most `MAX_PATH` characters; up to `MAX_TEXTS` values come.
        """
        paths = (
            value
            for name, values in self._properties.items()
            for number, element in enumerate(values, start=1)
            for value in _values(_short(name) + (f" {number}" if len(values) > 1 else ""), element)
        )
        yield from islice(paths, MAX_TEXTS)

    def text(self, namespace: str, name: str) -> str | None:
        """Return the first value of a property; None without one."""
        return next(iter(self.texts(namespace, name)), None)

    def fields(self, namespace: str, name: str, field_namespace: str, field_name: str) -> list[str]:
        """Return one field of each structure in an array, such as the software of each history entry."""
        qualified_name = f"{field_namespace} {field_name}"
        structures = (
            structure for structure in self._properties.get(f"{namespace} {name}", []) if isinstance(structure, Element)
        )
        return [
            text for structure in structures for field, text in _fields(structure) if field == qualified_name and text
        ]


def parse(*packets: bytes | str) -> Xmp:
    """Read the properties of XMP packets, which count together.

    Raises:
        UnreadableError: None of them can be read; the message is that of the first.
    """
    properties: dict[str, list[Element | str]] = {}
    faults: list[UnreadableError] = []
    damage: list[str] = []
    budget = xmp_packet.Budget()
    for packet in packets:
        try:
            tree = xmp_packet.parse(packet, budget)
        except UnreadableError as error:
            faults.append(error)
            continue
        damage += [tree.damage] if tree.damage else []
        _add_properties(properties, tree.root)
    if len(faults) == len(packets) > 0:
        raise faults[0]
    return Xmp(properties, tuple(dict.fromkeys((*map(str, faults), *damage))))


def _add_properties(properties: dict[str, list[Element | str]], root: Element) -> None:
    for description in _descriptions(root):
        for name, text in description.attributes.items():
            properties.setdefault(name, []).append(text)
        for child in description.children:
            arrays = [element for element in child.children if element.name in _ARRAYS]
            items = [item for array in arrays for item in array.children if item.name == _ITEM]
            properties.setdefault(child.name, []).extend(items if arrays else [child])


def _descriptions(root: Element) -> Iterator[Element]:
    """Yield the descriptions of the picture, directly under rdf:RDF, which is the root or in it (x:xmpmeta).

    All are about one resource, mostly the empty name; those about another don't describe the picture.
    """
    containers = [element for element in (root, *root.children) if element.name == ROOT]
    descriptions = [child for rdf in containers for child in rdf.children if child.name == _DESCRIPTION]
    about = [
        description.attributes.get(f"{RDF} about", description.attributes.get("about", ""))
        for description in descriptions
    ]
    yield from (description for description, resource in zip(descriptions, about, strict=True) if resource == about[0])


def _short(qualified_name: str) -> str:
    """Return a name with its usual prefix in place of its namespace; without one if that isn't known."""
    namespace, _, name = qualified_name.rpartition(" ")
    return _PREFIXES.get(namespace, "") + name


def _values(path: str, element: Element | str) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each value in an element, in its attributes and in those below it."""
    path = path[:MAX_PATH]
    if isinstance(element, str):
        yield from [(path, element.strip())] if element.strip() else ()
        return
    if text := _simple_value(element).strip():
        yield path, text
    for name, text in element.attributes.items():
        if text.strip() and not name.startswith(_NO_FIELDS):
            yield f"{path}/{_short(name)}"[:MAX_PATH], text.strip()
    for number, child in enumerate(element.children, start=1):
        below = f"{path} {number}" if child.name == _ITEM else path
        yield from _values(below if child.name in _TRANSPARENT else f"{below}/{_short(child.name)}", child)


def _fields(structure: Element) -> Iterator[tuple[str, str]]:
    """Yield the fields of a structure, written as attributes, elements, or in a description of their own."""
    for holder in (structure, *(element for element in structure.children if element.name == _DESCRIPTION)):
        yield from holder.attributes.items()
        yield from ((element.name, _simple_value(element)) for element in holder.children)


def _qualified(element: Element) -> str:
    """Return the rdf:value of a qualified value; an empty string if there is none."""
    return next((text for name, text in _fields(element) if name == _VALUE), "")


def _simple_value(element: Element) -> str:
    """Return its text, or the rdf:resource that replaces it."""
    return "".join(element.text).strip() or element.attributes.get(_RESOURCE, "")
