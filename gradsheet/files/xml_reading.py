"""XML of files that nobody vouches for, read by the standard library's expat.

Owns the refusal of document types (hence of entities, inner and outer), limits on depth and
size, and names without their namespaces. Fetches nothing, knows no file format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from xml.etree.ElementTree import Element
from xml.parsers import expat

from gradsheet.formula.values import UserError

MAX_DEPTH = 64
"""Levels of elements; the deepest part of a workbook has about a dozen."""
MAX_TREE = 2_000_000
"""Elements of a part that is read as a tree."""

_ENCODINGS = ("utf-8", "utf8", "utf-16", "us-ascii", "iso-8859-1")
_RELATIONSHIPS = "/relationships"
_COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006}"


class UnreadablePart(Exception):
    """A part that is damaged or dangerous; the message says how, without naming the part."""


Start = Callable[[str, dict[str, str]], object]


def parse_stream(
    chunks: Iterable[bytes],
    start: Start,
    end: Callable[[str], object],
    data: Callable[[str], object],
    given: Callable[[expat.XMLParserType], object] | None = None,
) -> None:
    """Feed a part to handlers, which get names as `uri}local`.

    `given` gets the parser before it begins, for those who must know where it is.

    Raises
    ------
    UnreadablePart
        If it is no well-formed XML, or declares a document type.
    """
    parser = _parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    if given is not None:
        given(parser)
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as fault:
        raise UnreadablePart(f"damaged XML at line {fault.lineno}, column {fault.offset}") from None


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    # OPC (ECMA-376 part 2, 8.1.4) forbids DTDs; without one there are no entities to expand.
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.XmlDeclHandler = _check_encoding
    return parser


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    # The same page allows UTF-8 and UTF-16 only; these others are harmless and do occur.
    if encoding is not None and encoding.lower() not in _ENCODINGS:
        raise UnreadablePart(f"text in the encoding {encoding[:30]}")


def _refuse_doctype(*_: object) -> None:
    raise UnreadablePart("a document type declaration, which workbooks must not have")


def local_name(name: str) -> str:
    """The name without its namespace; what belongs to relationships begins with `r:`."""
    uri, _, local = name.rpartition("}")
    return f"r:{local}" if uri.endswith(_RELATIONSHIPS) and local else local


def tree(chunks: Iterable[bytes]) -> Element:
    """A small part as an element tree with local names; alternative content is left out.

    Raises
    ------
    UnreadablePart
        If it is damaged, dangerous, deeper than `MAX_DEPTH` or larger than `MAX_TREE`.
    """
    builder = _TreeMaker()
    parse_stream(chunks, builder.start, builder.end, builder.data)
    return builder.root


class _TreeMaker:
    """Handlers that build a tree."""

    def __init__(self) -> None:
        self.root = Element("none")
        self._open: list[Element] = [self.root]
        self._skipped = 0
        self._count = 0
        self._names: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._skipped or name.startswith(_COMPATIBILITY):
            self._skipped += 1
            return
        self._count += 1
        if len(self._open) > MAX_DEPTH or self._count > MAX_TREE:
            raise UnreadablePart("more elements, or deeper ones, than any workbook has")
        named = {self._local(key): value for key, value in attributes.items()}
        element = Element(self._local(name), named)
        if len(self._open) > 1:
            self._open[-1].append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        self._open.pop()

    def data(self, text: str) -> None:
        if self._skipped:
            return
        element = self._open[-1]
        if len(element):
            last = element[-1]
            last.tail = (last.tail or "") + text
        else:
            element.text = (element.text or "") + text

    def _local(self, name: str) -> str:
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = local_name(name)
        return known


def flag(attributes: Mapping[str, str], name: str, default: bool = False) -> bool:
    """A boolean attribute: 1, true, on; anything else is false."""
    given = attributes.get(name)
    return default if given is None else given.strip().lower() in ("1", "true", "on")


def whole(attributes: Mapping[str, str], name: str, default: int = 0) -> int:
    """A whole number in an attribute; the default where it is missing or is none."""
    try:
        return int(attributes[name])
    except (KeyError, ValueError):
        return default


def decimal(attributes: Mapping[str, str], name: str, default: float = 0.0) -> float:
    """A finite number in an attribute; the default where it is missing or is none."""
    try:
        number = float(attributes[name])
    except (KeyError, ValueError):
        return default
    return number if abs(number) < 1e300 else default


def descendants(element: Element, *path: str) -> Iterator[Element]:
    """The elements at the end of a path of child names."""
    if not path:
        yield element
        return
    for child in element:
        if child.tag == path[0]:
            yield from descendants(child, *path[1:])


def refused(part: str, fault: Exception) -> UserError:
    """What to tell about a part that the workbook cannot do without."""
    return UserError(
        f"The workbook cannot be read: {part} has {fault}.",
        "Open it in the program that made it and save it again.",
    )
