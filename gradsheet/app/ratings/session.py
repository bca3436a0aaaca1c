"""A rating set that is being learned: its table, choices, marks to go back to, edits.

Owns every fact that the ratings window shows; the run itself is `learning`'s, the models that
were kept `kept`'s. Must not know cells or windows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gradsheet.app.ratings.choices import (
    LearnChoice,
    ModelChoice,
    SplitChoice,
    check_together,
    proposed,
)
from gradsheet.app.ratings.kept import KeptModels
from gradsheet.app.ratings.learned import Learned, Side
from gradsheet.app.ratings.learning import Learning
from gradsheet.app.ratings.marks import Mark
from gradsheet.app.ratings.past import Past
from gradsheet.app.ratings.splitting import split_of
from gradsheet.app.ratings.totals import Totals
from gradsheet.collab.splits import Split
from gradsheet.formula.values import UserError
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control

if TYPE_CHECKING:
    from gradsheet.app.ratings.learners import FastLearner, LessonLearner
    from gradsheet.app.ratings.origin import Origin

RUN = "Training run"


@dataclass(frozen=True, slots=True)
class Selection:
    """Users and items, by code, that are lit up everywhere."""

    users: tuple[int, ...] = ()
    items: tuple[int, ...] = ()


class RatingsSession(Learning):
    """One rating set and its model.

    Parameters
    ----------
    table : RatingTable
    source : str
        Where it came from, for titles.
    genres : sequence of str, optional
        Genres of each item, "Adventure|Comedy".
    model, learn, split : optional
        Choices; proposed by the size of the table if not given.
    totals : Totals, optional
        Of the table, where they have been counted.

    Attributes
    ----------
    kept : KeptModels
        For comparison.
    past : Past
        The epochs of the run that can be shown again.
    selection : Selection
    totals : Totals
        Counts and sums of ratings of users and items.
    origin : Origin or None
        The file that the ratings came from.
    edited : ndarray (n,) int64
        Rows, sorted, whose rating is another one than the file's.
    record : callable or None
        Told (label, mark) of what a whole undo step takes back; `Document` puts it into its
        history. Without one the session keeps its own marks.
    editor : callable or None
        Makes an edit of embeddings undoable; `Document` edits the cells of its sheets.
    """

    def __init__(
        self,
        table: RatingTable,
        source: str = "",
        genres: Sequence[str] | None = None,
        *,
        model: ModelChoice | None = None,
        learn: LearnChoice | None = None,
        split: SplitChoice | None = None,
        totals: Totals | None = None,
    ) -> None:
        super().__init__()
        if not len(table):
            raise UserError("There are no ratings to learn from.", "Open another file.")
        self.table, self.source, self.genres = table, source, genres
        if not table.ratings.flags.writeable:  # ratings can be edited
            self.table = table = dataclasses.replace(table, ratings=table.ratings.copy())
        self.totals = totals or Totals.of(table)
        low, high = float(table.ratings.min()), float(table.ratings.max())
        first_model, first_learn = proposed(low, high, len(table))
        self._model, self._learn = model or first_model, learn or first_learn
        self._split_choice = split or SplitChoice()
        self.kept = KeptModels(self)
        self.past = Past(self)
        self.selection = Selection()
        self.record: Callable[[str, Mark], None] | None = None
        self.editor: Callable[[Side, int, Mapping[int, float]], None] | None = None
        self.origin: Origin | None = None
        self.edited: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._begin_from: Learned | None = None
        self._marks: list[Mark] = []

    # ------------------------------------------------------------------ the table

    def counts(self, side: Side) -> npt.NDArray[np.int64]:
        """Return the number of ratings of each user or item."""
        return self.totals.user_counts if side == "users" else self.totals.item_counts

    def means(self, side: Side, rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return mean ratings of users or items; NaN where there is none."""
        return self.totals.means(side, rows)

    def stamp(self) -> tuple[object, ...]:
        """Return what tells one state from another, besides steps and edits."""
        learn = self.past.present_learn
        return (self._model, learn, self._split_choice, self.kept.revision, self.past.end)

    # ------------------------------------------------------------------ choices

    @property
    def model_choice(self) -> ModelChoice:
        """The model that is, or is to be, learned."""
        return self._model

    @property
    def learn_choice(self) -> LearnChoice:
        """How it is learned."""
        return self._learn

    @property
    def split_choice(self) -> SplitChoice:
        """Which ratings are kept back."""
        return self._split_choice

    def set_model(self, choice: ModelChoice) -> None:
        """Take another model; what was learned comes back with undo.

        Raises
        ------
        UserError
            If there is no such model; nothing has changed then.
        """
        choice.check()
        check_together(choice, self._learn)
        if choice != self._model:
            self._anew("Change the model", model=choice)

    def set_learn(self, choice: LearnChoice) -> None:
        """Learn in another way from the next step on; a run that is on goes on with it.

        From fast to lesson the factors found so far are where the mini-batches start if the
        model has no sigmoid; else, and from lesson to fast, it starts anew.

        Raises
        ------
        UserError
            If that is not possible; nothing has changed then.
        """
        choice.check()
        check_together(self._model, choice)
        if choice == self._learn:
            return
        new_learner = choice.mode != self._learn.mode or choice.device != self._learn.device
        if new_learner and self._learner is not None:
            self._anew("Change the way of learning", learn=choice)
            return
        resume = self.stop()
        self._learn = choice
        if self._learner is not None:
            self._learner.reconfigure(choice)
        self.tell("choice")
        if resume:
            self.start()

    def set_split(self, choice: SplitChoice) -> None:
        """Keep back other ratings; the model starts anew, for it may have seen them.

        Raises
        ------
        UserError
            If that is not possible; nothing has changed then.
        """
        choice.check()
        if choice.kind == "last" and self.table.timestamps is None:
            raise UserError(
                "These ratings have no times, so there are no last ratings.",
                "Choose a random share, or a file that has a column of times.",
            )
        if choice != self._split_choice:
            self._anew("Change the validation part", split=choice)

    def set_choices(self, model: ModelChoice, learn: LearnChoice) -> None:
        """Take a model and a way of learning that only go together; one undo takes both back.

        Raises
        ------
        UserError
            If that is not possible; nothing has changed then.
        """
        if model == self._model:
            self.set_learn(learn)
            return
        model.check()
        learn.check()
        check_together(model, learn)
        self._anew("Change the model", model=model, learn=learn)

    def _anew(
        self,
        label: str,
        model: ModelChoice | None = None,
        learn: LearnChoice | None = None,
        split: SplitChoice | None = None,
    ) -> None:
        """Put choices in place and drop the learner; what there was is one undo away."""
        self.stop()
        old = self._learner
        if old is not None:
            self.note_mark(label, self._end_mark())
        self._begin_from = None
        if model is None and old is not None and learn is not None and learn.mode == "lesson":
            from_fast = old.learn.mode == "fast" and self.steps_done
            self._begin_from = self.learned if from_fast else None
        self._model, self._learn = model or self._model, learn or self._learn
        if split is not None:
            self._split_choice, self.split = split, None
        self._forget()
        self.prepare()
        self.tell("choice")

    def _forget(self) -> None:
        self._learner = None
        self.past.begin_anew()
        self.snapshot, self.learned = None, None
        self.state, self.note = "idle", ""
        self.tell("state", "snapshot", "learned")

    # ------------------------------------------------------------------ the run

    def _make(self, control: Control) -> LessonLearner | FastLearner:
        from gradsheet.app.ratings.learners import make_learner

        if self.split is None:
            self.split = split_of(self.table, self._split_choice, control)
        control.checkpoint()
        begin, self._begin_from = self._begin_from, None
        plain = self._model.kind == "bias" and self._model.y_range is None
        factors = begin.factors if begin is not None and plain else None
        learner = make_learner(self._model, self._learn, self.split, self.genres, factors)
        self.device_text = learner.device_text
        learner.start = learner.state()
        self._learner = learner
        return learner

    def _begin_run(self) -> Mark:
        left = self.past.leave_future()
        mark = left or self.mark()
        shown = f" from epoch {len(self.epochs)}" if left else ""
        self.note_mark(f"{RUN}{shown}", mark)
        return mark

    def take_learn(self, learn: LearnChoice) -> None:
        """Have the choices that the epoch that is shown was learned with."""
        if learn != self._learn:
            self._learn = learn
            self.tell("choice")

    # ------------------------------------------------------------------ marks

    def close(self) -> None:
        """Stop for good."""
        self.record = None
        self.stop()
        self._listeners.clear()

    def reset(self) -> None:
        """Go back to the start of this model, bit for bit; undo brings the learned one back."""
        self.stop()
        if self._learner is not None and self.steps_done:
            start = self._learner.start
            self.note_mark("Reset", self._end_mark())
            self.restore(dataclasses.replace(self.mark(), state=start))

    @property
    def can_undo(self) -> bool:
        """Whether :meth:`undo` has something to go back to."""
        return bool(self._marks)

    def undo(self) -> bool:
        """Go back to before the last run or change of choices; False if there is nothing.

        A session in a document is undone through the document's history instead.
        """
        self.stop()
        if not self._marks:
            return False
        self.restore(self._marks.pop())
        return True

    def mark(self, with_state: bool = False) -> Mark:
        """Return where the session stands; without its state it holds once a task filled it."""
        choices = self._model, self._learn, self._split_choice
        mark = Mark(*choices, self.split, self._learner, self.snapshot, line=self.past.line)
        if with_state and self._learner is not None:
            mark.state = self._learner.state()
        return mark

    def _end_mark(self) -> Mark:
        """Return where the run ends, for what is done next to be taken back to."""
        return self.past.leave_future() or self.mark(with_state=True)

    def settle(self) -> None:
        """Go on from the epoch that is shown: something of it is about to be changed by hand."""
        left = self.past.leave_future()
        if left is not None:
            self.note_mark(f"Go back to epoch {len(self.epochs)}", left)

    def restore(self, mark: Mark) -> None:
        """Go back to a mark."""
        self.stop()
        self._model, self._learn = mark.model_choice, mark.learn_choice
        self._split_choice, self.split = mark.split_choice, mark.split
        if mark.learner is None:
            self._forget()
            self.prepare()
        else:
            self._learner = mark.learner
            self.past.begin_anew(mark.line)
            if mark.state is not None:
                mark.learner.recall(mark.state)
            self.stand(self.copy_of(mark.learner))
        self.tell("choice")

    def note_mark(self, label: str, mark: Mark) -> None:
        """Let undo go back to a mark."""
        if self.record is not None:
            self.record(label, mark)
        else:
            self._marks.append(mark)

    def go_back_to(self, mark: Mark, label: str) -> None:
        """Go back to a mark; undo brings the present model back."""
        self.stop()
        if self._learner is not None:
            self.note_mark(label, self._end_mark())
        self.restore(mark)

    def take_up(self, split: Split, learner: LessonLearner | FastLearner) -> None:
        """Go on with a learner that a file has kept, as it stands."""
        self.split, self._learner = split, learner
        self.stand(self.copy_of(learner))

    # ------------------------------------------------------------------ selection, edits

    def select(
        self, items: Iterable[int] | None = None, users: Iterable[int] | None = None
    ) -> None:
        """Light up items or users everywhere; None leaves that side as it is."""
        chosen = Selection(
            self.selection.users if users is None else tuple(int(u) for u in users),
            self.selection.items if items is None else tuple(int(i) for i in items),
        )
        if chosen != self.selection:
            self.selection = chosen
            self.tell("selection")
