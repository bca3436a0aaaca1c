"""A rating set in a session file: its ratings or their file, choices, run, kept models, sheets.

Owns what of a rating set is kept and how it goes on from there, bit for bit. A set of up to five
million ratings is kept whole; of a larger one the path, reading options and fingerprint of its
file, and what was edited. Must not know windows; the file itself is `files.session`'s.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradsheet.app.messages import Message
from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, SplitChoice
from gradsheet.app.ratings.origin import Origin
from gradsheet.collab.splits import Split
from gradsheet.files.ratings_records import lay_out, take_out
from gradsheet.formula.values import UserError
from gradsheet.learn.hyper import Hyper
from gradsheet.ratings.table import RatingTable

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.app.ratings.kept import KeptModel
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.files.session import Session

KEPT_WHOLE = 5_000_000
"""Ratings up to which the file holds them itself."""
_AT = "ratings/"


def session_of_ratings(document: Document) -> Callable[[], Session]:
    """Note how a rating set stands; the session itself is made by the call returned.

    That call may be made on another thread while the learning goes on.
    """
    session, book = document.ratings, document.ratings_book
    assert session is not None
    assert book is not None
    resume = session.stop()
    workbook = document.workbook.snapshot()  # of the tables without their cells
    sheets = [book.crosstab, book.users, book.items, book.ratings, book.predictions]
    if book.layers is not None and book.layers in document.workbook.sheets:
        sheets.append(book.layers)
    learner = session.learner
    facts: dict[str, Any] = {
        "source": session.source,
        "state": session.state,
        "sheets": [sheet.id for sheet in sheets],
        "model": dataclasses.asdict(session.model_choice),
        "learn": dataclasses.asdict(session.learn_choice),
        "split": _split_choice_out(session.split_choice),
        "genres": None if session.genres is None else list(session.genres),
    }
    states = None if learner is None else (learner.saved(), learner.start)
    kept, split, pairs = list(session.kept), session.split, book.pairs
    table, origin = session.table, session.origin
    edited = np.array(sorted(session.edited), dtype=np.int64)
    whole = len(table) <= KEPT_WHOLE or origin is None
    ratings = table.ratings.copy() if whole else table.ratings[edited]
    title, view = document.lesson.title, document.view()
    if resume:
        session.start()

    def make() -> Session:
        from gradsheet.files.session import Session

        arrays: dict[str, Any] = {f"{_AT}pairs/users": pairs.users}
        arrays[f"{_AT}pairs/items"] = pairs.items
        if whole or origin is None or not origin.is_as_read():
            current = ratings if whole else table.ratings
            facts["table"] = _table_out(table, current, arrays)
        else:
            facts["table"] = {"file": origin.facts(), "titles": None}
            arrays |= {f"{_AT}edited/rows": edited, f"{_AT}edited/ratings": ratings}
        splits: list[Split] = []
        facts["split_number"] = _number(split, splits)
        if states is not None:
            state, start = states
            facts["run"] = lay_out(state, arrays, f"{_AT}run/")
            start = {name: value for name, value in start.items() if name != "learn"}
            is_lesson = facts["learn"]["mode"] == "lesson"
            facts["start"] = lay_out(start, arrays, f"{_AT}start/") if is_lesson else None
        facts["kept"] = [_kept_out(model, splits, arrays) for model in kept]
        facts["splits"] = [_split_out(s, i, arrays) for i, s in enumerate(splits)]
        return Session(workbook, None, {"title": title, "view": view, "ratings": facts}, arrays)

    return make


def _number(split: Split | None, splits: list[Split]) -> int | None:
    """Return the place of a split in the list, where it is put if it is not there."""
    if split is None:
        return None
    for number, known in enumerate(splits):
        if known is split:
            return number
    splits.append(split)
    return len(splits) - 1


def _split_choice_out(choice: SplitChoice) -> dict[str, Any]:
    path = None if choice.path is None else str(choice.path)
    return {**dataclasses.asdict(choice), "path": path}


def _table_out(table: RatingTable, ratings: Any, arrays: dict[str, Any]) -> dict[str, Any]:
    arrays |= {f"{_AT}users": table.users, f"{_AT}items": table.items, f"{_AT}stars": ratings}
    if table.timestamps is not None:
        arrays[f"{_AT}times"] = table.timestamps
    titles = None if table.titles is None else [str(title) for title in table.titles.tolist()]
    return {"users": table.user_ids.tolist(), "items": table.item_ids.tolist(), "titles": titles}


def _split_out(split: Split, number: int, arrays: dict[str, Any]) -> dict[str, Any]:
    at = f"{_AT}split{number}/"
    if split.held is not None:
        arrays[f"{at}held"] = np.packbits(split.held)
    else:
        valid = split.valid
        arrays |= {f"{at}users": valid.users, f"{at}items": valid.items}
        arrays[f"{at}stars"] = valid.ratings
        if valid.timestamps is not None:
            arrays[f"{at}times"] = valid.timestamps
    return {"note": split.note, "given": split.held is None}


def _kept_out(kept: KeptModel, splits: list[Split], arrays: dict[str, Any]) -> dict[str, Any]:
    at, mark = f"{_AT}kept{len(arrays)}/", kept.mark
    state = {name: value for name, value in (mark.state or {}).items() if name != "learn"}
    if kept.learn_choice.mode == "fast":
        from gradsheet.collab.fast import portable

        state = portable(state)
    return {
        "name": kept.name,
        "model": dataclasses.asdict(kept.model_choice),
        "learn": dataclasses.asdict(kept.learn_choice),
        "split": _split_choice_out(mark.split_choice),
        "split_number": _number(mark.split, splits),
        "errors": lay_out(kept.errors, arrays, at),
        "state": lay_out(state, arrays, at),
    }


# ------------------------------------------------------------------ opening


def opener_of_ratings(session: Session, path: Path) -> Callable[[Document], None]:
    """Return what shows a session's rating set in a document, its model as it was.

    Raises
    ------
    UserError
        If the file of a large set is gone or is another one now.
    """
    from gradsheet.app.ratings.pairs import pairs_of
    from gradsheet.app.ratings.workbook import RatingsBook

    facts, arrays = session.facts["ratings"], session.arrays
    try:
        ratings = _ratings_in(facts, arrays, path)
        pairs = pairs_of(ratings.table, arrays[f"{_AT}pairs/users"], arrays[f"{_AT}pairs/items"])
        sheets = [int(sheet) for sheet in facts["sheets"]]
        book = RatingsBook(ratings, pairs, session.workbook, sheets)
    except (KeyError, TypeError, ValueError, IndexError) as fault:
        raise UserError(
            f"{path.name} is damaged: {type(fault).__name__} in its rating set.",
            "Open an older copy of it, or the ratings themselves.",
        ) from fault
    view = dict(session.facts.get("view", {}))

    def show(document: Document) -> None:
        document.open_ratings(book, path, view)
        document.saved(path, document.stamp())
        document.say(Message("info", f"{path.name} is open, with what was learned."))

    return show


def _ratings_in(facts: Mapping[str, Any], arrays: Mapping[str, Any], path: Path) -> RatingsSession:
    from gradsheet.app.ratings.learners import make_learner
    from gradsheet.app.ratings.session import RatingsSession

    table, origin = _table_in(facts["table"], arrays, path)
    splits = [_split_in(entry, i, table, arrays) for i, entry in enumerate(facts["splits"])]
    model, learn = ModelChoice(**_tuples(facts["model"])), _learn_in(facts["learn"])
    session = RatingsSession(
        table, str(facts["source"]), facts["genres"], model=model, learn=learn,
        split=_split_choice_in(facts["split"]),
    )  # fmt: skip
    session.origin = origin
    if f"{_AT}edited/rows" in arrays:
        session.edited = set(arrays[f"{_AT}edited/rows"].tolist())
    number = facts["split_number"]
    if number is None or "run" not in facts:
        return session
    learner = make_learner(model, learn, splits[number], session.genres)
    learner.start = learner.state()
    if facts["start"] is not None:
        learner.start = {**take_out(facts["start"], arrays), "learn": learn}
    learner.load_saved(take_out(facts["run"], arrays))
    session.take_up(splits[number], learner)
    for entry in facts["kept"]:
        other = _learn_in(entry["learn"])
        split = splits[entry["split_number"]]
        made = make_learner(ModelChoice(**_tuples(entry["model"])), other, split, session.genres)
        made.start = made.state()
        made.load_saved(take_out(entry["state"], arrays))
        choice = _split_choice_in(entry["split"])
        session.kept.take_up(str(entry["name"]), made, choice, take_out(entry["errors"], arrays))
    return session


def _table_in(
    facts: Mapping[str, Any], arrays: Mapping[str, Any], path: Path
) -> tuple[RatingTable, Origin | None]:
    if "file" in facts:
        origin = Origin.of_facts(facts["file"], path)
        table = origin.read_again(path)
        rows = np.asarray(arrays[f"{_AT}edited/rows"])
        ratings = table.ratings.copy()
        ratings[rows] = arrays[f"{_AT}edited/ratings"]
        return dataclasses.replace(table, ratings=ratings), origin
    columns = {
        name: np.array(arrays[f"{_AT}{key}"])
        for name, key in (("users", "users"), ("items", "items"), ("ratings", "stars"))
    }
    times = arrays.get(f"{_AT}times")
    titles = facts["titles"]
    return RatingTable(
        **columns,
        user_ids=_labels(facts["users"]),
        item_ids=_labels(facts["items"]),
        titles=None if titles is None else _objects(titles),
        timestamps=None if times is None else np.array(times),
    ), None


def _labels(ids: list[Any]) -> Any:
    return np.array(ids, np.int64) if all(isinstance(x, int) for x in ids) else _objects(ids)


def _objects(texts: list[Any]) -> Any:
    out = np.empty(len(texts), dtype=object)
    out[:] = texts
    return out


def _split_in(
    entry: Mapping[str, Any], number: int, table: RatingTable, arrays: Mapping[str, Any]
) -> Split:
    at = f"{_AT}split{number}/"
    if not entry["given"]:
        held = np.unpackbits(arrays[f"{at}held"], count=len(table)).astype(bool)
        return Split(table.take(~held), table.take(held), str(entry["note"]), held)
    times = arrays.get(f"{at}times")
    valid = RatingTable(
        np.array(arrays[f"{at}users"]),
        np.array(arrays[f"{at}items"]),
        np.array(arrays[f"{at}stars"]),
        table.user_ids,
        table.item_ids,
        table.titles,
        None if times is None else np.array(times),
    )
    return Split(table, valid, str(entry["note"]))


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with the tuples that JSON made lists."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in entry.items()}


def _learn_in(entry: Mapping[str, Any]) -> LearnChoice:
    return LearnChoice(**{**_tuples(entry), "hyper": Hyper(**entry["hyper"])})


def _split_choice_in(entry: Mapping[str, Any]) -> SplitChoice:
    path = entry["path"]
    return SplitChoice(**{**entry, "path": None if path is None else Path(path)})
