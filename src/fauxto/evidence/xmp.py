"""XMP (ISO 16684-1): the properties of a packet, parsed by expat; document types and entities are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from fauxto.evidence.untrusted import UnreadableError

BASIC = "http://ns.adobe.com/xap/1.0/"
CAMERA = "http://ns.adobe.com/exif/1.0/aux/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
EXIF = "http://ns.adobe.com/exif/1.0/"
IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
MEDIA_MANAGEMENT = "http://ns.adobe.com/xap/1.0/mm/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
RESOURCE_EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"

MAX_CHARACTERS = 1_000_000
MAX_ELEMENTS = 50_000
"""Elements and attributes together."""
MAX_DEPTH = 50
MAX_NAMESPACE = 200
"""Characters of a namespace, which expat repeats in the name of every element and attribute."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_ROOT, _DESCRIPTION, _ITEM = (f"{_RDF} {name}" for name in ("RDF", "Description", "li"))
_ARRAYS = tuple(f"{_RDF} {name}" for name in ("Alt", "Bag", "Seq"))
_RESOURCE, _VALUE = f"{_RDF} resource", f"{_RDF} value"


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    children: list[_Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def simple_value(self) -> str:
        """Return its text, or the rdf:resource that replaces it."""
        return "".join(self.text).strip() or self.attributes.get(_RESOURCE, "")


class Xmp:
    """The properties of the picture itself, not of its ingredients or ancestors."""

    def __init__(self, properties: Mapping[str, list[_Element | str]]) -> None:
        self._properties = properties

    def texts(self, namespace: str, name: str) -> list[str]:
        """Return the value or values of a property; without empty ones and structures."""
        values = self._properties.get(f"{namespace} {name}", [])
        texts = (value if isinstance(value, str) else value.simple_value() or _qualified(value) for value in values)
        return [text.strip() for text in texts if text.strip()]

    def text(self, namespace: str, name: str) -> str | None:
        """Return the first value of a property; None without one."""
        return next(iter(self.texts(namespace, name)), None)

    def fields(self, namespace: str, name: str, field_namespace: str, field_name: str) -> list[str]:
        """Return one field of each structure in an array, such as the software of each history entry."""
        qualified_name = f"{field_namespace} {field_name}"
        structures = (
            structure
            for structure in self._properties.get(f"{namespace} {name}", [])
            if isinstance(structure, _Element)
        )
        return [
            text for structure in structures for field, text in _fields(structure) if field == qualified_name and text
        ]


def parse(packet: str) -> Xmp:
    """Read the properties of an XMP packet.

    Raises:
        UnreadableError: It isn't well-formed, declares a document type or entities, or is too large or too deep.
    """
    root = _parse_tree(packet)
    properties: dict[str, list[_Element | str]] = {}
    for description in _descriptions(root):
        for name, text in description.attributes.items():
            properties.setdefault(name, []).append(text)
        for child in description.children:
            arrays = [element for element in child.children if element.name in _ARRAYS]
            items = [item for array in arrays for item in array.children if item.name == _ITEM]
            properties.setdefault(child.name, []).extend(items if arrays else [child])
    return Xmp(properties)


def _descriptions(root: _Element) -> Iterator[_Element]:
    """Yield the descriptions of the picture, directly under rdf:RDF, which is the root or in it (x:xmpmeta).

    All are about one resource, mostly the empty name; those about another don't describe the picture.
    """
    containers = [element for element in (root, *root.children) if element.name == _ROOT]
    descriptions = [child for rdf in containers for child in rdf.children if child.name == _DESCRIPTION]
    about = [
        description.attributes.get(f"{_RDF} about", description.attributes.get("about", ""))
        for description in descriptions
    ]
    yield from (description for description, resource in zip(descriptions, about, strict=True) if resource == about[0])


def _fields(structure: _Element) -> Iterator[tuple[str, str]]:
    """Yield the fields of a structure, written as attributes, elements, or in a description of their own."""
    for holder in (structure, *(element for element in structure.children if element.name == _DESCRIPTION)):
        yield from holder.attributes.items()
        yield from ((element.name, element.simple_value()) for element in holder.children)


def _qualified(element: _Element) -> str:
    """Return the rdf:value of a qualified value; an empty string if there is none."""
    return next((text for name, text in _fields(element) if name == _VALUE), "")


def _parse_tree(packet: str) -> _Element:
    outermost = _Element("", {})
    open_elements = [outermost]
    elements = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements
        elements += 1 + len(attributes)
        if elements > MAX_ELEMENTS or len(open_elements) > MAX_DEPTH:
            raise UnreadableError("the XMP packet has too many or too deeply nested elements")
        element = _Element(name, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(name: str) -> None:
        open_elements.pop()

    def text(characters: str) -> None:
        open_elements[-1].text.append(characters)

    def refuse(*_: object) -> None:
        raise UnreadableError("the XMP packet declares a document type, which XMP doesn't allow")

    def declare(prefix: str | None, namespace: str | None) -> None:
        if len(namespace or "") > MAX_NAMESPACE:
            raise UnreadableError("the XMP packet declares a namespace that is too long")

    if len(packet) > MAX_CHARACTERS:
        raise UnreadableError(f"the XMP packet has more than {MAX_CHARACTERS:,} characters")
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = refuse
    parser.StartNamespaceDeclHandler = declare
    try:
        parser.Parse(packet, True)
    except expat.ExpatError as error:
        raise UnreadableError("the XMP packet isn't well-formed XML") from error
    return outermost.children[0]
