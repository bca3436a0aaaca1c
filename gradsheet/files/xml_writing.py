"""Pieces of XML text that every written part needs.

Owns escaping (also of what XML cannot hold at all) and the namespaces. Knows no workbook.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"

# What XML 1.0 cannot hold is written _xHHHH_ (ECMA-376 part 1, 22.9.2.19), and so is a text
# that would read as such an escape. A carriage return would come back as a line feed.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def text_xml(text: str) -> str:
    """Text as the content of an element."""
    return escape(_UNWRITABLE.sub(lambda match: f"_x{ord(match[0]):04X}_", text))


def attribute(text: str) -> str:
    """Text as an attribute in double quotes."""
    plain = _UNWRITABLE.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    return escape(plain, {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def unescaped(text: str) -> str:
    """Text with its `_xHHHH_` put back; the inverse of what `text_xml` does to characters."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def space(text: str) -> str:
    """The attribute that keeps blanks at the ends of a text, with a space before it."""
    return ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
