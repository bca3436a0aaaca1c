"""Where a run can be looked at: its record, where in it one stands, and its branches.

Owns what becomes of the future when something is changed in the past. Knows neither cells nor
the window; the record itself is `learn.trajectory`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradsheet.learn.trace import LossTrace
    from gradsheet.learn.trajectory import Recording, Replayable


@dataclass(frozen=True, slots=True)
class Branch:
    """A future that was left: another was taken from one of its steps.

    Attributes
    ----------
    name : str
    left_at : int
        The step from which the run went another way.
    trace : LossTrace
        Its whole loss, from the start.
    recording : Recording
        Its steps.
    """

    name: str
    left_at: int
    trace: LossTrace
    recording: Recording


@dataclass(slots=True)
class Timeline:
    """The record of the run that is on, and the branches left on the way.

    Attributes
    ----------
    recording : Recording or None
        None before the first step, and for runs that keep no record.
    branches : tuple of Branch
    is_replaying : bool
        Whether the run stands at a recorded step and nothing has been changed since.
    state : mapping or None
        The state at that step, to go on from.
    """

    recording: Recording | None = None
    branches: tuple[Branch, ...] = ()
    is_replaying: bool = False
    state: Any = field(default=None, repr=False)

    def copy(self) -> Timeline:
        """Return the same place in the same record."""
        return Timeline(self.recording, self.branches, self.is_replaying, self.state)

    @property
    def start(self) -> int:
        """The first step that can be shown."""
        return self.recording.start if self.recording is not None else 0

    def end(self, step: int) -> int:
        """Return the last step that can be shown, `step` where nothing is recorded."""
        return max(step, self.recording.end) if self.recording is not None else step

    def changed(self) -> None:
        """Note that something was changed by hand: from here the run goes its own way."""
        self.is_replaying = False
        self.state = None

    def forget(self) -> None:
        """Forget the record, as where the data changed; its steps could not be shown truly."""
        self.changed()
        self.recording = None

    def replayer(self, step: int) -> Replayable | None:
        """Return what made the recorded steps, where the run stands in them and nothing changed."""
        return self.recording.replayer(step) if self.recording and self.is_replaying else None

    def begin(self, trainer: Replayable, trace: LossTrace, *, goes_on: bool = False) -> None:
        """Record this trainer from where it stands.

        A future that would not come again by itself, because something was changed here or later
        in it, becomes a branch.

        Parameters
        ----------
        trainer : Replayable
        trace : LossTrace
            As it was before the trainer.
        goes_on : bool
            Whether the trainer goes on exactly as the record would.
        """
        from gradsheet.learn.trajectory import Recording

        record, step = self.recording, trainer.step
        if record is None or record.is_empty:
            record = Recording()
        elif record.end > step and (
            not self.is_replaying or record.rates_changed_after(step)
        ):
            name = f"Branch {len(self.branches) + 1}"
            self.branches += (Branch(name, step, trace.copy(), record),)
            record = record.fork(step)
        if self.state is not None:
            trainer.generator.set_state(self.state["generator"])
        record.begin(trainer, goes_on=goes_on)
        trainer.recording = record
        self.recording = record
        self.changed()

    def rename(self, branch: Branch, name: str) -> None:
        """Give a branch another name."""
        self.branches = tuple(
            Branch(name, b.left_at, b.trace, b.recording) if b is branch else b
            for b in self.branches
        )

    def delete(self, branch: Branch) -> None:
        """Forget a branch."""
        self.branches = tuple(b for b in self.branches if b is not branch)
