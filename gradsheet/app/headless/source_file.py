"""A file of cells read and computed without a window, for the headless commands.

Owns which endings are read and what counts at the value that the file stored: formulas that
cannot be computed here, for as long as what they read is what the file stored. Knows no printing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from gradsheet.app.headless.solving import store
from gradsheet.app.uncomputed import Uncomputed, unsupported_origins
from gradsheet.files.file_facts import FileFacts
from gradsheet.files.held import HeldWorkbook
from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.formula.compiler import Program
    from gradsheet.formula.results import Computed
    from gradsheet.learn.problem import Problem

READ = (".xlsx", ".xlsm", ".csv", ".gradsheet")
"""Endings of the files that can be read."""


@dataclass(slots=True)
class SourceFile:
    """What a file holds.

    Attributes
    ----------
    problem : of a session
    facts : what an .xlsx says beside its cells
    session_facts, arrays : of a session
    notes : what a new file would not have, in sentences
    uncomputed : the cells that cannot be computed, once `compute` has been called
    """

    workbook: Workbook
    problem: Problem | None = None
    facts: FileFacts = field(default_factory=FileFacts)
    session_facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    uncomputed: Uncomputed | None = None

    def compute(self, kept: Collection[tuple[int, Cell]] = ()) -> Program:
        """Compute every formula anew and store the values.

        Parameters
        ----------
        kept : cells whose stored values count, beside those that cannot be computed
        """
        from gradsheet.files.support import unsupported_cells
        from gradsheet.formula.compiler import compile_program

        found = unsupported_cells(self.workbook)
        formulas = {place: self.workbook.sheet(place[0]).cells.formula(place[1]) for place in found}
        held = {place: formula for place, formula in formulas.items() if formula is not None}
        uncomputed = self.uncomputed = Uncomputed(self.workbook, held)
        uncomputed.examine(())  # notes what the inputs are while they are the file's own

        def computed() -> tuple[Program, Sequence[Computed]]:
            program = compile_program(HeldWorkbook(self.workbook, {*uncomputed.held(), *kept}))
            return program, program.recalculate()

        program, results = computed()
        origins = unsupported_origins(program, self.workbook, results)
        if [place for place in origins if uncomputed.add(place)]:
            program, results = computed()  # an argument that is not implemented, say
        while True:
            store(self.workbook, results, program)
            touched = [(piece.sheet, piece.region) for piece in results]
            if not uncomputed.examine(touched).released:
                return program
            program, results = computed()


def read_source(path: Path) -> SourceFile:
    """Read a workbook, a session or a table of values.

    Raises
    ------
    UserError
        If the file cannot be read, or is of another kind.
    """
    ending = path.suffix.lower()
    if ending == ".csv":
        from gradsheet.files.csv_sheet import read_csv

        return SourceFile(read_csv(path))
    if ending == ".gradsheet":
        from gradsheet.files.session import load_session

        session = load_session(path)
        return SourceFile(
            session.workbook, session.problem, session_facts=session.facts, arrays=session.arrays
        )
    if ending not in READ:
        raise UserError(f"{path.name} is not of a kind that can be read.", f"Give {_kinds()}.")
    from gradsheet.files.xlsx_read import read_xlsx

    imported = read_xlsx(path)
    lost = [str(finding) for finding in imported.report.lost]
    return SourceFile(imported.workbook, facts=imported.facts, notes=lost)


def _kinds() -> str:
    return f"{', '.join(READ[:-1])} or {READ[-1]}"
