"""Where a run can be looked at: its record, where in it one stands, and its branches.

Owns what becomes of the future when something is changed in the past, and what is worth a mark
on the line of time. Knows neither cells nor the window; the record itself is `learn.trajectory`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from gradsheet.learn.trace import LossTrace
    from gradsheet.learn.trajectory import Recording, Replayable, Turn

MarkKind = Literal["branch", "change", "best", "failure"]
_SETTINGS = {
    "lr": "learning rate", "weight_decay": "weight decay", "momentum": "momentum",
    "beta1": "β₁", "beta2": "β₂",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """A step of a run that is worth finding again.

    Attributes
    ----------
    step : int
    kind : {"branch", "change", "best", "failure"}
    text : str
        What was there.
    """

    step: int
    kind: MarkKind
    text: str


@dataclass(frozen=True, slots=True, eq=False)
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
    is_shown : bool
        Whether its curves are drawn.
    is_open : bool
        Whether one can go on from it; not where the data have changed since.
    path : ndarray (n, 2) float64 or None
        Where it went in the plane, for a run in two parameters.
    """

    name: str
    left_at: int
    trace: LossTrace
    recording: Recording
    is_shown: bool = True
    is_open: bool = True
    path: npt.NDArray[np.float64] | None = None


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
    name : str
        Of the future that is on; empty until somebody names it.
    failed_at : int or None
        The last step before one that could not be made.
    """

    recording: Recording | None = None
    branches: tuple[Branch, ...] = ()
    is_replaying: bool = False
    state: Any = field(default=None, repr=False)
    name: str = ""
    failed_at: int | None = None

    def copy(self) -> Timeline:
        """Return the same place in a copy of the record, which no run goes on with."""
        record = self.recording
        return replace(self, recording=record.copy() if record is not None else None)

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
        """Forget the record, as where the data changed; its steps could not be shown truly.

        Branches stay to be compared with.
        """
        self.changed()
        self.recording, self.failed_at = None, None
        self.branches = tuple(replace(branch, is_open=False) for branch in self.branches)

    def replayer(self, step: int) -> Replayable | None:
        """Return what made the recorded steps, where the run stands in them and nothing changed."""
        return self.recording.replayer(step) if self.recording and self.is_replaying else None

    def begin(
        self,
        trainer: Replayable,
        trace: LossTrace,
        *,
        goes_on: bool = False,
        path: npt.NDArray[np.float64] | None = None,
    ) -> None:
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
        path : ndarray (n, 2) float64, optional
            Where the run has been in the plane.
        """
        from gradsheet.learn.trajectory import Recording

        record, step = self.recording, trainer.step
        if record is None or record.is_empty:
            record = Recording()
        elif record.end > step and (
            not self.is_replaying or record.rates_changed_after(step)
        ):
            name = self.name or self._free_name()
            self.branches += (Branch(name, step, trace.copy(), record, path=path),)
            record, self.name = record.fork(step), ""
        if self.failed_at is not None and step <= self.failed_at:
            self.failed_at = None
        if self.state is not None:
            trainer.generator.set_state(self.state["generator"])
        record.begin(trainer, goes_on=goes_on)
        trainer.recording = record
        self.recording = record
        self.changed()

    # ------------------------------------------------------------------ branches

    def _free_name(self) -> str:
        taken = {branch.name for branch in self.branches}
        return next(f"Branch {n}" for n in count(1) if f"Branch {n}" not in taken)

    def rename(self, branch: Branch | None, name: str) -> None:
        """Give a branch another name; None: the future that is on."""
        if branch is None:
            self.name = name
        else:
            self._put(branch, replace(branch, name=name))

    def show_branch(self, branch: Branch, shown: bool) -> None:
        """Draw the curves of a branch, or no more."""
        self._put(branch, replace(branch, is_shown=shown))

    def _put(self, old: Branch, new: Branch) -> None:
        self.branches = tuple(new if b is old else b for b in self.branches)

    def delete(self, branch: Branch) -> None:
        """Forget a branch."""
        self.branches = tuple(b for b in self.branches if b is not branch)

    def take_up(
        self, branch: Branch, trace: LossTrace, path: npt.NDArray[np.float64] | None = None
    ) -> Recording:
        """Make a branch the future that is on; what was becomes a branch.

        Parameters
        ----------
        branch : Branch
        trace, path
            Of the future that is left.

        Returns
        -------
        Recording
            Its record; the run has to go to a step of it.
        """
        parted, left = branch.left_at, self.recording
        others = [replace(b, left_at=min(b.left_at, parted)) if b is not branch else None
                  for b in self.branches]  # fmt: skip
        if left is not None and not left.is_empty:
            name = self.name or self._free_name()
            mine = Branch(name, parted, trace.copy(), left, path=path)
            others = [mine if b is None else b for b in others]
        self.branches = tuple(b for b in others if b is not None)
        # A copy: the branch may come back by an undo, and is to be what it was then.
        record = self.recording = branch.recording.copy()
        self.name, self.failed_at = branch.name, None
        self.changed()
        return record

    # ------------------------------------------------------------------ marks

    def marks(self, best: int | None) -> tuple[Mark, ...]:
        """Return what is worth a mark on the line of time, by step.

        Parameters
        ----------
        best : int or None
            The step of the best loss.
        """
        record = self.recording
        if record is None or record.is_empty:
            return ()
        found = [Mark(turn.step, "change", _words(turn)) for turn in record.turns()]
        for branch in self.branches:
            if record.start <= branch.left_at <= record.end:
                text = f"{branch.name} was left at step {branch.left_at:,}"
                found.append(Mark(branch.left_at, "branch", text))
        if self.failed_at is not None and record.start <= self.failed_at <= record.end:
            text = f"Diverged after step {self.failed_at:,}"
            found.append(Mark(self.failed_at, "failure", text))
        if best is not None:
            found.append(Mark(best, "best", f"Best loss, step {best:,}"))
        return tuple(sorted(found, key=lambda mark: mark.step))


def _words(turn: Turn) -> str:
    """Say what was changed at a step."""
    said = []
    if turn.rules[0] != turn.rules[1]:
        said.append(f"optimizer {turn.rules[0]} → {turn.rules[1]}")
    old, new = turn.hypers
    for entry in fields(new):
        before, after = getattr(old, entry.name), getattr(new, entry.name)
        if before != after and turn.rules[0] == turn.rules[1]:
            name = _SETTINGS.get(entry.name, entry.name)
            said.append(f"{name} {before:.6g} → {after:.6g}")
    what = ", ".join(said) or "something was changed by hand"
    return f"Step {turn.step:,}: {what}"
