"""The values of a workbook follow its formulas: what is calculated when, and where it is stored.

Owns the order of jobs on the engine's thread, that none overwrites what is newer, and what is said
of circles and of cells that gradsheet cannot compute. The history does not see any of it. How a
formula is calculated is the engine's; edits are the document's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gradsheet.app.engine import Calculation, Engine
from gradsheet.app.listeners import Audience
from gradsheet.app.merged_results import merged
from gradsheet.app.messages import Message, message_of
from gradsheet.app.uncomputed import Circle, Uncomputed
from gradsheet.formula.address import Cell, Region
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.change import Places
from gradsheet.sheet.workbook import Change, Workbook

if TYPE_CHECKING:
    from gradsheet.formula.results import Computed

PATIENCE_S = 0.008
"""How long an edit waits for its recalculation before the window goes on without it."""


class Recalculation:
    """Keeps the values of one open workbook what its formulas say.

    Parameters
    ----------
    workbook : Workbook
    held : mapping of (int, Cell) to Formula, optional
        Formulas that cannot be computed here; their cells keep the file's values.
    engine : Engine
    audience : Audience
        Is told what has changed, and messages.
    done : callable
        Called after values have been stored.
    """

    def __init__(
        self,
        workbook: Workbook,
        held: Mapping[tuple[int, Cell], Formula] | None,
        engine: Engine,
        audience: Audience,
        done: Callable[[], None],
    ) -> None:
        self._workbook, self._engine = workbook, engine
        self._audience, self._done = audience, done
        self.uncomputed = Uncomputed(workbook, held)
        self.calculation = Calculation(workbook, self.uncomputed)
        self._revision = 0

    def close(self) -> None:
        """Another workbook is open: nothing that is on its way is stored."""
        self._revision += 1

    def everything(self) -> None:
        """Calculate all cells."""
        self._submit(self.calculation.everything)

    def follow(self, change: Change) -> None:
        """Show a change of the workbook, then calculate what depends on it."""
        if change.formulas or change.structure:
            self._revision += 1
        if change.structure:
            self.uncomputed.moved()
        self._audience.changed(change)
        self._submit(lambda: self.calculation.follow(change))
        self._examine(change.values)
        self._engine.settle(PATIENCE_S)

    def refresh_sheet(self, sheet: int, read: Sequence[tuple[int, Region]]) -> None:
        """Calculate one sheet from cells that a run has written, when the engine is free."""
        if self._engine.doing:
            return
        revision, change = self._revision, Change(values=tuple(read))

        def store(results: Sequence[Computed]) -> None:
            if revision == self._revision:
                self.write([result for result in results if result.sheet == sheet])

        self._engine.submit(
            lambda: self.calculation.follow(change), store, self._failed, "recalculating"
        )

    def write(self, results: Sequence[Computed], *, by_run: bool = False) -> None:
        """Store computed values and show them.

        Parameters
        ----------
        by_run : bool
            Whether a run made them, so that the engine has to read them before its next job.
        """
        touched: list[tuple[int, Region]] = []
        for result in results:
            cells = self._workbook.sheet(result.sheet).cells
            cells.write(result.region, result.values, result.kinds)
            touched.append((result.sheet, result.region))
        if by_run:
            self.calculation.written(touched)
        if touched:
            self._audience.changed(Change(values=tuple(touched)))
        self._examine(touched)

    def touched(self, places: Places) -> None:
        """Show that cells changed which no edit has changed: those of a table that is learned."""
        self.calculation.written(places)
        self._audience.changed(Change(values=places))

    # ------------------------------------------------------------------ one job

    def _submit(self, job: Callable[[], Sequence[Computed]]) -> None:
        revision = self._revision

        def work() -> tuple[Sequence[Computed], tuple[Circle, ...]]:
            return merged(job()), self.calculation.circles()

        def store(found: tuple[Sequence[Computed], tuple[Circle, ...]]) -> None:
            # A formula that was replaced while this was on its way must not be overwritten; the
            # newer job in the queue compiles and calculates everything anew.
            if revision == self._revision:
                known, self.uncomputed.circles = self.uncomputed.circles, found[1]
                self.write(found[0])
                self._note_spills()
                self._done()
                self._say_circles(known)

        self._engine.submit(work, store, self._failed, "recalculating")

    def _failed(self, error: BaseException) -> None:
        self._audience.say(message_of(error, "recalculating"))

    def _note_spills(self) -> None:
        """Let dynamic formulas know their areas, so that clearing one clears what it spilled."""
        for (sheet, anchor), region in self.calculation.spills().items():
            cells = self._workbook.sheet(sheet).cells
            formula = cells.formula(anchor)
            if formula is not None and formula.dynamic and formula.array != region:
                cells.set_formula(anchor, replace(formula, array=region))

    def _say_circles(self, known: tuple[Circle, ...]) -> None:
        """Say which circles have come; the cells say it of themselves, too."""
        old = {frozenset(circle) for circle in known}
        new = [c for c in self.uncomputed.circles if frozenset(c) not in old]
        if new:
            paths = [self.uncomputed.path(circle) for circle in new]
            more = f" There are {len(new) - 1} more." if len(new) > 1 else ""
            hint = "Each cell reads the next, so that none has a value: change one of the formulas."
            text = f"Circular reference: {paths[0]}.{more}"
            self._audience.say(Message("warning", text, hint, "\n".join(paths) if more else ""))

    def _examine(self, touched: Sequence[tuple[int, Region]]) -> None:
        """Take the file's values from cells whose inputs changed, or give them back."""
        found = self.uncomputed.examine(touched)
        if not found:
            return
        for (sheet, cell), value, kind in found.restored:
            self._workbook.sheet(sheet).cells.write(Region.of(cell), value, kind)
            self._audience.changed(Change(values=((sheet, Region.of(cell)),)))
        if found.released:
            text = self.uncomputed.released_text(found.released)
            hint = "Until then it showed the value that the file stored; Undo brings it back."
            self._audience.say(Message("warning", text, hint))
        self._revision += 1  # what is on its way was calculated with other held cells
        self.everything()
