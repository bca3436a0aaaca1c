"""Tables as HTML: what Excel, LibreOffice Calc and Google Sheets put on the clipboard.

Owns writing one that they read with every digit, and reading theirs: Calc's `sdval`, Excel's
`x:num`, Sheets' `data-sheets-value` and `data-sheets-formula`. Knows no clipboard and no sheet.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from gradsheet.formula.address import Cell, column_name
from gradsheet.formula.values import ErrorCode, Scalar, parse_entry, parse_number

_MOST_SPAN = 1000
_SPACES = re.compile(r"[ \t\r\n\f]+")
_R1C1 = re.compile(r"(?<![\w.])R(\[-?\d+\]|\d+)?C(\[-?\d+\]|\d+)?(?![\w(])")


@dataclass(frozen=True, slots=True)
class HtmlCell:
    """One cell of a table.

    Attributes
    ----------
    text : what it shows
    value : its number, boolean or text where the table says it; None where only the text counts
    formula : in R1C1 notation, "" if there is none
    number_format : Excel's code, "" if the table says none
    """

    text: str
    value: Scalar = None
    formula: str = ""
    number_format: str = ""
    bold: bool = False
    italic: bool = False


EMPTY = HtmlCell("")


# ------------------------------------------------------------------------------------------ out


def table_html(rows: Sequence[Sequence[HtmlCell]]) -> str:
    """An HTML page with a table that Calc and Excel paste with all digits and formats."""
    lines = [
        '<html><head><meta charset="utf-8"><meta name="generator" content="gradsheet"></head>',
        '<body><table border="0" cellspacing="0">',
    ]
    for row in rows:
        lines.append("<tr>" + "".join(_cell_html(cell) for cell in row) + "</tr>")
    lines.append("</table></body></html>")
    return "\n".join(lines)


def _cell_html(cell: HtmlCell) -> str:
    text = html.escape(cell.text).replace("\n", "<br>")
    attributes = ""
    styles = []
    if isinstance(cell.value, bool):
        attributes = f' sdval="{int(cell.value)}" sdnum="1033;0;BOOLEAN"'
    elif isinstance(cell.value, float):
        number = repr(cell.value).removesuffix(".0")
        code = "" if cell.number_format in ("", "General") else cell.number_format
        attributes = f' align="right" sdval="{number}" sdnum="1033;0;{html.escape(code)}"'
        attributes += f' x:num="{number}"'
        if code:
            styles.append(f"mso-number-format:'{_mso(code)}'")
    elif cell.text:
        styles.append("mso-number-format:'\\@'")  # Excel: do not read 007 as 7
        attributes = ' sdnum="1033;0;@"'
    if cell.bold:
        text = f"<b>{text}</b>"
    if cell.italic:
        text = f"<i>{text}</i>"
    style = f' style="{";".join(styles)}"' if styles else ""
    return f"<td{attributes}{style}>{text}</td>"


def _mso(code: str) -> str:
    """A format code as Excel's style sheets spell it: every sign but letters and digits quoted."""
    return "".join(c if c.isalnum() else "\\" + c for c in code).replace('"', "&quot;")


# ------------------------------------------------------------------------------------------- in


def read_table(page: str) -> list[list[HtmlCell]] | None:
    """The first table of a page, rows of equal length; None if there is no table."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    rows = reader.finished()
    if rows is None:
        return None
    width = max((len(row) for row in rows), default=0)
    if reader.is_from_calc:  # there every number says so: what does not is text, 007 too
        rows = [
            [replace(cell, value=cell.text) if cell.value is None and cell.text else cell
             for cell in row]
            for row in rows
        ]  # fmt: skip
    return [row + [EMPTY] * (width - len(row)) for row in rows]


def has_values(rows: Sequence[Sequence[HtmlCell]]) -> bool:
    """Whether the table says more than what it shows: values, formulas."""
    return any(cell.value is not None or cell.formula for row in rows for cell in row)


@dataclass(slots=True)
class _Open:
    """A cell that is being read."""

    attributes: dict[str, str]
    parts: list[str] = field(default_factory=list)
    bold: bool = False
    italic: bool = False


class _Reader(HTMLParser):
    """Collects the cells of the first table; spans become blank cells, as Calc pastes them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._rows: list[list[HtmlCell]] | None = None
        self._row: list[HtmlCell] | None = None
        self._cell: _Open | None = None
        self._below: dict[int, int] = {}  # column -> rows that a span still covers
        self._depth = 0
        self._is_done = False
        self.is_from_calc = False

    def finished(self) -> list[list[HtmlCell]] | None:
        """The rows read."""
        self._end_row()
        return self._rows

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._is_done:
            return
        given = {name: value or "" for name, value in attrs}
        if tag == "table":
            self._depth += 1
            if self._rows is None:
                self._rows = []
        elif self._rows is None or self._depth != 1:
            return
        elif tag == "tr":
            self._end_row()
            self._row = []
            self._skip_covered()
        elif tag in ("td", "th"):
            self._end_cell()
            if self._row is None:
                self._row = []
                self._skip_covered()
            self._cell = _Open(given)
            self.is_from_calc |= "sdval" in given
        elif self._cell is not None:
            if tag == "br":
                self._cell.parts.append("\0")
            elif tag in ("b", "strong"):
                self._cell.bold = True
            elif tag in ("i", "em"):
                self._cell.italic = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._depth:
            self._depth -= 1
            if self._depth == 0:
                self._end_row()
                self._is_done = True
        elif self._depth == 1 and tag in ("td", "th"):
            self._end_cell()
        elif self._depth == 1 and tag == "tr":
            self._end_row()
        elif tag in ("p", "div") and self._cell is not None and self._cell.parts:
            self._cell.parts.append("\0")

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.parts.append(data)

    def _end_cell(self) -> None:
        cell, self._cell = self._cell, None
        if cell is None or self._row is None:
            return
        across = _span(cell.attributes.get("colspan"))
        down = _span(cell.attributes.get("rowspan"))
        for at in range(across):
            if down > 1:
                self._below[len(self._row)] = down
            self._row.append(_finished_cell(cell) if at == 0 else EMPTY)
        self._skip_covered()

    def _skip_covered(self) -> None:
        assert self._row is not None
        while self._below.get(len(self._row), 0) > 1:
            column = len(self._row)
            self._below[column] -= 1
            self._row.append(EMPTY)

    def _end_row(self) -> None:
        self._end_cell()
        row, self._row = self._row, None
        if row is not None and self._rows is not None:
            self._rows.append(row)


def _span(text: str | None) -> int:
    return min(max(int(text), 1), _MOST_SPAN) if text and text.isdigit() else 1


def _finished_cell(cell: _Open) -> HtmlCell:
    shown = "".join(cell.parts)
    lines = [_SPACES.sub(" ", line).strip(" ") for line in shown.split("\0")]
    text = "\n".join(lines).strip("\n").replace("\xa0", " ")
    given = cell.attributes
    code = given.get("sdnum", "").partition(";")[2].partition(";")[2]
    value = _value(given, text, code)
    if code in ("BOOLEAN", "@"):
        code = ""
    formula = given.get("data-sheets-formula", "")
    return HtmlCell(text, value, formula, code, cell.bold, cell.italic)


def _value(given: dict[str, str], text: str, code: str) -> Scalar:
    error = parse_entry(text)
    if isinstance(error, ErrorCode):  # Calc says sdval="0" there
        return error
    if "sdval" in given:
        number = parse_number(given["sdval"])
        if number is not None:
            return bool(number) if code == "BOOLEAN" else number
    if given.get("x:num"):
        return parse_number(given["x:num"])
    if "x:num" in given:  # Excel: what is shown is all there is
        return parse_number(text)
    if "x:str" in given or code == "@":
        return text or None
    if "data-sheets-value" in given:
        return _sheets_value(given["data-sheets-value"])
    return None


def _sheets_value(text: str) -> Scalar:
    """Google Sheets: {"1": kind, kind: value}: 2 text, 3 number, 4 boolean."""
    try:
        record = json.loads(text)
        kind = int(record["1"])
        value = record[str(kind)]
    except (ValueError, KeyError, TypeError):
        return None
    if kind == 3 and isinstance(value, (int, float)):
        return float(value)
    if kind == 4:
        return bool(value)
    return value if kind == 2 and isinstance(value, str) else None


def a1_formula(text: str, host: Cell) -> str:
    """A formula in R1C1 notation as one in A1 notation for a host cell.

    Text in quotes is left alone. References off the sheet become #REF!.
    """

    def cell(match: re.Match[str]) -> str:
        row, row_sign = _place(match[1], host.row)
        col, col_sign = _place(match[2], host.col)
        if row < 0 or col < 0:
            return "#REF!"
        return f"{col_sign}{column_name(col)}{row_sign}{row + 1}"

    parts = re.split(r'("(?:[^"]|"")*")', text)
    parts[::2] = [_R1C1.sub(cell, part) for part in parts[::2]]
    return "".join(parts)


def _place(text: str | None, host: int) -> tuple[int, str]:
    if text is None:
        return host, ""
    if text.startswith("["):
        return host + int(text[1:-1]), ""
    return int(text) - 1, "$"
