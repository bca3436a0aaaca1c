"""The formats of a sheet's cells gathered into few rectangles while the cells stream by.

Owns the merging of equal neighbours, first along a row, then down the rows. Knows no file.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Region

MOST_RULES = 6_000
"""Painting looks through all rules of a sheet."""

Rule = tuple[Region, int]


class FormatRuns:
    """Takes cells row by row and gives regions with format numbers.

    Parameters
    ----------
    columns : format number of a column where no cell says otherwise
    """

    def __init__(self, columns: Mapping[int, int]) -> None:
        self._columns = columns
        self._rows: list[Rule] = []
        self._done: list[Rule] = []
        self._open: dict[tuple[int, int, int], int] = {}
        self._row = -1
        self._row_format: int | None = None
        self._runs: list[tuple[int, int, int]] = []

    def begin_row(self, row: int, format_id: int | None) -> None:
        """Start a row; `format_id` is that of its cells that are not given, None without one."""
        self._end_row()
        if row != self._row + 1:
            self._close_all()
        self._row = row
        self._row_format = format_id
        if format_id is not None and (format_id or self._columns):
            self._rows.append((Region(row, 0, row + 1, MAX_COLS), format_id))

    def cell(self, col: int, format_id: int) -> None:
        """Take a cell of the row, from left to right."""
        beneath = self._row_format
        if beneath is None:
            beneath = self._columns.get(col, 0)
        if format_id == beneath:
            return
        runs = self._runs
        if runs:
            left, right, last = runs[-1]
            if right == col and last == format_id:
                runs[-1] = (left, col + 1, last)
                return
        runs.append((col, col + 1, format_id))

    def _end_row(self) -> None:
        runs, self._runs = self._runs, []
        if not runs and not self._open:
            return
        row = self._row
        kept = dict.fromkeys(runs, row)
        for run, top in self._open.items():
            if run in kept:
                kept[run] = top
            else:
                self._done.append((Region(top, run[0], row, run[1]), run[2]))
        self._open = kept

    def _close_all(self) -> None:
        end = self._row + 1
        for (left, right, format_id), top in self._open.items():
            self._done.append((Region(top, left, end, right), format_id))
        self._open = {}

    def rules(self) -> tuple[tuple[Rule, ...], int]:
        """All regions, columns before rows before cells, and how many were left out.

        Where there are more than `MOST_RULES` the smallest are left out.
        """
        self._end_row()
        self._close_all()
        columns = [
            (Region(0, left, MAX_ROWS, right), format_id)
            for left, right, format_id in _spans(self._columns)
        ]
        rows = _stacked(self._rows)
        cells = self._done
        room = max(0, MOST_RULES - len(columns) - len(rows))
        dropped = max(0, len(cells) - room)
        if dropped:
            smallest = sorted(range(len(cells)), key=lambda i: -cells[i][0].size)[:room]
            cells = [cells[i] for i in sorted(smallest)]
        return (*columns, *rows[:MOST_RULES], *cells), dropped


def _spans(columns: Mapping[int, int]) -> list[tuple[int, int, int]]:
    spans: list[tuple[int, int, int]] = []
    for col in sorted(columns):
        format_id = columns[col]
        if spans and spans[-1][1] == col and spans[-1][2] == format_id:
            spans[-1] = (spans[-1][0], col + 1, format_id)
        elif format_id:
            spans.append((col, col + 1, format_id))
    return spans


def _stacked(rows: list[Rule]) -> list[Rule]:
    stacked: list[Rule] = []
    for region, format_id in rows:
        if stacked and stacked[-1][1] == format_id and stacked[-1][0].bottom == region.top:
            stacked[-1] = (stacked[-1][0].union_hull(region), format_id)
        else:
            stacked.append((region, format_id))
    return stacked
