"""Kills gradsheet while a rating set is edited and learned; for `test_killed_ratings`.

    python kill_ratings_driver.py FOLDER KILLS SEED

Each child edits a rating and an embedding, learns and keeps models until its parent ends it with
SIGKILL at a random moment. Another child then recovers what lies aside and goes on with it.
Prints a JSON line for each kill.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from kill_driver import AUTOSAVE_S, READY, Say, forked, heard

from gradsheet.app.document import Document
from gradsheet.app.engine import warm_up
from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import RatingsBook
from gradsheet.app.saving import autosave, recovery
from gradsheet.formula.address import Cell
from gradsheet.ratings.synthetic import synthetic_ratings

LONGEST_LIFE_S = 1.0
"""After the first autosave; of every fourth after its start, where it may have written nothing."""
FACTOR, RATING = Cell(1, 4), Cell(1, 3)
"""Cells of the sheets Users and Ratings that are given the number of the last edit."""


def settled(document: Document) -> RatingsSession:
    """Wait for whatever is under way."""
    session = document.ratings
    assert session is not None
    while document.engine.doing or session.is_at_work:
        document.finish()
        session.wait(60)
    return session


def work(folder: Path, seed: int, say: Say) -> None:
    """Edit, learn and keep until the end, and say what is done."""
    chance = random.Random(seed)
    document = Document()
    document.finish()
    keeper = autosave.Autosave(document, folder, every_s=AUTOSAVE_S)
    learn = LearnChoice(epochs=50) if seed % 2 else LearnChoice(mode="fast", passes=50)
    table = synthetic_ratings(400, 200, 8_000, factors=2, seed=1)[0]
    session = RatingsSession(table, "made up", model=ModelChoice(factors=8), learn=learn)
    book = RatingsBook(session, busiest_pairs(table, session.totals, 6, 5))
    document.open_ratings(book)
    settled(document)
    session.step(2)  # the fast way has embeddings to edit from then on
    settled(document)
    say("ready")
    edits, begun, told = 0, {}, None
    while True:
        move = chance.randrange(4)
        if move == 0:
            session.start()
        elif move == 1:
            session.kept.keep(f"after {edits}")
        else:
            document.enter(book.ratings.id, RATING, str(edits + 1))
            document.enter(book.users.id, FACTOR, str(edits + 1))
            edits += 1
            say("edited", edits)
        for _ in range(chance.randint(1, 20)):
            time.sleep(0.002)
            document.poll()
            keeper.poll()
            if keeper._task is not None:
                begun.setdefault(id(keeper._task), edits)
                newest = begun[id(keeper._task)]
            elif keeper._done is not told:
                told = keeper._done
                if told is not None:
                    say("autosaved", newest)


def recovered(folder: Path, say: Say) -> None:
    """Recover what lies aside as the application does, and learn on."""
    document = Document()
    document.finish()
    keeper = autosave.Autosave(document, folder)
    entries = recovery.lost(folder)
    say("found", len(entries))
    for entry in entries:
        recovery.recover(document, keeper, entry)
        document.finish()
        book, session = document.ratings_book, settled(document)
        assert book is not None
        assert document.is_changed
        say("rating", book.ratings.cells.get(RATING)[0])
        session.step(1)
        settled(document)
        say("goes on", session.error is None and session.state != "failed")
        break
    for message in document.log.messages():
        if message.level != "info":
            say("said", message.text)


def main() -> None:
    """Kill as often as asked, and print what was left each time."""
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    warm_up()
    for number in range(seed, seed + kills):
        place = folder / str(number)
        child, read = forked(partial(work, place, number))
        said = os.read(read, len(READY))
        is_first = number % 4 == 0
        while not is_first and b"autosaved" not in said and (more := os.read(read, 4096)):
            said += more
        time.sleep(random.Random(-number).uniform(0, LONGEST_LIFE_S))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(read, "rb") as pipe:
            events = [json.loads(line) for line in (said + pipe.read()).splitlines()]
        found: dict[str, Any] = {"seed": number, "edited": 0, "autosaved": 0, **dict(events)}
        found["is_first"] = is_first
        child, read = forked(partial(recovered, place))
        found |= dict(heard(read))
        os.waitpid(child, 0)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
