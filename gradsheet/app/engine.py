"""The one thread that compiles and recalculates, and the compiled program that lives on it.

Owns `Engine` (a queue of jobs, done in order) and `Calculation` (a workbook's program). Imports
torch only on its own thread, so that the window shows first. Knows no window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Problem
from gradsheet.sheet.workbook import Change, Workbook

if TYPE_CHECKING:
    from gradsheet.formula.compiler import Program
    from gradsheet.formula.objective import Objective
    from gradsheet.formula.results import Computed

T = TypeVar("T")


class Engine:
    """Runs jobs one after another on a thread of its own."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Queue a job; its result is in the future."""
        return self._executor.submit(job)

    def close(self) -> None:
        """Drop the jobs that have not begun and wait for the one that has."""
        self._executor.shutdown(wait=True, cancel_futures=True)


class Calculation:
    """The compiled program of one workbook. Used on the engine thread only.

    Parameters
    ----------
    workbook : Workbook
        Read, never written: results are returned and the document stores them.
    """

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._program: Program | None = None

    def everything(self) -> Sequence[Computed]:
        """Compile the workbook and return the values of every formula."""
        from gradsheet.formula.compiler import compile_program

        self._program = compile_program(self._workbook)
        return self._program.recalculate()

    def follow(self, change: Change) -> Sequence[Computed]:
        """Return the values of the formulas that a change touches; recompile where it must."""
        if self._program is None or change.formulas or change.structure:
            return self.everything()
        return self._program.recalculate(change.values)

    def objective(self, problem: Problem) -> Objective:
        """Return the problem's loss as a function of its changing cells.

        Raises
        ------
        UserError
            If the loss cell does not depend on them, or holds no number.
        """
        if self._program is None:
            self.everything()
        if self._program is None:
            raise UserError("The workbook has not been compiled.", "Open it again.")
        return self._program.objective(
            problem.loss, [(p.sheet, p.region) for p in problem.parameters]
        )


def warm_up() -> None:
    """Import what training needs, so that the first step does not wait for it."""
    import gradsheet.formula.compiler
    import gradsheet.learn.trainer  # noqa: F401
