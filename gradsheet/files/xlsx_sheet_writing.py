"""The XML of one worksheet.

Owns the order of its elements and the spelling of cells. Strings and styles go to the tables of
the whole workbook; knows no package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gradsheet.files.file_facts import ColorScale
from gradsheet.files.report import Findings, Weight
from gradsheet.files.role_fills import with_role_fills
from gradsheet.files.xlsx_sheet import width_of_pixels
from gradsheet.files.xlsx_spelling import MAX_CHARS, Spelling
from gradsheet.files.xlsx_styles import StyleTable
from gradsheet.files.xml_writing import DECLARATION, MAIN, RELATIONSHIPS, space, text_xml
from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region, column_name
from gradsheet.formula.values import ErrorCode, Kind
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.formats import FormatRules
from gradsheet.sheet.workbook import Sheet, Workbook

MAX_TEXT = 32_767
"""Characters of one cell in Excel."""
_BAND = 1024
_MOST_STYLED = 4_000_000
_USUAL_WIDTH = 64
# What Excel's files store for errors that they know under no name of their own.
_STORED_ERRORS = {ErrorCode.SPILL: "#VALUE!", ErrorCode.CALC: "#VALUE!"}


@dataclass(slots=True)
class Tables:
    """What the sheets of a workbook share while it is written.

    Attributes
    ----------
    texts : index of every shared string
    has_dynamic : whether a dynamic array formula was written
    must_recalculate : whether some formula was written without its value
    """

    workbook: Workbook
    styles: StyleTable = field(default_factory=StyleTable)
    texts: dict[str, int] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    has_dynamic: bool = False
    must_recalculate: bool = False


class SheetWriter:
    """Makes the XML of one sheet.

    Parameters
    ----------
    is_first : whether its tab is the selected one
    links : relationship ids: "comments" for the drawing of its notes, "tables" for each table
    """

    def __init__(
        self,
        sheet: Sheet,
        tables: Tables,
        scales: tuple[ColorScale, ...],
        links: Mapping[str, tuple[str, ...]],
        is_first: bool,
    ) -> None:
        self._sheet, self._tables = sheet, tables
        self._scales, self._links, self._is_first = scales, links, is_first
        self._spelling = Spelling(tables.workbook, sheet)
        self._formats: FormatRules = with_role_fills(sheet)
        self._xf: dict[int, int] = {}
        self._formula_text: dict[int, str] = {}

    def pieces(self) -> Iterator[str]:
        """The part, piece by piece."""
        yield f'{DECLARATION}<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONSHIPS}">'
        extent = self._extent()
        used = self._sheet.cells.used()
        yield f'<dimension ref="{used if not used.is_empty else "A1"}"/>'
        yield self._views()
        yield '<sheetFormatPr defaultRowHeight="15"/>'
        base = self._column_formats()
        yield self._columns(base)
        yield "<sheetData>"
        yield from self._rows(extent, base)
        yield "</sheetData>"
        for priority, scale in enumerate(self._scales, 1):
            yield _scale_xml(scale, priority)
        yield _MARGINS
        for drawing in self._links.get("comments", ()):
            yield f'<legacyDrawing r:id="{drawing}"/>'
        parts = self._links.get("tables", ())
        if parts:
            inside = "".join(f'<tablePart r:id="{part}"/>' for part in parts)
            yield f'<tableParts count="{len(parts)}">{inside}</tableParts>'
        yield "</worksheet>"
        if self._spelling.lost_links:
            self._tables.findings.add("link to another file", self._sheet.name,
                                      count=self._spelling.lost_links)  # fmt: skip

    def _views(self) -> str:
        selected = ' tabSelected="1"' if self._is_first else ""
        rows, cols = self._sheet.frozen
        if not rows and not cols:
            return f'<sheetViews><sheetView{selected} workbookViewId="0"/></sheetViews>'
        name = "bottomRight" if rows and cols else "bottomLeft" if rows else "topRight"
        split = f'{f" xSplit={chr(34)}{cols}{chr(34)}" if cols else ""}' + (
            f' ySplit="{rows}"' if rows else ""
        )
        return (
            f'<sheetViews><sheetView{selected} workbookViewId="0"><pane{split} '
            f'topLeftCell="{Cell(rows, cols)}" activePane="{name}" state="frozen"/>'
            f'<selection pane="{name}"/></sheetView></sheetViews>'
        )

    # Formats.

    def _extent(self) -> Region:
        """The cells that may need an element: those in use, and those with a look of their own."""
        used = self._sheet.cells.used()
        hull = used
        for region, _ in self._formats.rules:
            if region.bottom < MAX_ROWS:
                right = region.right if region.right < MAX_COLS else region.left + 1
                hull = hull.union_hull(Region(region.top, region.left, region.bottom, right))
        for row in self._sheet.row_heights:
            hull = hull.union_hull(Region.of((row, 0)))
        if hull.size > max(_MOST_STYLED, 2 * used.size):
            self._tables.findings.add("formats far from any value", self._sheet.name)
            hull = used
        inside = hull.intersect(Region(0, 0, MAX_ROWS, MAX_COLS))
        return Region(0, 0, 0, 0) if inside is None else Region(0, 0, inside.bottom, inside.right)

    def _column_formats(self) -> npt.NDArray[np.int16]:
        return self._formats.plane(Region(MAX_ROWS - 1, 0, MAX_ROWS, MAX_COLS)).reshape(-1)

    def _style(self, format_id: int) -> int:
        known = self._xf.get(format_id)
        if known is None:
            look = self._formats.palette.format(format_id)
            known = self._xf[format_id] = self._tables.styles.index(look)
        return known

    def _columns(self, base: npt.NDArray[np.int16]) -> str:
        widths = self._sheet.column_widths
        runs: list[tuple[int, int, int | None, int]] = []
        for col in sorted({*widths, *np.flatnonzero(base).tolist()}):
            if not 0 <= col < MAX_COLS:
                continue
            entry = (widths.get(col), int(base[col]))
            if runs and runs[-1][1] == col and runs[-1][2:] == entry:
                runs[-1] = (runs[-1][0], col + 1, *entry)
            else:
                runs.append((col, col + 1, *entry))
        if not runs:
            return ""
        inside = "".join(
            f'<col min="{first + 1}" max="{end}"{_width(width)}'
            f'{f" style={chr(34)}{self._style(look)}{chr(34)}" if look else ""}/>'
            for first, end, width, look in runs
        )
        return f"<cols>{inside}</cols>"

    # Cells.

    def _rows(self, extent: Region, base: npt.NDArray[np.int16]) -> Iterator[str]:
        heights = self._sheet.row_heights
        corner = int(base[MAX_COLS - 1])
        for top in range(0, extent.bottom, _BAND):
            bottom = min(top + _BAND, extent.bottom)
            band = Region(top, 0, bottom, extent.right)
            values, kinds = self._sheet.cells.read(band)
            looks = self._formats.plane(band)
            far = self._formats.plane(Region(top, MAX_COLS - 1, bottom, MAX_COLS))[:, 0]
            formulas: dict[int, dict[int, Formula]] = {}
            for cell, formula in self._sheet.cells.formulas_in(band).items():
                formulas.setdefault(cell.row, {})[cell.col] = formula
            for row in range(top, bottom):
                at = row - top
                own = int(far[at]) if int(far[at]) != corner else None
                beneath = base[: extent.right] if own is None else np.int16(own)
                shown = (kinds[at] != Kind.BLANK) | (looks[at] != beneath)
                mine = formulas.get(row, {})
                if mine:
                    shown[list(mine)] = True
                cols = np.flatnonzero(shown).tolist()
                if not cols and own is None and row not in heights:
                    continue
                yield self._row(row, cols, values[at], kinds[at], looks[at], mine, own)

    def _row(
        self,
        row: int,
        cols: list[int],
        values: npt.NDArray[np.float64],
        kinds: npt.NDArray[np.uint8],
        looks: npt.NDArray[np.int16],
        formulas: Mapping[int, Formula],
        own: int | None,
    ) -> str:
        attributes = f' r="{row + 1}"'
        if own is not None:
            attributes += f' s="{self._style(own)}" customFormat="1"'
        height = self._sheet.row_heights.get(row)
        if height is not None:
            attributes += f' ht="{abs(height) * 0.75!r}" customHeight="1"' if height else ""
            attributes += _HIDDEN if height <= 0 else ""
        cells = [
            self._cell(row, col, value, kind, look, formulas.get(col))
            for col, value, kind, look in zip(
                cols, values[cols].tolist(), kinds[cols].tolist(), looks[cols].tolist(),
                strict=True,
            )
        ]
        return f"<row{attributes}>{''.join(cells)}</row>"

    def _cell(
        self, row: int, col: int, value: float, kind: int, look: int, formula: Formula | None
    ) -> str:
        head = f'<c r="{column_name(col)}{row + 1}"'
        style = self._style(look) if look else 0
        if style:
            head += f' s="{style}"'
        element = ""
        if formula is not None:
            head, element = self._formula(head, Cell(row, col), formula)
        if kind == Kind.BLANK:
            self._tables.must_recalculate |= formula is not None
            return f"{head}>{element}</c>" if element else f"{head}/>"
        if kind == Kind.NUMBER:
            return f"{head}>{element}<v>{number_xml(value)}</v></c>"
        if kind == Kind.BOOLEAN:
            return f'{head} t="b">{element}<v>{int(value)}</v></c>'
        if kind == Kind.ERROR:
            return self._error(head, element, ErrorCode(int(value)))
        text = self._tables.workbook.strings.text(int(value))
        if len(text) > MAX_TEXT:
            self._tables.findings.add("text that was cut to what Excel can hold",
                                      f"{self._sheet.name}!{Cell(row, col)}")  # fmt: skip
            text = text[:MAX_TEXT]
        if formula is not None:
            return f'{head} t="str">{element}<v>{text_xml(text)}</v></c>'
        index = self._tables.texts.setdefault(text, len(self._tables.texts))
        return f'{head} t="s"><v>{index}</v></c>'

    def _error(self, head: str, element: str, code: ErrorCode) -> str:
        if code >= ErrorCode.CIRC and element:
            # Excel will say what it is.
            self._tables.must_recalculate = True
            return f"{head}>{element}</c>"
        text = _STORED_ERRORS.get(code, code.text if code < ErrorCode.CIRC else "#VALUE!")
        return f'{head} t="e">{element}<v>{text}</v></c>'

    def _formula(self, head: str, cell: Cell, formula: Formula) -> tuple[str, str]:
        text = self._spelling.text(formula.expr, cell)
        if len(text) > MAX_CHARS:
            self._tables.findings.add("formula longer than Excel can hold",
                                      f"{self._sheet.name}!{cell}", Weight.LOST,
                                      "its value was written")  # fmt: skip
            return head, ""
        text = text_xml(text)
        if formula.array is None and not formula.dynamic:
            return head, f"<f{space(text)}>{text}</f>"
        region = formula.array or Region.of(cell)
        if formula.dynamic:
            self._tables.has_dynamic = True
            self._tables.must_recalculate |= formula.array is None
            head += ' cm="1"'
        return head, f'<f t="array" ref="{region}">{text}</f>'


def _width(width: int | None) -> str:
    """The width of a column as attributes; what is not above 0 is hidden."""
    hidden = _HIDDEN if width is not None and width <= 0 else ""
    if width == 0:
        return hidden
    own = "" if width is None else _CUSTOM_WIDTH
    return f' width="{width_of_pixels(abs(width or _USUAL_WIDTH))!r}"{own}{hidden}'


_CUSTOM_WIDTH = ' customWidth="1"'
_HIDDEN = ' hidden="1"'
_MARGINS = (
    '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
)


def number_xml(value: float) -> str:
    """The shortest spelling that reads back as the same double."""
    text = repr(value)
    return text[:-2] if text.endswith(".0") and text != "-0.0" else text


def _scale_xml(scale: ColorScale, priority: int) -> str:
    where = " ".join(str(region) for region in scale.regions)
    limits = "".join(
        f'<cfvo type="{stop.kind}"'
        + ("/>" if stop.value is None else f' val="{number_xml(stop.value)}"/>')
        for stop in scale.stops
    )
    colors = "".join(f'<color rgb="FF{stop.color[1:]}"/>' for stop in scale.stops)
    return (
        f'<conditionalFormatting sqref="{where}"><cfRule type="colorScale" '
        f'priority="{priority}"><colorScale>{limits}{colors}</colorScale></cfRule>'
        f"</conditionalFormatting>"
    )
