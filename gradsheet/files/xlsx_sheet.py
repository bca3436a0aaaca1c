"""One worksheet part, read as a stream of XML.

Owns which elements of a worksheet mean what: cells, sizes, panes, colour scales, and what is
only counted for the report. Cells go to `CellCollector`, formats to `FormatRuns`.
"""

from __future__ import annotations

from collections.abc import Callable

from gradsheet.files.colours import colour
from gradsheet.files.file_facts import ColorScale, ColorStop, StopKind
from gradsheet.files.format_runs import FormatRuns
from gradsheet.files.report import Weight
from gradsheet.files.xlsx_cells import Book, CellCollector, cell_of_text, region_of_text
from gradsheet.files.xml_reading import (
    MAX_DEPTH,
    UnreadablePart,
    decimal,
    flag,
    whole,
)
from gradsheet.files.xml_writing import unescaped
from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell
from gradsheet.formula.values import UserError
from gradsheet.sheet.formats import FormatRules
from gradsheet.sheet.workbook import Sheet

MAX_TEXT = 1 << 20
"""Characters of one cell; Excel stops at 32,767."""
_NAMESPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_POINT = 96 / 72
_DIGIT = 7
"""Width in pixels of a digit in Excel's usual font."""
_COUNTED = {
    "mergeCell": "merged range",
    "hyperlink": "hyperlink",
    "dataValidation": "data validation",
    "control": "form control",
    "oleObject": "embedded object",
    "picture": "background picture",
    "sheetProtection": "sheet protection",
    "autoFilter": "filter",
    "scenario": "scenario",
}
_STOP_KINDS: dict[str, StopKind] = {
    "min": "min", "max": "max", "num": "num", "percent": "percent", "percentile": "percentile",
}  # fmt: skip
Attributes = dict[str, str]


class SheetReader:
    """Handlers of one worksheet part.

    Attributes
    ----------
    is_selected : whether its tab is the selected one
    color_scales : in the order of the file
    """

    def __init__(self, sheet: Sheet, book: Book, theme: tuple[str, ...]) -> None:
        self.is_selected = False
        self.color_scales: list[ColorScale] = []
        self._sheet, self._book, self._theme = sheet, book, theme
        self._cells = CellCollector(sheet, book)
        self._columns: dict[int, int] = {}
        self._runs: FormatRuns | None = None
        self._usual_width: int | None = None
        self._depth = 0
        self._row, self._col = -1, -1
        self._cell: Attributes | None = None
        self._in_data = False
        self._formula: Attributes | None = None
        self._formula_text = ""
        self._value: str | None = None
        self._collected: list[str] | None = None
        self._collected_size = 0
        self._phonetic = 0
        self._letters: dict[str, int] = {}
        self._scale: tuple[str, list[Attributes], list[Attributes]] | None = None
        self._starts: dict[str, Callable[[Attributes], None]] = {}
        self._ends: dict[str, Callable[[], None]] = {}
        for uri in _NAMESPACES:
            for name in dir(self):
                if name.startswith("_start_"):
                    self._starts[f"{uri}}}{name[7:]}"] = getattr(self, name)
                elif name.startswith("_end_"):
                    self._ends[f"{uri}}}{name[5:]}"] = getattr(self, name)
            for tag, what in _COUNTED.items():
                self._starts[f"{uri}}}{tag}"] = self._counter(what)

    # What expat calls.

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadablePart("elements nested deeper than any sheet has")
        handler = self._starts.get(name)
        if handler is not None:
            handler(attributes)
        elif name.endswith("}sparklineGroup"):
            self._note("sparkline group")

    def end(self, name: str) -> None:
        """An element ends."""
        self._depth -= 1
        handler = self._ends.get(name)
        if handler is not None:
            handler()

    def data(self, text: str) -> None:
        """Text inside of an element."""
        collected = self._collected
        if collected is not None and not self._phonetic:
            self._collected_size += len(text)
            if self._collected_size > MAX_TEXT:
                raise UnreadablePart("a cell with more than a million characters")
            collected.append(text)

    def finish(self) -> None:
        """Put formats and sizes into the sheet once all cells are there."""
        self._cells.finish()
        if self._runs is not None:
            rules, dropped = self._runs.rules()
            self._sheet.formats = FormatRules(self._sheet.formats.palette, rules)
            if dropped:
                self._note("range with a format of its own", dropped)
        if self._usual_width is not None:
            for col in range(min(self._sheet.cells.used().right, MAX_COLS)):
                self._sheet.column_widths.setdefault(col, self._usual_width)

    def _note(self, what: str, count: int = 1) -> None:
        self._book.findings.add(what, self._sheet.name, Weight.LOST, count=count)

    def _counter(self, what: str) -> Callable[[Attributes], None]:
        return lambda _: self._note(what)

    # Cells.

    def _start_sheetData(self, _: Attributes) -> None:
        self._in_data = True
        self._runs = FormatRuns(self._columns)

    def _end_sheetData(self) -> None:
        self._in_data = False

    def _start_row(self, given: Attributes) -> None:
        if not self._in_data or self._runs is None:
            return
        row = self._row + 1
        if "r" in given:
            row = whole(given, "r") - 1
        if not 0 <= row < MAX_ROWS:
            raise UserError(
                f"Sheet {self._sheet.name!r} has a row {given.get('r', row + 1)!s:.20}.",
                f"A sheet has {MAX_ROWS:,} rows.",
            )
        self._row, self._col = row, -1
        style = None
        if "s" in given and flag(given, "customFormat"):
            style = self._format_id(given["s"])
        self._runs.begin_row(row, style)
        is_hidden = flag(given, "hidden")
        if is_hidden or ("ht" in given and flag(given, "customHeight")):
            own = decimal(given, "ht") if flag(given, "customHeight") else 0.0
            height = max(0, min(1000, round(own * _POINT)))
            self._sheet.row_heights[row] = -height if is_hidden else height

    def _start_c(self, given: Attributes) -> None:
        if not self._in_data or self._runs is None:
            return
        address = given.get("r")
        if address is None:
            row, col = max(self._row, 0), self._col + 1
            if col >= MAX_COLS:
                raise UserError(f"Row {row + 1} of sheet {self._sheet.name!r} has too many cells.")
        else:
            row, col = cell_of_text(address, self._letters)
        self._row, self._col = row, col
        self._cell = given
        self._formula, self._value = None, None
        style = given.get("s")
        self._runs.cell(col, 0 if style is None else self._format_id(style))

    def _end_c(self) -> None:
        given = self._cell
        if given is None:
            return
        self._cell = None
        if self._value is not None:
            kind = given.get("t", "n")
            text = self._value
            if kind in ("str", "inlineStr"):
                self._cells.value(self._row, self._col, kind, unescaped(text))
            elif text or kind == "d":
                self._cells.value(self._row, self._col, kind, text)
        elif given.get("t") == "str" and self._formula is not None:
            self._cells.value(self._row, self._col, "str", "")
        if self._formula is not None:
            metadata = whole(given, "cm", 0)
            cell = Cell(self._row, self._col)
            text = unescaped(self._formula_text)
            self._cells.formula(cell, self._formula, text, metadata)

    def _start_f(self, given: Attributes) -> None:
        if self._cell is not None:
            self._formula = given
            self._collect()

    def _end_f(self) -> None:
        if self._cell is not None and self._formula is not None:
            self._formula_text = self._text()

    def _start_v(self, _: Attributes) -> None:
        if self._cell is not None:
            self._collect()

    def _end_v(self) -> None:
        if self._cell is not None:
            self._value = self._text()

    def _start_is(self, _: Attributes) -> None:
        if self._cell is not None:
            self._value = ""

    def _start_t(self, _: Attributes) -> None:
        if self._cell is not None:
            self._collect()

    def _end_t(self) -> None:
        if self._cell is not None and not self._phonetic:
            self._value = (self._value or "") + self._text()

    def _start_rPh(self, _: Attributes) -> None:
        self._phonetic += 1

    def _end_rPh(self) -> None:
        self._phonetic -= 1

    def _collect(self) -> None:
        self._collected, self._collected_size = [], 0

    def _text(self) -> str:
        collected, self._collected = self._collected, None
        return "" if not collected else collected[0] if len(collected) == 1 else "".join(collected)

    def _format_id(self, style: str) -> int:
        ids = self._book.format_ids
        try:
            number = int(style)
        except ValueError:
            return 0
        return ids[number] if 0 <= number < len(ids) else 0

    # The sheet around the cells.

    def _start_sheetView(self, given: Attributes) -> None:
        self.is_selected = flag(given, "tabSelected")

    def _start_pane(self, given: Attributes) -> None:
        if given.get("state") in ("frozen", "frozenSplit"):
            rows, cols = decimal(given, "ySplit"), decimal(given, "xSplit")
            if 0 <= rows < MAX_ROWS and 0 <= cols < MAX_COLS:
                self._sheet.frozen = Cell(int(rows), int(cols))

    def _start_sheetFormatPr(self, given: Attributes) -> None:
        if "defaultColWidth" in given:
            width = pixels_of_width(decimal(given, "defaultColWidth"))
            if 0 < width < 2000 and width != 64:
                self._usual_width = width

    def _start_col(self, given: Attributes) -> None:
        first, last = whole(given, "min") - 1, whole(given, "max")
        if not 0 <= first < last <= MAX_COLS:
            return
        style = self._format_id(given.get("style", "0"))
        if style:
            self._columns.update(dict.fromkeys(range(first, last), style))
        is_hidden = flag(given, "hidden")
        if is_hidden or ("width" in given and flag(given, "customWidth")):
            width = pixels_of_width(decimal(given, "width")) if "width" in given else 0
            # The far columns of a sheet that was widened as a whole hold nothing.
            if (is_hidden or width > 0) and width < 2000 and last - first < MAX_COLS // 2:
                size = -max(0, width) if is_hidden else width
                self._sheet.column_widths.update(dict.fromkeys(range(first, last), size))

    # Conditional formats: colour scales are read, all others counted.

    def _start_conditionalFormatting(self, given: Attributes) -> None:
        self._scale = (given.get("sqref", ""), [], [])

    def _end_conditionalFormatting(self) -> None:
        self._scale = None

    def _start_cfRule(self, given: Attributes) -> None:
        if given.get("type") != "colorScale":
            self._note(f"conditional format ({given.get('type', 'unknown')[:40]})")

    def _start_colorScale(self, _: Attributes) -> None:
        if self._scale is not None:
            self._scale = (self._scale[0], [], [])

    def _start_cfvo(self, given: Attributes) -> None:
        if self._scale is not None:
            self._scale[1].append(given)

    def _start_color(self, given: Attributes) -> None:
        if self._scale is not None:
            self._scale[2].append(given)

    def _end_colorScale(self) -> None:
        if self._scale is None:
            return
        where, limits, colors = self._scale
        regions = tuple(r for part in where.split() if (r := region_of_text(part)) is not None)
        stops = tuple(
            stop for pair in zip(limits, colors, strict=False)
            if (stop := self._stop(*pair)) is not None
        )  # fmt: skip
        if regions and len(stops) == len(limits) == len(colors) and 2 <= len(stops) <= 3:
            self.color_scales.append(ColorScale(regions, stops))
        else:
            self._note("conditional format (colorScale)")

    def _stop(self, limit: Attributes, shade: Attributes) -> ColorStop | None:
        kind = _STOP_KINDS.get(limit.get("type", ""))
        shown = colour(shade, self._theme)
        if kind is None or not shown:
            return None
        if kind in ("min", "max"):
            return ColorStop(kind, shown)
        try:
            value = float(limit.get("val", ""))
        except ValueError:
            return None  # a formula
        return ColorStop(kind, shown, value)


def pixels_of_width(width: float) -> int:
    """A column's width in characters as pixels (ECMA-376 part 1, 18.3.1.13)."""
    return int((256 * width + 128 // _DIGIT) / 256 * _DIGIT) if abs(width) < 1e6 else 0


def width_of_pixels(pixels: int) -> float:
    """The inverse of `pixels_of_width`."""
    return int(pixels / _DIGIT * 256) / 256
