"""Cells that have no result of their own: held at the file's value, or on a circle.

Owns which formulas cannot be computed here, why, and until when their cells keep the values that
the file stored: as soon as something that such a formula reads is another, that value would be
wrong and the cell shows #UNSUPPORTED!. Owns the circles that the last calculation found, and
what both kinds of cells say of themselves. Used on the document's thread; `held` and `add` on
the engine's, too. No torch.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import ErrorCode, Kind, UserError
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.formula.compiler import Program
    from gradsheet.formula.results import Computed
    from gradsheet.learn.problem import Problem

Place: TypeAlias = tuple[int, Cell]
"""Sheet id and cell."""
Circle: TypeAlias = tuple[Place, ...]
"""Cells that each read the next one; the last is the first again."""
_Held: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.uint8]]

_MOST_NAMED = 8
"""Cells of a circle that are named; the middle of a longer one is left out."""


@dataclass(slots=True)
class _Record:
    """A formula that cannot be computed, and what the file says of it."""

    formula: Formula
    reason: str
    value: float
    kind: int
    reads: tuple[tuple[int, Region], ...]
    inputs: tuple[_Held, ...] = ()
    is_current: bool = True


@dataclass(frozen=True, slots=True)
class Examined:
    """What looking at changed inputs came to.

    Attributes
    ----------
    released : cells that no longer keep the file's value
    restored : cells whose inputs are again what they were, with value and kind of the file
    """

    released: tuple[Place, ...] = ()
    restored: tuple[tuple[Place, float, int], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.released or self.restored)


class Uncomputed:
    """The held cells and the circles of one workbook.

    Parameters
    ----------
    workbook : Workbook
        As it was read, its cells still holding the values that the file stored.
    held : mapping of (int, Cell) to Formula, optional
        Formulas that cannot be computed; None for a workbook that did not come from a file.
    """

    def __init__(self, workbook: Workbook, held: Mapping[Place, Formula] | None = None) -> None:
        self._workbook = workbook
        self._lock = threading.Lock()
        self._records: dict[Place, _Record] = {}
        self._is_settled = False
        self.is_from_file = held is not None
        self.circles: tuple[Circle, ...] = ()
        for place in held or {}:
            self.add(place)

    # ------------------------------------------------------------------ held cells

    def add(self, place: Place) -> bool:
        """Keep the value that the file stored in a cell; False if it stored none."""
        sheet, cell = place
        cells = self._workbook.sheet(sheet).cells
        formula, (value, kind) = cells.formula(cell), cells.get(cell)
        is_lost = kind == Kind.ERROR and value in (ErrorCode.UNSUPPORTED, ErrorCode.NAME)
        if formula is None or kind == Kind.BLANK or is_lost:
            return False
        from gradsheet.files.support import unsupported_reason

        reason = unsupported_reason(formula.expr) or "an argument of a function"
        reads = reads_of(self._workbook, sheet, cell, formula)
        with self._lock:
            self._records[place] = _Record(formula, reason, float(value), int(kind), reads)
        return True

    def held(self) -> dict[Place, Formula]:
        """The formulas whose cells keep the file's value now."""
        with self._lock:
            records = list(self._records.items())
        return {
            place: record.formula
            for place, record in records
            if record.is_current and self._stands(place, record)
        }

    def places(self) -> list[Place]:
        """Every cell that cannot be computed, whether or not it keeps the file's value."""
        records = list(self._records.items())
        return sorted(place for place, record in records if self._stands(place, record))

    def on(self, sheet: int) -> list[Cell]:
        """The cells of a sheet that keep the file's value now."""
        if not self._records:
            return []
        return [cell for home, cell in self.held() if home == sheet]

    def _stands(self, place: Place, record: _Record) -> bool:
        sheet, cell = place
        if sheet not in self._workbook.sheet_ids():
            return False
        return self._workbook.sheet(sheet).cells.formula(cell) is record.formula

    def examine(self, touched: Iterable[tuple[int, Region]]) -> Examined:
        """Look whether the inputs of held cells have changed, after cells have.

        The first look, after the first calculation, only notes what the inputs are.
        """
        if not self._records:
            return Examined()
        if not self._is_settled:
            self._settle()
            return Examined()
        places = tuple(touched)
        released, restored = [], []
        for place, record in list(self._records.items()):
            if not self._stands(place, record) or not _meet(record.reads, places):
                continue
            is_same = all(map(_is_same, record.inputs, self._inputs(record)))
            if is_same and not record.is_current:
                restored.append((place, record.value, record.kind))
            elif not is_same and record.is_current:
                released.append(place)
            record.is_current = is_same
        return Examined(tuple(released), tuple(restored))

    def moved(self) -> None:
        """Find the held cells again after lines or sheets were inserted, moved or deleted."""
        if not self._records:
            return
        before = {id(r.formula): r for r in self._records.values()}
        kept = {place: r for place, r in self._records.items() if self._stands(place, r)}
        from gradsheet.files.support import unsupported_cells

        self._records = kept
        for place in unsupported_cells(self._workbook):
            if place not in kept and self.add(place):
                known = before.get(id(self._records[place].formula))
                if known is not None:
                    record = self._records[place]
                    record.value, record.kind = known.value, known.kind
        for (sheet, cell), record in self._records.items():
            record.reads = reads_of(self._workbook, sheet, cell, record.formula)
        self._settle()

    def _settle(self) -> None:
        self._is_settled = True
        for record in list(self._records.values()):
            if record.is_current:
                record.inputs = self._inputs(record)

    def _inputs(self, record: _Record) -> tuple[_Held, ...]:
        return tuple(self._contents(sheet, region) for sheet, region in record.reads)

    def _contents(self, sheet: int, region: Region) -> _Held:
        """Where a region holds something, and what."""
        inner = None
        if sheet in self._workbook.sheet_ids():
            inner = region.intersect(self._workbook.used(sheet))
        if inner is None:
            return np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint8)
        values, kinds = self._workbook.read(sheet, inner)
        rows, cols = np.nonzero(kinds)
        where = (rows + inner.top) * (1 << 20) + cols + inner.left
        return where, values[rows, cols], kinds[rows, cols]

    def refuse(self, program: Program, problem: Problem) -> None:
        """Refuse a loss that depends on the changing cells through a held cell.

        Raises
        ------
        UserError
            If there is such a cell: its value would stay while what it reads changes.
        """
        held = self.held()
        if not held:
            return
        start: set[int] = set()
        for parameter in problem.parameters:
            start |= program.readers(parameter.sheet, parameter.region)
        changing = program.reach(start)
        sheet, cell = problem.loss
        loss = program.graph.owner(sheet, cell)
        for place in sorted(held):
            moves = any(
                program.graph.blocks_in(home, region) & changing
                or any(p.sheet == home and p.region.intersect(region) for p in problem.parameters)
                for home, region in self._records[place].reads
            )
            if moves and loss in program.reach(program.readers(place[0], Region.of(place[1]))):
                name = self._name(place, None)
                raise UserError(
                    f"{name} lies between the changing cells and the loss and cannot be "
                    f"computed here ({self._records[place].reason}).",
                    "Write it with other functions, or choose another loss.",
                )

    # ------------------------------------------------------------------ what is said

    def note(self, sheet: int, cell: Cell) -> str:
        """Why a cell has no result of its own, "" if it has one."""
        record = self._records.get((sheet, cell))
        if record is not None and self._stands((sheet, cell), record):
            if record.is_current:
                return f"not computed here ({record.reason}): the value that the file stored"
            return f"not computed here ({record.reason}), and what it reads has changed"
        if not self.circles or sheet not in self._workbook.sheet_ids():
            return ""
        value, kind = self._workbook.sheet(sheet).cells.get(cell)
        if kind != Kind.ERROR or value != ErrorCode.CIRC:
            return ""
        for circle in self.circles:
            if (sheet, cell) in circle:
                return f"circular reference: {self.path(circle, (sheet, cell))}"
        if len(self.circles) == 1:
            return f"reads a circular reference: {self.path(self.circles[0])}"
        return "reads a circular reference"

    def released_text(self, places: Sequence[Place]) -> str:
        """The sentence for cells that no longer keep the file's value."""
        named = ", ".join(self._name(place, None) for place in places[:3])
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        reason = self._records[places[0]].reason
        return f"{named}{more} cannot be computed here ({reason}), and what is read has changed."

    def path(self, circle: Circle, first: Place | None = None) -> str:
        """A circle in words: `A1 → B1 → A1`, each cell reading the next, from `first` on."""
        ring = list(circle[:-1])
        at = ring.index(first) if first in ring else ring.index(min(ring))
        ring = ring[at:] + ring[:at]
        home = ring[0][0] if len({sheet for sheet, _ in ring}) == 1 else None
        names = [self._name(place, home) for place in ring]
        if len(names) > _MOST_NAMED:
            half = _MOST_NAMED // 2
            names = [*names[:half], f"… ({len(names)} cells)", *names[-half + 1 :]]
        return " → ".join([*names, self._name(ring[0], home)])

    def _name(self, place: Place, home: int | None) -> str:
        sheet, cell = place
        return str(cell) if sheet == home else f"{self._workbook.sheet_name(sheet)}!{cell}"


def reads_of(
    workbook: Workbook, sheet: int, cell: Cell, formula: Formula
) -> tuple[tuple[int, Region], ...]:
    """The regions that the references of a formula name."""
    from gradsheet.formula.areas import Part, area_of
    from gradsheet.formula.graph import read_references, sheet_named
    from gradsheet.formula.resolve import resolved

    part = Part(sheet, cell.row, cell.col, 1, 1)
    found = []
    for node in read_references(resolved(formula.expr, sheet, cell, workbook, {})):
        named = sheet_named(node)
        home = sheet if named is None else workbook.sheet_id(named)
        area = None if home is None else area_of(node, home, part)
        if area is not None:
            found.append((area.sheet, area.hull(1, 1)))
    return tuple(dict.fromkeys(found))


def unsupported_origins(
    program: Program, workbook: Workbook, results: Sequence[Computed]
) -> list[Place]:
    """Formulas that turned out to be beyond what is implemented; not those that read them."""
    code, error = int(ErrorCode.UNSUPPORTED), int(Kind.ERROR)
    if not any(((r.kinds == error) & (r.values == code)).any() for r in results):
        return []
    shown = [
        (sheet.id, cell)
        for sheet in workbook.sheets
        for cell in sheet.cells.formulas()
        if program.block_at(sheet.id, cell) is not None
        and program.shows(sheet.id, cell) is ErrorCode.UNSUPPORTED
    ]
    known = set(shown)
    return [
        (sheet, cell)
        for sheet, cell in shown
        if not any(
            home == other and region.contains(place)
            for home, region in program.precedents(sheet, cell)
            for other, place in known
        )
    ]


def _meet(
    reads: Iterable[tuple[int, Region]], touched: Iterable[tuple[int, Region]]
) -> bool:
    return any(
        home == sheet and region.intersect(changed) is not None
        for home, region in reads
        for sheet, changed in touched
    )


def _is_same(before: _Held, now: _Held) -> bool:
    """Whether two contents are equal to what Excel shows, 1e-9 relative and 1e-12 absolute."""
    return (
        np.array_equal(before[0], now[0])
        and np.array_equal(before[2], now[2])
        and np.allclose(before[1], now[1], rtol=1e-9, atol=1e-12)
    )
