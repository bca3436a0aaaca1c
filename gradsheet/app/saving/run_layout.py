"""How the record of a run is laid into arrays and JSON for a session file, and taken out again.

Owns the tables of keyframes, settings and generator states that stretches and branches share, so
that each is stored once. Knows no window; the file itself is `files.session`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.saving.origin import AnyOrigin, EpochOrigin, Origin, is_of
from gradsheet.app.timeline import Branch, Timeline
from gradsheet.files.records import decode, encode
from gradsheet.formula.address import Cell
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.trace import LossTrace
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.learn.trajectory import Recording, Replayable, Stretch

Array = npt.NDArray[Any]
State = Mapping[str, Any]


@dataclass(slots=True)
class Shelf:
    """What goes into the file beside the facts, each thing once.

    Attributes
    ----------
    workbook : Workbook
        The snapshot that is saved.
    arrays : dict of str to ndarray
    books : list of Workbook
        Other states of the workbook from which parts of a run were made.
    """

    workbook: Workbook
    arrays: dict[str, Array] = field(default_factory=dict)
    books: list[Workbook] = field(default_factory=list)
    _hypers: dict[Hyper, int] = field(default_factory=dict)
    _generators: dict[bytes, int] = field(default_factory=dict)
    _frames: dict[int, tuple[str, int]] = field(default_factory=dict)
    _tables: dict[str, list[State]] = field(default_factory=dict)
    _of_book: dict[int, int] = field(default_factory=dict)

    def hyper(self, hyper: Hyper) -> int:
        """Return the number of these settings."""
        return self._hypers.setdefault(hyper, len(self._hypers))

    def frame(self, state: State) -> list[Any]:
        """Return the table and row of a state of a trainer."""
        at = self._frames.get(id(state))
        if at is None:
            name = f"{state['optimizer']['name']}.{state['theta'].numel()}"
            rows = self._tables.setdefault(name, [])
            at = self._frames[id(state)] = (name, len(rows))
            rows.append(state)
        return list(at)

    def book(self, origin: AnyOrigin) -> int | None:
        """Return the number of the workbook of an origin; None for the one that is saved."""
        if is_of(origin, self.workbook):
            return None
        key = id(origin.workbook)
        if key not in self._of_book:
            self._of_book[key] = len(self.books)
            self.books.append(origin.workbook)
        return self._of_book[key]

    def finish(self) -> dict[str, Any]:
        """Lay the tables into arrays and return the facts that name what is in them."""
        for name, states in self._tables.items():
            self._lay(f"frames/{name}/", states)
        known = [np.frombuffer(entry, np.uint8) for entry in self._generators]
        if known:
            self.arrays["generators"] = np.stack(known)
        return {
            "hypers": [dataclasses.asdict(hyper) for hyper in self._hypers],
            "tables": sorted(self._tables),
        }

    def _lay(self, at: str, states: list[State]) -> None:
        def stacked(tensors: list[Any]) -> Array:
            return np.stack([tensor.detach().cpu().numpy() for tensor in tensors])

        optimizers = [state["optimizer"] for state in states]
        generators = [state["generator"].numpy().tobytes() for state in states]
        numbers = [self._generators.setdefault(g, len(self._generators)) for g in generators]
        hypers = [self.hyper(Hyper(**optimizer["hyper"])) for optimizer in optimizers]
        self.arrays[f"{at}step"] = np.array([state["step"] for state in states], np.int64)
        self.arrays[f"{at}taken"] = np.array([o["steps_taken"] for o in optimizers], np.int64)
        self.arrays[f"{at}hyper"] = np.array(hypers, np.int64)
        self.arrays[f"{at}generator"] = np.array(numbers, np.int64)
        self.arrays[f"{at}theta"] = stacked([state["theta"] for state in states])
        for name in optimizers[0]["state"]:
            self.arrays[f"{at}state/{name}"] = stacked([o["state"][name] for o in optimizers])


@dataclass(frozen=True, slots=True)
class Shelves:
    """A shelf that came from a file.

    Attributes
    ----------
    workbook : Workbook
    books : tuple of Workbook
    held : mapping
        Formulas that count as their stored values.
    arrays : mapping of str to ndarray
    facts : mapping
        What `Shelf.finish` gave.
    """

    workbook: Workbook
    books: tuple[Workbook, ...]
    held: Mapping[tuple[int, Cell], Any]
    arrays: Mapping[str, Array]
    facts: Mapping[str, Any]

    def hyper(self, number: int) -> Hyper:
        """Return settings by their number."""
        return Hyper(**self.facts["hypers"][number])

    def frame(self, table: str, row: int) -> State:
        """Return a state as `Trainer.state_dict` gave it."""
        import torch

        at = f"frames/{table}/"

        def tensor(array: Array) -> Any:
            return torch.from_numpy(np.array(array))

        own = {
            name.removeprefix(f"{at}state/"): tensor(array[row])
            for name, array in self.arrays.items()
            if name.startswith(f"{at}state/")
        }
        generator = self.arrays["generators"][int(self.arrays[f"{at}generator"][row])]
        return {
            "step": int(self.arrays[f"{at}step"][row]),
            "theta": tensor(self.arrays[f"{at}theta"][row]),
            "optimizer": {
                "name": table.split(".")[0],
                "hyper": self.facts["hypers"][int(self.arrays[f"{at}hyper"][row])],
                "steps_taken": int(self.arrays[f"{at}taken"][row]),
                "state": own,
            },
            "generator": tensor(generator),
        }


# ------------------------------------------------------------------ traces


def trace_out(points: tuple[Array, Array], at: str, shelf: Shelf, last: int) -> None:
    """Lay steps and losses, up to and with the step `last`, into arrays."""
    steps, losses = points
    count = int(steps.searchsorted(last, "right"))
    shelf.arrays[f"{at}trace/steps"] = steps[:count].copy()
    shelf.arrays[f"{at}trace/losses"] = losses[:count].copy()


def trace_in(at: str, arrays: Mapping[str, Array]) -> LossTrace:
    """Return the trace that `trace_out` laid out."""
    trace = LossTrace()
    steps, losses = arrays.get(f"{at}trace/steps"), arrays.get(f"{at}trace/losses")
    if steps is not None and losses is not None:
        for step, loss in zip(steps.tolist(), losses.tolist(), strict=True):
            trace.append(step, loss)
    return trace


# ------------------------------------------------------------------ records


def noted(timeline: Timeline) -> Timeline:
    """Return a timeline as it is now, which no run that goes on changes."""
    record = timeline.recording
    branches = tuple(
        dataclasses.replace(branch, recording=branch.recording.copy())
        for branch in timeline.branches
    )
    return dataclasses.replace(
        timeline, recording=record.copy() if record is not None else None, branches=branches,
        state=None,
    )  # fmt: skip


def timeline_out(timeline: Timeline, at: str, shelf: Shelf) -> dict[str, Any] | None:
    """Lay a record and its branches onto the shelf; None if nothing is recorded."""
    branches: list[dict[str, Any]] = []
    for branch in timeline.branches:
        record, number = record_out(branch.recording, shelf), len(branches)
        if record is not None:
            trace_out(branch.trace.arrays(), f"{at}branch{number}/", shelf, branch.recording.end)
            branches.append(
                {
                    "name": branch.name,
                    "left_at": branch.left_at,
                    "record": record,
                    "is_shown": branch.is_shown,
                    "is_open": branch.is_open,
                }
            )
            if branch.path is not None:
                shelf.arrays[f"{at}branch{number}/path"] = branch.path
    record = record_out(timeline.recording, shelf) if timeline.recording else None
    if record is None and not branches:
        return None
    return {
        "record": record,
        "branches": branches,
        "name": timeline.name,
        "failed_at": timeline.failed_at,
    }


def record_out(recording: Recording, shelf: Shelf) -> dict[str, Any] | None:
    """Lay a recording onto the shelf; None if it holds what no file can keep."""
    end, stretches = recording.end, recording.stretches
    if not stretches or not all(isinstance(s.origin, Origin | EpochOrigin) for s in stretches):
        return None
    return {
        "end": end,
        "spacing": recording.spacing,
        "stretches": [_stretch_out(stretch, shelf) for stretch in stretches],
    }


def _stretch_out(stretch: Stretch, shelf: Shelf) -> dict[str, Any]:
    origin = stretch.origin
    assert isinstance(origin, Origin | EpochOrigin)
    entry: dict[str, Any] = {
        "book": shelf.book(origin),
        "schedule": dataclasses.asdict(origin.schedule) if origin.schedule else None,
        "momentum": origin.momentum,
        "frames": [shelf.frame(state) for state in stretch.states],
        "rates": [[step, shelf.hyper(hyper)] for step, hyper in stretch.rates],
    }
    if isinstance(origin, Origin):
        entry["problem"] = encode(origin.problem)
    else:
        entry["epochs"] = {
            "sheet": origin.sheet,
            "base": encode(dict(origin.base)),
            "settings": encode(origin.settings),
            "sheets": sorted(origin.sheets),
        }
    return entry


def timeline_in(entry: Mapping[str, Any] | None, at: str, shelves: Shelves) -> Timeline:
    """Return the record and the branches that `timeline_out` laid out."""
    if entry is None:
        return Timeline()
    read = _Reader(shelves)
    branches = tuple(
        Branch(
            str(branch["name"]),
            int(branch["left_at"]),
            trace_in(f"{at}branch{number}/", shelves.arrays),
            read.record(branch["record"]),
            bool(branch.get("is_shown", True)),
            bool(branch.get("is_open", True)),
            shelves.arrays.get(f"{at}branch{number}/path"),
        )
        for number, branch in enumerate(entry["branches"])
    )
    record = entry["record"]
    return Timeline(
        read.record(record) if record is not None else None, branches,
        name=str(entry.get("name", "")), failed_at=entry.get("failed_at"),
    )  # fmt: skip


class _Reader:
    """Reads records that share keyframes and origins."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._states: dict[tuple[str, int], State] = {}

    def record(self, entry: Mapping[str, Any]) -> Recording:
        from gradsheet.learn.trajectory import Recording

        stretches = [self._stretch(part) for part in entry["stretches"]]
        return Recording.of(stretches, int(entry["spacing"]), int(entry["end"]))

    def _stretch(self, entry: Mapping[str, Any]) -> Stretch:
        from gradsheet.learn.trajectory import Stretch

        shelves = self._shelves
        book = shelves.workbook if entry["book"] is None else shelves.books[entry["book"]]
        origin = _origin_in(entry, book, shelves.held)
        states = [self._state(str(table), int(row)) for table, row in entry["frames"]]
        rates = [(int(step), shelves.hyper(int(number))) for step, number in entry["rates"]]
        steps = [int(state["step"]) for state in states]
        return Stretch(_maker(origin, states[0]), steps, states, rates, origin)

    def _state(self, table: str, row: int) -> State:
        if (table, row) not in self._states:
            self._states[table, row] = self._shelves.frame(table, row)
        return self._states[table, row]


def _origin_in(entry: Mapping[str, Any], book: Workbook, held: Mapping[Any, Any]) -> AnyOrigin:
    schedule = ScheduleChoice(**entry["schedule"]) if entry["schedule"] else None
    epochs, momentum = entry.get("epochs"), entry["momentum"]
    if epochs is None:
        return Origin(book, decode(entry["problem"]), held, schedule, float(momentum))
    return EpochOrigin(
        book, int(epochs["sheet"]), decode(epochs["base"]), decode(epochs["settings"]),
        frozenset(epochs["sheets"]), schedule, momentum,
    )  # fmt: skip


def _maker(origin: AnyOrigin, state: State) -> Callable[[], Replayable]:
    return lambda: origin.trainer(state)
