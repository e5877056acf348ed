"""The XML of an XMP packet as a tree: in any encoding, as far as it is sound, without document types and entities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from fauxto.evidence.untrusted import UnreadableError

MAX_CHARACTERS = 1_000_000
MAX_ELEMENTS = 50_000
"""Elements and attributes together."""
MAX_ELEMENTS_IN_ALL = 100_000
"""The same of all packets of a file, and of all attempts at reading them."""
MAX_DEPTH = 50
MAX_NAMESPACE = 200
"""Characters of a namespace, which expat repeats in the name of every element and attribute."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ROOT = f"{RDF} RDF"

_MOST_BYTES = 4  # of a character, in UTF-8 and UTF-32
_ENCODINGS = ("utf-8", "utf-16-be", "utf-16-le", "utf-32-be", "utf-32-le")
_ELEMENT = re.compile(r"<(?:[\w.-]{1,40}:)?(?:xmpmeta|xapmeta|RDF)(?=[\s>])")
_PADDING = "\ufeff\0 \r\n\t"

# XML 1.0 allows no other characters, neither as they are nor as references.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")
_BARE_AMPERSAND = re.compile(r"&(?!(?:#\w{1,10}|\w{1,40});)")


@dataclass(slots=True)
class Element:
    """One element; names are "namespace local-name"."""

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tree:
    """What could be read of a packet.

    Attributes:
        root: The outermost element.
        damage: A sentence on what was left out; None if nothing was.
    """

    root: Element
    damage: str | None = None


@dataclass(slots=True)
class Budget:
    """How many elements and attributes may still be read of a file."""

    elements: int = MAX_ELEMENTS_IN_ALL


def parse(packet: bytes | str, budget: Budget) -> Tree:
    """Read the element x:xmpmeta or rdf:RDF of a packet; what stands around it is passed over if it isn't XML.

    Characters that XML forbids are dropped, and of a packet that breaks off, what stands before the fault is read.

    Raises:
        UnreadableError: Nothing can be read, it declares a document type or entities, or it is too large or too deep.
    """
    text = _decode(packet)
    if len(text) > MAX_CHARACTERS:
        raise _too_long()
    without_rdf: Tree | None = None
    parser = _Parser(budget)
    for candidate, damage in _candidates(text):
        parser = _Parser(budget)
        if not parser.parse(candidate):
            continue
        tree = Tree(parser.root, damage)
        if parser.has_rdf:
            return tree
        without_rdf = without_rdf or tree
    if parser.has_rdf:
        return Tree(parser.root, "the XMP packet isn't well-formed XML and was read only up to the fault")
    if without_rdf is None:
        raise UnreadableError("the XMP packet isn't well-formed XML")
    return without_rdf


def _too_long() -> UnreadableError:
    return UnreadableError(f"the XMP packet has more than {MAX_CHARACTERS:,} characters")


def _decode(packet: bytes | str) -> str:
    """Decode by the encoding in which the element is found: byte order marks and declarations may be wrong."""
    if isinstance(packet, str):
        return packet.strip(_PADDING)
    if len(packet) > MAX_CHARACTERS * _MOST_BYTES:
        raise _too_long()
    texts = (packet.decode(encoding, "replace") for encoding in _ENCODINGS)
    text = next((text for text in texts if _ELEMENT.search(text)), None)
    return (packet.decode("utf-8", "replace") if text is None else text).strip(_PADDING)


def _candidates(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the packet as it is, from its element on, and mended, each with a sentence on what was left out."""
    yield text, None
    element = _ELEMENT.search(text)
    if element is None:
        return
    if "<!DOCTYPE" in text[: element.start()]:
        raise _document_type()
    text = text[element.start() :]
    yield text, None
    mended = _REFERENCE.sub(_allowed_reference, _BARE_AMPERSAND.sub("&amp;", _FORBIDDEN.sub("", text)))
    yield mended, "the XMP packet holds characters that XML forbids, which were left out"


def _allowed_reference(reference: re.Match[str]) -> str:
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return "" if code > 0x10FFFF or _FORBIDDEN.match(chr(code)) else reference[0]


def _document_type() -> UnreadableError:
    return UnreadableError("the XMP packet declares a document type, which XMP doesn't allow")


class _Parser:
    """Builds the tree of one text."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._left = MAX_ELEMENTS
        self._outermost = Element("", {})
        self._open = [self._outermost]

    @property
    def root(self) -> Element:
        return self._outermost.children[0]

    @property
    def has_rdf(self) -> bool:
        """Whether rdf:RDF is the root or in it (x:xmpmeta)."""
        children = self._outermost.children
        return any(element.name == ROOT for root in children[:1] for element in (root, *root.children))

    def parse(self, text: str) -> bool:
        """Parse as far as possible; return whether the text is XML, or is up to the end of an element with rdf:RDF."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartNamespaceDeclHandler = self._declare
        try:
            parser.Parse(text, True)
        except expat.ExpatError:
            return len(self._open) == 1 and self.has_rdf
        except UnicodeEncodeError:  # a lone surrogate
            return False
        return True

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._left -= 1 + len(attributes)
        self._budget.elements -= 1 + len(attributes)
        if min(self._left, self._budget.elements) < 0 or len(self._open) > MAX_DEPTH:
            raise UnreadableError("the XMP packet has too many or too deeply nested elements")
        element = Element(name, attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, name: str) -> None:
        self._open.pop()

    def _text(self, characters: str) -> None:
        self._open[-1].text.append(characters)

    def _refuse(self, *_: object) -> None:
        raise _document_type()

    def _declare(self, prefix: str | None, namespace: str | None) -> None:
        if len(namespace or "") > MAX_NAMESPACE:
            raise UnreadableError("the XMP packet declares a namespace that is too long")
