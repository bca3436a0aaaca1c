"""The epochs of a run of a rating set, shown again as they were.

Owns where in the run one stands: at its end, or at the end of an epoch that is kept. The learner
is loaded with that epoch's state in a task, so that all that shows it follows. What is done from
there takes the place of what came after, which undo brings back. Must not know windows.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradsheet.app.ratings.epoch_states import EpochState, EpochStates, Line
from gradsheet.app.ratings.marks import Mark
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.app.ratings.choices import LearnChoice
    from gradsheet.app.ratings.learned import Learned
    from gradsheet.app.ratings.learners import FastLearner, LessonLearner
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.collab.report import FitSnapshot


@dataclass(frozen=True, slots=True, eq=False)
class Present:
    """The end of a run, while one of its epochs is shown.

    Attributes
    ----------
    state : dict
        The learner's.
    snapshot : FitSnapshot
    learn : LearnChoice
    step : int
    """

    state: dict[str, Any]
    snapshot: FitSnapshot
    learn: LearnChoice
    step: int


class Past:
    """The epochs of one session.

    Parameters
    ----------
    session : RatingsSession
    """

    def __init__(self, session: RatingsSession) -> None:
        self._session = session
        self._states = EpochStates()
        self._ratings = 0
        self._present: Present | None = None
        self._shown: EpochState | None = None
        """The epoch that the learner stands at; None: the end."""
        self._task: Task[None, Learned] | None = None
        self._going: EpochState | None = None
        """Where the task goes."""
        self._wanted: tuple[EpochState | None] | None = None
        """Where to go after it."""

    # ------------------------------------------------------------------ where one can stand

    @property
    def ticks(self) -> tuple[int, ...]:
        """The steps that can be shown: of the epochs that are kept, and of the end."""
        end = self.end
        return (*(kept.step for kept in self._states.line if kept.step < end), end)

    @property
    def end(self) -> int:
        """Steps of the whole run."""
        return self._session.steps_done if self._present is None else self._present.step

    def step_after(self, epochs: int) -> int:
        """Return the step of the kept epoch nearest to so many; the end counts."""
        whole = self.whole
        count = 0 if whole is None else len(whole.epochs)
        known = [(kept.epochs, kept.step) for kept in self._states.line if kept.step < self.end]
        known.append((count, self.end))
        return min(known, key=lambda entry: (abs(entry[0] - epochs), -entry[0]))[1]

    @property
    def best(self) -> EpochState | None:
        """The epoch with the lowest validation error."""
        return self._states.best

    @property
    def is_shown(self) -> bool:
        """Whether an epoch of the past is shown, rather than the end."""
        return self._shown is not None

    @property
    def task(self) -> Task[None, Learned] | None:
        """What brings an epoch, while one is on its way."""
        return self._task

    @property
    def whole(self) -> FitSnapshot | None:
        """The run to its end, also while an epoch of it is shown."""
        return self._session.snapshot if self._present is None else self._present.snapshot

    # ------------------------------------------------------------------ going there

    def look(self, step: int) -> None:
        """Show the kept epoch nearest to a step, or the end; a run that is on pauses."""
        session = self._session
        if self._task is None:
            session.stop()
        if session.learner is None or len(self.ticks) < 2:
            return
        near = min(self.ticks, key=lambda tick: (abs(tick - step), -tick))
        kept = {kept.step: kept for kept in self._states.line if kept.step < self.end}.get(near)
        if self._task is not None:
            self._wanted = (kept,)
        elif kept is not self._shown:
            self._go(kept)

    def _go(self, kept: EpochState | None) -> None:
        session, present = self._session, self._present
        learner = session.learner
        state = present.state if kept is None and present else kept.state if kept else None
        if learner is None or state is None:
            return
        if present is None:
            assert session.snapshot is not None
            now = session.snapshot, session.learn_choice, session.steps_done
        is_old = kept is not None and kept.ratings != self._ratings

        def work(_: Control) -> Generator[None, None, Learned]:
            if present is None:
                self._present = Present(learner.remembered(), *now)
            learner.recall(state)
            if is_old:
                learner.ratings_changed()
            yield
            return session.copy_of(learner)

        self._going = kept
        self._task = Task("going to an epoch", work).start()
        session.tell("state")

    def poll(self) -> bool:
        """Bring in the epoch that was asked for; return whether there is anything new."""
        if self._task is None or not self._task.is_done:
            return False
        self._arrive()
        wanted, self._wanted = self._wanted, None
        if wanted is not None and wanted[0] is not self._shown:
            self._go(wanted[0])
        return True

    def finish(self) -> None:
        """Wait until one stands somewhere: something is about to be done from there."""
        self._wanted = None
        if self._task is not None:
            self._task.join()
            self._arrive()

    def _arrive(self) -> None:
        task, self._task = self._task, None
        assert task is not None
        self._shown = self._going
        whole = self.whole
        learned = task.result()
        if self._shown is None:
            self._present = None
        session, learner = self._session, self._session.learner
        assert learner is not None
        session.take_learn(learner.learn)
        session.stand(learned, whole if self._shown is None else None)

    # ------------------------------------------------------------------ what is done from there

    def come_back(self) -> bool:
        """Go to the end at once; return whether another epoch was shown."""
        self._session.stop()
        if self._shown is None:
            return False
        self._go(None)
        self.finish()
        return True

    def leave_future(self) -> Mark | None:
        """Make the epoch that is shown the end of the run; return where that was, if elsewhere."""
        self.finish()
        session, present, shown = self._session, self._present, self._shown
        if present is None or shown is None:
            return None
        choices = session.model_choice, present.learn, session.split_choice
        mark = Mark(*choices, session.split, session.learner, present.snapshot, present.state)
        mark.line = self._states.line
        self.cut(shown.step)
        self._present = self._shown = None
        return mark

    @property
    def line(self) -> Line:
        """The epochs of the run that is on, for a mark."""
        return self._states.line

    def begin_anew(self, line: Line = ()) -> None:
        """Another model is there, with epochs of its own."""
        self._present = self._shown = self._wanted = None
        self._states.take_line(line)

    def cut(self, step: int) -> None:
        """The run goes on from a step: epochs after it are another future's."""
        self._states.take_line(tuple(kept for kept in self._states.line if kept.step <= step))

    def ratings_changed(self) -> None:
        """Epochs that are kept have learned from other ratings."""
        self._ratings += 1

    @property
    def present_state(self) -> dict[str, Any] | None:
        """The learner's state at the end, while an epoch is shown; None else."""
        return None if self._present is None else self._present.state

    @property
    def present_learn(self) -> LearnChoice:
        """How the end of the run was, and is to be, learned."""
        return self._session.learn_choice if self._present is None else self._present.learn

    # ------------------------------------------------------------------ while it learns

    def note(self, learner: LessonLearner | FastLearner, snapshot: FitSnapshot) -> None:
        """Keep the state of an epoch that has just ended. Called in the task of the run."""
        line, count = self._states.line, len(snapshot.epochs)
        if not line and learner.start:
            start = {**learner.portable(learner.start), "learn": learner.start["learn"]}
            self._states.add(EpochState(0, 0, None, self._ratings, start))
        known = line[-1].epochs if line else 0
        if count <= known or not learner.is_between_epochs:
            return
        step, rmse = int(snapshot.steps[-1]), snapshot.epochs[-1].valid_rmse
        self._states.add(EpochState(count, step, rmse, self._ratings, learner.remembered()))
