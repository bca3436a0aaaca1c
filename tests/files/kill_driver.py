"""Kills gradsheet while it edits, runs and saves, and looks at what is left; for `test_killed`.

    python kill_driver.py FOLDER KILLS SEED

One process imports everything once and forks: each child works on a file of its own until its
parent ends it with SIGKILL at a random moment. Prints a JSON line for each kill.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gradsheet.app.document import Document
from gradsheet.app.engine import warm_up
from gradsheet.app.saving import autosave, filing, opening, recovery
from gradsheet.files.autosaves import autosaved
from gradsheet.files.locks import is_held, lock_path
from gradsheet.files.session import load_session
from gradsheet.formula.address import Cell
from gradsheet.sheet.workbook import Workbook

COUNTER = Cell.parse("A45")
"""Holds the number of the last edit, so that a file says how much of the work is in it."""
AUTOSAVE_S = 0.05
LONGEST_LIFE_S = 0.15
AT_ONCE = 5
READY = b'["ready", null]\n'

Say = Callable[..., None]


def counted(workbook: Workbook) -> int:
    """Return the number of the last edit that a workbook holds."""
    return int(workbook.sheets[0].cells.get(COUNTER)[0])


class Worker:
    """Somebody who edits, runs and saves without a pause, and says what is done."""

    def __init__(self, folder: Path, seed: int, say: Say) -> None:
        self.path, self.say = folder / "work.gradsheet", say
        self.random = random.Random(seed)
        self.document = Document()
        self.document.finish()
        filing.Filing(self.document)
        self.autosave = autosave.Autosave(
            self.document, folder / "recovery", every_s=AUTOSAVE_S
        )
        self.edits = 0
        self.kept: dict[Any, int] = {}
        """How many edits each state holds of which an autosave was begun."""
        self.said: Any = None

    def live(self) -> None:
        """Go on until the end."""
        moves = (self.edit, self.edit, self.step, self.run, self.pause, self.save, self.rate)
        while True:
            self.random.choice(moves)()
            self.poll()

    def edit(self) -> None:
        """Count one further in the sheet."""
        document = self.document
        document.enter(document.workbook.sheets[0].id, COUNTER, str(self.edits + 1))
        self.edits += 1
        self.say("edited", self.edits)

    def step(self) -> None:
        """Take some steps."""
        self.document.step_run(self.random.randint(1, 20))
        self.say("stepped")

    def run(self) -> None:
        """Run for some ticks of the clock."""
        self.document.start_run()
        self.say("running")
        for _ in range(self.random.randint(1, 5)):
            time.sleep(0.002)
            self.poll()

    def pause(self) -> None:
        """Pause."""
        self.document.pause_run()
        self.say("paused")

    def rate(self) -> None:
        """Change the rate."""
        self.document.finish()
        self.document.set_hyper(lr=self.random.uniform(0.001, 0.05))

    def save(self) -> None:
        """Save, and wait for it as somebody would who looks at the status bar."""
        told: list[bool] = []
        self.say("saving")
        opening.save_file(self.document, self.path, then=told.append)
        while not told:
            self.poll()
        if not told[0]:
            self.say("failed", self.document.log.messages()[-1].text)
        self.say("saved", self.edits)

    def poll(self) -> None:
        """Do what the clock of a window does, and say which edits an autosave holds."""
        self.document.poll()
        self.autosave.poll()
        if self.autosave._task is not None:
            self.kept[self.autosave._doing.top] = self.edits_in_history()
        done = self.autosave._done
        if done is not None and done is not self.said and done.top in self.kept:
            self.said = done
            self.say("autosaved", self.kept[done.top])

    def edits_in_history(self) -> int:
        """Return how many edits the autosave that has just begun holds at least."""
        return self.kept.get(self.autosave._doing.top, self.edits)


def forked(work: Callable[[Say], None]) -> tuple[int, int]:
    """Start a child; return its id and the end of the pipe it talks into."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    try:
        os.close(read)

        def say(what: str, about: Any = None) -> None:
            os.write(write, (json.dumps([what, about]) + "\n").encode())

        work(say)
    except BaseException as error:
        os.write(write, (json.dumps(["broken", repr(error)]) + "\n").encode())
    finally:
        os._exit(0)


def heard(read: int) -> list[list[Any]]:
    """Return all that a child has said until its end."""
    with os.fdopen(read, "rb") as pipe:
        return [json.loads(line) for line in pipe.read().decode().splitlines()]


def some_kills(folder: Path, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Let some work beside one another, end each at a random moment, and tell what is left."""
    lives = []
    for seed in seeds:
        place = folder / str(seed)
        place.mkdir()
        chance = random.Random(-seed)
        longest = LONGEST_LIFE_S if chance.random() < 0.7 else 4 * LONGEST_LIFE_S
        child, read = forked(partial(_work, place, seed))
        lives.append((chance.uniform(0, longest), seed, child, read))
    for _, _, _, read in lives:
        os.read(read, len(READY))
    began, found = time.monotonic(), []
    for moment, seed, child, read in sorted(lives):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        report = left(folder / str(seed), heard(read))
        found.append({**report, "seed": seed, "moment": round(moment, 4)})
    found[0]["opened"] = opened_by_the_app(folder / str(found[0]["seed"]))
    return found


def _work(place: Path, seed: int, say: Say) -> None:
    worker = Worker(place, seed, say)
    say("ready")
    worker.live()


def left(folder: Path, events: list[list[Any]]) -> dict[str, Any]:
    """Return what the child said and what the files hold."""

    def last(what: str) -> int:
        return max((about for said, about in events if said == what), default=0)

    path = folder / "work.gradsheet"
    aside = autosaved(folder / "recovery")
    return {
        "edited": last("edited"), "saved": last("saved"), "autosaved": last("autosaved"),
        "doing": events[-1][0] if events else "starting",
        "faults": [event for event in events if event[0] in ("failed", "broken")],
        "in_file": counted(load_session(path).workbook) if path.exists() else 0,
        "aside": max((counted(load_session(a.path).workbook) for a in aside), default=0),
        "is_held": is_held(lock_path(path)),
    }  # fmt: skip


def opened_by_the_app(folder: Path) -> dict[str, Any]:
    """Open the file and what lies aside as the application does, in a child."""

    def work(say: Say) -> None:
        document = Document()
        document.finish()
        filing.Filing(document)
        keeper = autosave.Autosave(document, folder / "recovery")
        path = folder / "work.gradsheet"
        if path.exists():
            opening.open_file(document, path)
            document.finish()
            assert document.path == path
            assert not document.is_read_only
            say("file", counted(document.workbook))
        for entry in recovery.lost(folder / "recovery"):
            recovery.recover(document, keeper, entry)
            document.finish()
            assert document.is_changed
            say("aside", counted(document.workbook))
            document.step_run(3)
            document.finish()
            break
        for message in document.log.messages():
            if message.level != "info":
                say("said", message.text)

    child, read = forked(work)
    events = heard(read)
    os.waitpid(child, 0)
    return dict(events)


def main() -> None:
    """Kill as often as asked, and print what was left each time."""
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    warm_up()
    for first in range(seed, seed + kills, AT_ONCE):
        for found in some_kills(folder, range(first, min(first + AT_ONCE, seed + kills))):
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
