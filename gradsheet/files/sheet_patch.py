"""New cells in an existing worksheet part, all other bytes as they were.

Owns finding the bytes of every row and cell, and putting changed cells among them. Knows no
package and no workbook: it is told what the cells shall hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from gradsheet.files.xlsx_cells import cell_of_text
from gradsheet.files.xml_reading import UnreadablePart, parse_stream
from gradsheet.formula.address import Cell, Region, column_name

_TAG = re.compile(rb"""<[^"'>]*(?:"[^"]*"[^"'>]*|'[^']*'[^"'>]*)*>""")
_DROPPED = re.compile(rb"""\s(?:t|cm|vm)\s*=\s*(?:"[^"]*"|'[^']*')""")
_REF = re.compile(rb"""\sref\s*=\s*(?:"[^"]*"|'[^']*')""")


@dataclass(slots=True)
class CellBytes:
    """A cell of the part.

    Parameters
    ----------
    start, end : of its bytes
    head : its opening tag without the `<`, the name and what closes it: ` r="A1" s="3"`
    formula : the bytes of its formula element, empty without one
    shared : id of the shared formula that it belongs to, None if to none
    is_master : whether it holds the text of the shared formula
    """

    start: int
    end: int
    head: bytes
    formula: bytes = b""
    shared: str | None = None
    is_master: bool = False


@dataclass(slots=True)
class RowBytes:
    """A row of the part; `open_end` is where its opening tag ends."""

    start: int
    open_end: int
    end: int
    is_empty_tag: bool
    cells: dict[int, CellBytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewCell:
    """What a cell shall hold.

    Parameters
    ----------
    attributes : `t` and `cm`, with a blank before each
    formula : text of the element, None to keep the one that is there
    value : the elements behind it
    """

    attributes: str
    formula: str | None
    value: str


class SheetBytes:
    """The bytes of a worksheet part and where its cells are.

    Raises
    ------
    UnreadablePart
        If the part is not UTF-8, or has no place for cells.
    """

    def __init__(self, data: bytes) -> None:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise UnreadablePart("text that is not UTF-8")
        self._data = data
        self.rows: dict[int, RowBytes] = {}
        self._prefix = b""
        self._room: tuple[int, int, bool] | None = None
        self._dimension: tuple[int, int] | None = None
        self._scan()
        if self._room is None:
            raise UnreadablePart("no place for cells")

    def cell(self, cell: Cell) -> CellBytes | None:
        """The bytes of a cell, None if it has none."""
        row = self.rows.get(cell.row)
        return None if row is None else row.cells.get(cell.col)

    def shared_groups(self) -> dict[str, list[Cell]]:
        """The cells of every shared formula, by its id."""
        groups: dict[str, list[Cell]] = {}
        for row, found in self.rows.items():
            for col, cell in found.cells.items():
                if cell.shared is not None:
                    groups.setdefault(cell.shared, []).append(Cell(row, col))
        return groups

    def _scan(self) -> None:
        scan = _Scan(self._data)
        parse_stream([self._data], scan.start, scan.end, lambda _: None, scan.take_parser)
        self.rows, self._prefix = scan.rows, scan.prefix
        self._room, self._dimension = scan.room, scan.dimension

    def patched(self, cells: dict[Cell, NewCell | None], used: Region) -> bytes:
        """The part with some cells replaced, added, or (None) emptied but for their style.

        Parameters
        ----------
        used : what the sheet has in use now, for the part's own note of it
        """
        edits: list[tuple[int, int, bytes]] = []
        if self._dimension is not None and not used.is_empty:
            start, end = self._dimension
            tag = _REF.sub(f' ref="{used}"'.encode(), self._data[start:end])
            edits.append((start, end, tag))
        by_row: dict[int, dict[int, NewCell | None]] = {}
        for cell, new in cells.items():
            by_row.setdefault(cell.row, {})[cell.col] = new
        new_rows: dict[int, bytes] = {}
        for row, changes in by_row.items():
            known = self.rows.get(row)
            if known is None:
                inside = b"".join(self._new_cells(row, changes.items()))
                if inside:
                    name = self._prefix + b"row"
                    new_rows[row] = b'<%s r="%d">%s</%s>' % (name, row + 1, inside, name)
            else:
                edits += self._row_edits(row, known, changes)
        edits += self._row_insertions(new_rows)
        return _edited(self._data, edits)

    def _row_edits(
        self, row: int, known: RowBytes, changes: dict[int, NewCell | None]
    ) -> list[tuple[int, int, bytes]]:
        edits = []
        added: dict[int, list[tuple[int, NewCell | None]]] = {}
        cols = sorted(known.cells)
        for col, new in sorted(changes.items()):
            old = known.cells.get(col)
            if old is not None:
                edits.append((old.start, old.end, self._replaced(old, new)))
            elif new is not None:
                following = next((c for c in cols if c > col), None)
                if following is not None:
                    place = known.cells[following].start
                elif cols:
                    place = known.cells[cols[-1]].end
                else:
                    place = known.open_end
                added.setdefault(place, []).append((col, new))
        if known.is_empty_tag:
            inside = b"".join(self._new_cells(row, [p for ps in added.values() for p in ps]))
            if not inside:
                return edits
            tag = self._data[known.start : known.end]
            opened = tag[:-2].rstrip() + b">" + inside + b"</" + self._prefix + b"row>"
            return [(known.start, known.end, opened)]
        for place, pairs in added.items():
            edits.append((place, place, b"".join(self._new_cells(row, pairs))))
        return edits

    def _row_insertions(self, rows: dict[int, bytes]) -> list[tuple[int, int, bytes]]:
        assert self._room is not None  # asked for when it was made
        first, last, is_empty_tag = self._room
        known = sorted(self.rows)
        if is_empty_tag:
            inside = b"".join(data for _, data in sorted(rows.items()))
            if not inside:
                return []
            name = self._prefix + b"sheetData"
            return [(first, last, b"<%s>%s</%s>" % (name, inside, name))]
        places: dict[int, list[bytes]] = {}
        for row, data in sorted(rows.items()):
            following = next((r for r in known if r > row), None)
            place = last if following is None else self.rows[following].start
            places.setdefault(place, []).append(data)
        return [(place, place, b"".join(pieces)) for place, pieces in places.items()]

    def _new_cells(
        self, row: int, cells: Iterable[tuple[int, NewCell | None]]
    ) -> Iterable[bytes]:
        for col, new in sorted(cells, key=lambda pair: pair[0]):
            if new is not None:
                head = f' r="{column_name(col)}{row + 1}"'.encode()
                yield self._spelled(head, new, b"")

    def _replaced(self, old: CellBytes, new: NewCell | None) -> bytes:
        head = _DROPPED.sub(b"", old.head)
        if new is None:
            return b"<" + self._prefix + b"c" + head + b"/>"
        if new.formula is None and old.formula:
            kept = re.search(rb"""\scm\s*=\s*(?:"[^"]*"|'[^']*')""", old.head)
            head += kept[0] if kept else b""
            return self._spelled(head, new, old.formula)
        return self._spelled(head, new, b"")

    def _spelled(self, head: bytes, new: NewCell, formula: bytes) -> bytes:
        name = self._prefix + b"c"
        inside = formula or (new.formula or "").encode()
        value = new.value.encode()
        if self._prefix:
            inside = inside if formula else self._prefixed(inside)
            value = self._prefixed(value)
        return b"<%s%s%s>%s%s</%s>" % (name, head, new.attributes.encode(), inside, value, name)

    def _prefixed(self, elements: bytes) -> bytes:
        """Elements that were written without a namespace prefix, with the part's own."""
        return re.sub(rb"<(/?)(?=[a-z])", rb"<\1" + self._prefix, elements)


class _Scan:
    """Handlers that note where things are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.rows: dict[int, RowBytes] = {}
        self.prefix = b""
        self.room: tuple[int, int, bool] | None = None
        self.dimension: tuple[int, int] | None = None
        self._at: Callable[[], int] = lambda: 0
        self._row: RowBytes | None = None
        self._row_number = -1
        self._col = -1
        self._cell: CellBytes | None = None
        self._formula_start = 0
        self._in_data = False
        self._columns: dict[str, int] = {}

    def take_parser(self, parser: expat.XMLParserType) -> None:
        """Get the parser that tells where it is."""
        self._at = lambda: parser.CurrentByteIndex

    def _tag(self) -> tuple[int, int, bool]:
        """Start and end of the opening tag here, and whether it closes itself."""
        start = self._at()
        match = _TAG.match(self._data, start)
        if match is None:
            raise UnreadablePart("a tag that is spelled in an unusual way")
        return start, match.end(), match[0].endswith(b"/>")

    def start(self, name: str, given: dict[str, str]) -> None:
        local = name.rpartition("}")[2]
        if local == "sheetData":
            start, end, is_empty = self._tag()
            self.prefix = self._data[start + 1 :].split(b"sheetData", 1)[0]
            self.room = (start, end, True) if is_empty else (end, end, False)
            self._in_data = True
        elif local == "dimension" and not self._in_data:
            self.dimension = self._tag()[:2]
        elif not self._in_data:
            return
        elif local == "row":
            start, end, is_empty = self._tag()
            self._row_number = int(given["r"]) - 1 if "r" in given else self._row_number + 1
            self._row = self.rows[self._row_number] = RowBytes(start, end, end, is_empty)
            self._col = -1
        elif local == "c" and self._row is not None:
            start, end, is_empty = self._tag()
            self._col += 1
            if "r" in given:
                self._col = cell_of_text(given["r"], self._columns)[1]
            head = self._data[start:end][1 + len(self.prefix) + 1 : -2 if is_empty else -1]
            self._cell = self._row.cells[self._col] = CellBytes(start, end, head)
        elif local == "f" and self._cell is not None:
            self._formula_start = self._at()
            if given.get("t") == "shared":
                self._cell.shared = given.get("si", "")
                self._cell.is_master = "ref" in given

    def end(self, name: str) -> None:
        local = name.rpartition("}")[2]
        if local == "sheetData" and self.room is not None:
            self._in_data = False
            if not self.room[2]:
                self.room = (self.room[0], self._at(), False)
        elif not self._in_data:
            return
        elif local == "row" and self._row is not None:
            if not self._row.is_empty_tag:
                self._row.end = self._close()
            self._row = None
        elif local == "c" and self._cell is not None:
            if not self._data[self._cell.start : self._cell.end].endswith(b"/>"):
                self._cell.end = self._close()
            self._cell = None
        elif local == "f" and self._cell is not None:
            match = _TAG.match(self._data, self._formula_start)
            if match is None:
                raise UnreadablePart("a tag that is spelled in an unusual way")
            end = match.end() if match[0].endswith(b"/>") else self._close()
            self._cell.formula = self._data[self._formula_start : end]

    def _close(self) -> int:
        """The end of the closing tag here."""
        return self._data.index(b">", self._at()) + 1


def _edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    pieces = []
    at = 0
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], edit[1])):
        pieces += [data[at:start], new]
        at = end
    pieces.append(data[at:])
    return b"".join(pieces)
