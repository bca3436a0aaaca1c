"""What a run has to do with the history: which entry began it, and where it stood beside each.

Owns the notes beside the entries, by their numbers. The run goes back and forth with undo and
redo; a look at another of its steps is an entry only where something is done from there. Makes no
step and finds none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gradsheet.app.run import Run, RunMark
from gradsheet.app.timeline import Branch, Timeline
from gradsheet.sheet.edits import Composite, Edit
from gradsheet.sheet.workbook import Change, Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.learn.hyper import Hyper

LOOKING = "Going through time"
"""Name of an entry of the history in which another recorded step was shown."""


class RunEntries:
    """The entries of the history that belong to one run.

    Parameters
    ----------
    document : Document
        Whose history and cells.
    run : Run
    values_of : callable (Workbook) -> Edit
        Returns the edit that puts a workbook's changing cells, as numbers, into the document's.
    """

    def __init__(
        self, document: Document, run: Run, values_of: Callable[[Workbook], Edit]
    ) -> None:
        self._document, self._run, self._values_of = document, run, values_of
        self.start_edit: Edit | None = None
        """Puts the changing cells back to what they were at step 0."""
        self._marks: dict[int, RunMark] = {}
        """Where the run stood before (after undo: after) a history entry, by its number."""
        self._rates: dict[int, Hyper] = {}
        """The rates before (after undo: after) an entry that lowered them."""
        self._timelines: dict[int, Timeline] = {}
        """The record before (after undo: after) an edit by hand, by its history entry."""
        self._branches: dict[int, tuple[str, tuple[Branch, ...]]] = {}
        """Name and branches before (after undo: after) a change of them, by history entry."""
        self._looked_from: tuple[Edit, RunMark] | None = None
        """Where the run stood before it was looked elsewhere, while something can be redone."""
        self._frozen: int | None = None
        """The entry that turned formulas in changing cells into numbers for a run to begin."""

    # ------------------------------------------------------------------ entries

    def begin(self, label: str = "Training run") -> None:
        """Begin the entry of this run, unless the last entry is this run already.

        What was undone cannot be done again once the cells are others, so that is a new entry, too.
        """
        document = self._document
        self.settle_looking()
        top = document.history.top
        has_begun = self._run.timeline.end(self._run.step) > 0
        is_this_run = top in self._marks and has_begun and not document.history.can_redo
        if top is not None and (is_this_run or top == self._frozen):
            return
        mark = self._run.mark()
        inverse, change = document.workbook.apply(self._values_of(document.workbook))
        if not has_begun:
            self.start_edit = inverse
        self._marks[document.history.push(label, inverse)] = mark
        if change.formulas:
            document.follow(change)

    def begin_frozen(self) -> None:
        """Begin it because formulas in changing cells become numbers; once."""
        self.begin()
        self._frozen = self._document.history.top

    def apply(self, label: str, edit: Edit) -> Change:
        """Make an entry of an edit whose undo also brings the run back to where it stands now."""
        self.settle_looking()
        mark = self._run.mark()
        inverse, change = self._document.workbook.apply(edit)
        self._marks[self._document.history.push(label, inverse)] = mark
        return change

    def push(self, label: str, inverse: Edit, mark: RunMark) -> int:
        """Make an entry of what has been done; its undo brings the run back to a mark, rates too.

        Returns
        -------
        int
            The number of the entry.
        """
        self.settle_looking()
        entry = self._document.history.push(label, inverse)
        self._marks[entry] = mark
        if mark.hyper is not None:
            self._rates[entry] = mark.hyper
        return entry

    def note(self, entry: int) -> None:
        """Undo of an entry that is made already brings the run back to where it stands now."""
        self._marks[entry] = self._run.mark()

    def note_timeline(self, entry: int) -> None:
        """Undo of an edit by hand brings the record back."""
        self._timelines[entry] = self._run.timeline.copy()

    def push_branches(self, label: str) -> None:
        """Make an entry of a change of branches that is about to be made."""
        self.settle_looking()
        line = self._run.timeline
        entry = self._document.history.push(label, Composite(()))
        self._branches[entry] = (line.name, line.branches)

    def has_rates(self, entry: int) -> bool:
        """Whether an entry brings other rates."""
        return entry in self._rates

    def travelled(self, entry: int, here: RunMark) -> None:
        """An entry was undone or redone: the run goes where it stood on its other side."""
        run = self._run
        mark = self._marks.get(entry)
        if mark is not None:
            self._marks[entry] = here
            run.restore(mark)
        rates = self._rates.get(entry)
        if rates is not None and here.hyper is not None:
            self._rates[entry] = here.hyper
            run.set_hyper(lambda _: rates)
        timeline = self._timelines.get(entry)
        if timeline is not None:
            self._timelines[entry] = here.timeline
            run.timeline = timeline.copy()
        branches = self._branches.get(entry)
        if branches is not None:
            line = run.timeline
            self._branches[entry] = (line.name, line.branches)
            line.name, line.branches = branches

    # ------------------------------------------------------------------ looks

    def look_away(self) -> None:
        """Note where the run stands before another of its steps is shown.

        That is a part of the run's entry, or one of its own after an edit. What was undone can
        still be redone after a look; undo and redo come back from it first.
        """
        document = self._document
        if not document.history.can_redo:
            self.begin(LOOKING)
        elif self._looked_from is None:
            self._looked_from = self._values_of(document.workbook), self._run.mark()

    def settle_looking(self) -> None:
        """Make an entry of having looked elsewhere: something is going to be done from here."""
        if self._looked_from is not None:
            (back, mark), self._looked_from = self._looked_from, None
            self._marks[self._document.history.push(LOOKING, back)] = mark

    def come_back(self) -> Change | None:
        """Go back to where the run stood before it was looked elsewhere, to undo or redo.

        Returns
        -------
        Change or None
            What has to be calculated anew.
        """
        if self._looked_from is None:
            return None
        (back, mark), self._looked_from = self._looked_from, None
        _, change = self._document.workbook.apply(back)
        self._run.restore(mark)
        return change
