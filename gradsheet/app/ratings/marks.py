"""Where a rating set's model stood, so that one can go back there.

Owns the record `Mark`. Must not know how a model is learned: a mark holds the learner and what
the learner gave as its state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, SplitChoice
    from gradsheet.app.ratings.epoch_states import Line
    from gradsheet.app.ratings.learners import FastLearner, LessonLearner
    from gradsheet.collab.report import FitSnapshot
    from gradsheet.collab.splits import Split


@dataclass(slots=True, eq=False)
class Mark:
    """Where a session stood: enough to go back there, the model bit for bit.

    ``state`` is filled in by the task before it learns; None: nothing has changed since.
    """

    model_choice: ModelChoice
    learn_choice: LearnChoice
    split_choice: SplitChoice
    split: Split | None
    learner: LessonLearner | FastLearner | None
    snapshot: FitSnapshot | None
    state: dict[str, Any] | None = field(default=None)
    line: Line = ()
    """The epochs of the run that can be shown."""
