"""The one thread that compiles and recalculates, and the compiled program that lives on it.

Owns `Engine` (a queue of jobs, done in order) and `Calculation` (a workbook's program). Imports
torch only on its own thread, so that the window shows first. Knows no window.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from gradsheet.app.messages import doing
from gradsheet.app.uncomputed import Circle, Uncomputed, unsupported_origins
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Problem
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Change, Workbook

if TYPE_CHECKING:
    from gradsheet.formula.compiler import Program
    from gradsheet.formula.graph import Inputs
    from gradsheet.formula.objective import Objective
    from gradsheet.formula.results import Computed

T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    """Work on the engine's thread, and what to do with its result on the caller's."""

    future: Future[Any]
    then: Callable[[Any], None]
    failed: Callable[[BaseException], None]
    doing: str
    is_lasting: bool = False


class Engine:
    """Runs jobs one after another on a thread of its own; results come back in that order.

    All methods are called on one thread (the GUI's), and so is what is done with the results.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        self._jobs: deque[_Job] = deque()
        self.on_done: Callable[[], object] | None = None
        """Called on the engine's thread when a job has ended: its result can be taken."""

    def submit(
        self,
        job: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[BaseException], None],
        doing: str,
        *,
        is_lasting: bool = False,
    ) -> None:
        """Queue a job.

        Parameters
        ----------
        job : callable
            Called on the engine's thread.
        then, failed : callable
            Gets its result, or what it raised, in `settle`.
        doing : str
            What it does, as the end of "while ...".
        is_lasting : bool
            Whether it is done and told of even if another workbook is opened meanwhile.
        """
        future = self._executor.submit(job)
        self._jobs.append(_Job(future, then, failed, doing, is_lasting))
        future.add_done_callback(self._tell)

    def _tell(self, _: Future[Any]) -> None:
        on_done = self.on_done
        if on_done is not None:
            on_done()

    def settle(self, patience_s: float) -> None:
        """Take the results of finished jobs in order, waiting at most so long in all."""
        deadline = time.monotonic() + patience_s
        while self._jobs:
            first = self._jobs[0]
            if not first.future.done():
                wait([first.future], timeout=max(0.0, deadline - time.monotonic()))
                if not first.future.done():
                    return
            # What is done with a result may settle in turn, or drop all jobs.
            if self._jobs and self._jobs[0] is first:
                self._jobs.popleft()
                error = first.future.exception()
                with doing(first.doing):
                    if error is None:
                        first.then(first.future.result())
                    else:
                        first.failed(error)

    @property
    def doing(self) -> str:
        """What the oldest job in the queue does; "" if there is none."""
        return self._jobs[0].doing if self._jobs else ""

    def drop(self) -> None:
        """Forget the jobs whose results have not been taken; a lasting one is still done."""
        lasting = [job for job in self._jobs if job.is_lasting]
        for job in self._jobs:
            if not job.is_lasting:
                job.future.cancel()
        self._jobs = deque(lasting)

    def close(self) -> None:
        """Drop all jobs, and wait for the one that has begun and for those that last."""
        self.drop()
        self._executor.shutdown(wait=True)
        self.settle(0.0)


class Calculation:
    """The compiled program of one workbook. Used on the engine thread only.

    Parameters
    ----------
    workbook : Workbook
        Read, never written: results are returned and the document stores them.
    uncomputed : Uncomputed
        Says which cells keep the values that the file stored; told what is found out.
    """

    def __init__(self, workbook: Workbook, uncomputed: Uncomputed) -> None:
        self._workbook = workbook
        self._uncomputed = uncomputed
        self._is_examined = not uncomputed.is_from_file
        self._program: Program | None = None
        self._written: set[tuple[int, Region]] = set()
        self._lock = threading.Lock()

    def written(self, places: Iterable[tuple[int, Region]]) -> None:
        """Note that a run has put numbers into cells: the program has not seen them yet.

        Called on the document's thread; the next job reads them.
        """
        with self._lock:
            self._written.update(places)

    def _catch_up(self) -> None:
        """Let the program read what a run has written since the last job."""
        with self._lock:
            places, self._written = tuple(self._written), set()
        if places and self._program is not None:
            self._program.recalculate(places)

    def everything(self) -> Sequence[Computed]:
        """Compile the workbook and return the values of every formula."""
        from gradsheet.formula.compiler import compile_program

        self._program = compile_program(self._inputs())
        results = self._program.recalculate()
        if self._is_examined:
            return results
        self._is_examined = True
        found = unsupported_origins(self._program, self._workbook, results)
        if [place for place in found if self._uncomputed.add(place)]:
            self._program = compile_program(self._inputs())
            results = self._program.recalculate()
        return results

    @property
    def held(self) -> Mapping[tuple[int, Cell], Formula]:
        """The formulas whose stored values count now."""
        return self._uncomputed.held()

    def _inputs(self) -> Inputs:
        """Return the workbook, without the formulas whose stored values count."""
        held = self._uncomputed.held().keys()
        if not held:
            return self._workbook
        from gradsheet.files.held import HeldWorkbook

        return HeldWorkbook(self._workbook, held)

    def program(self) -> Program:
        """Return the compiled program; compile it if there is none yet."""
        if self._program is None:
            self.everything()
        assert self._program is not None
        return self._program

    def current(self) -> Program:
        """Return the compiled program with every number of the workbook in it."""
        program = self.program()
        self._catch_up()
        return program

    def follow(self, change: Change) -> Sequence[Computed]:
        """Return the values of the formulas that a change touches; recompile where it must."""
        if self._program is None or change.formulas or change.structure:
            return self.everything()
        self._catch_up()
        return self._program.recalculate(change.values)

    def circles(self) -> tuple[Circle, ...]:
        """Return the circles that were found, each cell reading the next."""
        found = self._program.circular if self._program is not None else ()
        return tuple(tuple(reversed(circle)) for circle in found)

    def spills(self) -> Mapping[tuple[int, Cell], Region]:
        """Return where dynamic formulas spill now, by sheet and anchor."""
        return self._program.spills if self._program is not None else {}

    def objective(self, problem: Problem) -> Objective:
        """Return the problem's loss as a function of its changing cells.

        Raises
        ------
        UserError
            If the loss cell does not depend on them, or holds no number.
        """
        if self._program is None:
            self.everything()
        self._catch_up()
        if self._program is None:
            raise UserError("The workbook has not been compiled.", "Open it again.")
        self._uncomputed.refuse(self._program, problem)
        return self._program.objective(
            problem.loss, [(p.sheet, p.region) for p in problem.parameters]
        )


def warm_up() -> None:
    """Import what training needs, so that the first step does not wait for it."""
    import gradsheet.formula.compiler
    import gradsheet.learn.trainer  # noqa: F401
