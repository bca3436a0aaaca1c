"""The models of a rating set that were kept for comparison.

Owns the list: a model joins it, leaves it, or becomes again the one that is learned on. Must not
know how models are compared or shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from gradsheet.app.ratings.marks import Mark
from gradsheet.formula.values import UserError

if TYPE_CHECKING:
    from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, SplitChoice
    from gradsheet.app.ratings.learned import Learned
    from gradsheet.app.ratings.learners import FastLearner, LessonLearner
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.collab.report import EpochRow


@dataclass(frozen=True, slots=True, eq=False)
class KeptModel:
    """A trained model that was kept for comparison.

    Attributes
    ----------
    name : str
    model_choice, learn_choice
    epochs : tuple of EpochRow
    errors : (float, float) or None
        Validation RMSE and MAE, in stars; None without a validation part.
    learned : Learned
    mark : Mark
        To restore it.
    """

    name: str
    model_choice: ModelChoice
    learn_choice: LearnChoice
    epochs: tuple[EpochRow, ...]
    errors: tuple[float, float] | None
    learned: Learned
    mark: Mark

class KeptModels(Sequence[KeptModel]):
    """The models that one session has kept, in their order.

    Parameters
    ----------
    session : RatingsSession
    """

    def __init__(self, session: RatingsSession) -> None:
        self._session = session
        self._models: list[KeptModel] = []
        self.revision = 0
        """Grows with every change of the list."""

    @overload
    def __getitem__(self, index: int) -> KeptModel: ...

    @overload
    def __getitem__(self, index: slice) -> list[KeptModel]: ...

    def __getitem__(self, index: int | slice) -> KeptModel | list[KeptModel]:
        return self._models[index]

    def __len__(self) -> int:
        return len(self._models)

    def keep(self, name: str = "") -> KeptModel:
        """Keep what is learned now.

        Raises
        ------
        UserError
            If nothing has been learned yet.
        """
        session = self._session
        with session.at_rest():
            learned, epochs = session.learned, session.epochs
            if session.learner is None or learned is None or not session.steps_done:
                raise UserError("Nothing has been learned yet.", "Run first, then keep the model.")
            last = epochs[-1] if epochs else None
            errors = None
            if last is not None and last.valid_rmse is not None and last.valid_mae is not None:
                errors = (last.valid_rmse, last.valid_mae)
            kept = KeptModel(
                name or f"Model {len(self) + 1}",
                session.model_choice,
                session.learn_choice,
                tuple(epochs),
                errors,
                learned,
                session.mark(with_state=True),
            )
            self._models.append(kept)
            self._changed()
        return kept

    def take_up(
        self,
        name: str,
        learner: LessonLearner | FastLearner,
        split: SplitChoice,
        errors: tuple[float, float] | None,
    ) -> None:
        """Have a model that a file has kept."""
        snapshot = learner.snapshot()
        mark = Mark(
            learner.model, learner.learn, split, learner.split, learner, snapshot, learner.state()
        )
        learned, epochs = self._session.copy_of(learner), snapshot.epochs
        self._models.append(
            KeptModel(name, learner.model, learner.learn, epochs, errors, learned, mark)
        )

    def drop(self, index: int) -> None:
        """Forget one."""
        del self._models[index]
        self._changed()

    def _changed(self) -> None:
        self.revision += 1
        self._session.tell("kept")

    def go_back_to(self, index: int) -> None:
        """Make one the model that is shown and learned on; undo brings the present one back."""
        kept = self._models[index]
        self._session.go_back_to(kept.mark, f"Go back to {kept.name}")
