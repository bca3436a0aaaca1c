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
from gradsheet.app.ratings.totals import Totals
from gradsheet.app.saving.reading import Reading
from gradsheet.collab.splits import Split
from gradsheet.files.ratings_records import lay_out, take_out
from gradsheet.files.session_parts import Part
from gradsheet.formula.values import UserError
from gradsheet.learn.hyper import Hyper
from gradsheet.ratings.table import Check, RatingTable

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.app.ratings.kept import KeptModel
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.files.session import Session

KEPT_WHOLE = 5_000_000
"""Ratings up to which the file holds them itself."""
_AT = "ratings/"


def session_of_ratings(document: Document, *, is_autosave: bool = False) -> Callable[[], Session]:
    """Note how a rating set stands; the session itself is made by the call returned.

    That call is made on another thread, while the learning goes on.

    Parameters
    ----------
    is_autosave : bool
        Whether the table is written once, beside the file, so that it is not copied here: ratings
        that are edited meanwhile are in the next autosave too.
    """
    session, book = document.ratings, document.ratings_book
    assert session is not None
    assert book is not None
    workbook = document.workbook.snapshot()  # of the tables without their cells
    sheets = [book.crosstab, book.users, book.items, book.ratings, book.predictions]
    if book.layers is not None and book.layers in document.workbook.sheets:
        sheets.append(book.layers)
    facts: dict[str, Any] = {
        "source": session.source,
        "state": session.state,
        "sheets": [sheet.id for sheet in sheets],
        "model": dataclasses.asdict(session.model_choice),
        "learn": dataclasses.asdict(session.past.present_learn),
        "split": _split_choice_out(session.split_choice),
        "genres": None if session.genres is None else list(session.genres),
    }
    noted = session.copy_state()
    start = {} if session.learner is None else session.learner.start
    kept, split, pairs = list(session.kept), session.split, book.pairs
    table, origin, edited = session.table, session.origin, session.edited
    whole = len(table) <= KEPT_WHOLE or origin is None
    ratings = table.ratings.copy() if whole and not is_autosave else table.ratings
    values = table.ratings[edited]
    title, view = document.lesson.title, document.view()

    def make() -> Session:
        from gradsheet.files.session import Session

        state = noted.get()
        arrays: dict[str, Any] = {f"{_AT}pairs/users": pairs.users}
        arrays[f"{_AT}pairs/items"] = pairs.items
        parts: list[Part] = []
        if whole or origin is None or not origin.is_as_read():
            facts["table"] = _table_out(table, ratings, parts)
        else:
            facts["table"] = {"file": origin.facts(), "titles": None}
        if is_autosave or "file" in facts["table"]:
            arrays |= {f"{_AT}edited/rows": edited, f"{_AT}edited/ratings": values}
        splits: list[Split] = []
        facts["split_number"] = _number(split, splits)
        if state is not None:
            facts["run"] = lay_out(state, arrays, f"{_AT}run/")
            facts["start"] = None
            if facts["learn"]["mode"] == "lesson":
                facts["start"] = _state_out(start, parts)
        facts["kept"] = [_kept_out(model, splits, parts) for model in kept]
        facts["splits"] = [_split_out(s, parts) for s in splits]
        entries = {"title": title, "view": view, "ratings": facts}
        return Session(workbook, None, entries, arrays, parts=tuple(parts))

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


def _table_out(table: RatingTable, ratings: Any, parts: list[Part]) -> dict[str, Any]:
    arrays = {"users": table.users, "items": table.items, "stars": ratings}
    if table.timestamps is not None:
        arrays["times"] = table.timestamps
    titles = None if table.titles is None else [str(title) for title in table.titles.tolist()]
    ids = {"users": table.user_ids.tolist(), "items": table.item_ids.tolist()}
    return {**ids, "titles": titles, **_part(table, arrays, parts)}


def _split_out(split: Split, parts: list[Part]) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    if split.held is not None:
        arrays["held"] = np.packbits(split.held)
    else:
        valid = split.valid
        arrays |= {"users": valid.users, "items": valid.items, "stars": valid.ratings}
        if valid.timestamps is not None:
            arrays["times"] = valid.timestamps
    return {"note": split.note, "given": split.held is None, **_part(split, arrays, parts)}


def _state_out(state: dict[str, Any], parts: list[Part]) -> dict[str, Any]:
    """Lay out a learner's state that does not change."""
    arrays: dict[str, Any] = {}
    told = {name: value for name, value in state.items() if name != "learn"}
    return {"state": lay_out(told, arrays, ""), **_part(state, arrays, parts)}


def _part(owner: object, arrays: dict[str, Any], parts: list[Part]) -> dict[str, int]:
    parts.append(Part(arrays, owner))
    return {"part": len(parts) - 1}


def _kept_out(kept: KeptModel, splits: list[Split], parts: list[Part]) -> dict[str, Any]:
    from gradsheet.app.ratings.learners import Learner

    mark, arrays = kept.mark, dict[str, Any]()
    learner = mark.learner
    assert isinstance(learner, Learner)
    return {
        "name": kept.name,
        "model": dataclasses.asdict(kept.model_choice),
        "learn": dataclasses.asdict(kept.learn_choice),
        "split": _split_choice_out(mark.split_choice),
        "split_number": _number(mark.split, splits),
        "errors": lay_out(kept.errors, arrays, ""),
        "state": lay_out(learner.portable(mark.state or {}), arrays, ""),
        **_part(kept, arrays, parts),
    }


# ------------------------------------------------------------------ opening


def opener_of_ratings(
    session: Session,
    path: Path,
    settled: Callable[[Document], None] | None = None,
    reading: Reading | None = None,
) -> Callable[[Document], None]:
    """Return what shows a session's rating set in a document, its model as it was.

    Parameters
    ----------
    session : Session
    path : Path
        The file that it comes from.
    settled : callable, optional
        Called when it is shown; if not given, what is open counts as saved in `path` then.
    reading : Reading, optional
        Told how far it is; cancels it.

    Raises
    ------
    UserError
        If the file of a large set is gone or is another one now.
    """
    from gradsheet.app.ratings.pairs import pairs_of
    from gradsheet.app.ratings.workbook import RatingsBook

    facts, arrays = session.facts["ratings"], session.arrays
    reading = reading or Reading()
    try:
        ratings = _ratings_in(session, path, reading)
        reading.tell(None, "Laying out the sheets")
        users, items = arrays[f"{_AT}pairs/users"], arrays[f"{_AT}pairs/items"]
        pairs = pairs_of(ratings.table, users, items, reading.control)
        sheets = [int(sheet) for sheet in facts["sheets"]]
        book = RatingsBook(ratings, pairs, session.workbook, sheets)
    except (KeyError, TypeError, ValueError, IndexError) as fault:
        raise UserError(
            f"{path.name} is damaged: {type(fault).__name__} in its rating set.",
            "Open an older copy of it, or the ratings themselves.",
        ) from fault
    view = dict(session.facts.get("view", {}))

    def show(document: Document) -> None:
        document.open_ratings(book, None if settled else path, view)
        if settled is not None:
            settled(document)
            return
        document.saved(path, document.stamp())
        document.say(Message("info", f"{path.name} is open, with what was learned."))

    return show


def _ratings_in(file: Session, path: Path, reading: Reading) -> RatingsSession:
    from gradsheet.app.ratings.learners import make_learner
    from gradsheet.app.ratings.session import RatingsSession

    facts, arrays = file.facts["ratings"], file.arrays
    table, origin = _table_in(facts["table"], file, path, reading)
    check = reading.control.checkpoint
    reading.tell(None, "Setting ratings aside")
    splits = [_split_in(entry, i, table, file, check) for i, entry in enumerate(facts["splits"])]
    model, learn = ModelChoice(**_tuples(facts["model"])), _learn_in(facts["learn"])
    session = RatingsSession(
        table, str(facts["source"]), facts["genres"], model=model, learn=learn,
        split=_split_choice_in(facts["split"]), totals=Totals.of(table, check),
    )  # fmt: skip
    session.origin = origin
    if f"{_AT}edited/rows" in arrays:
        session.edited = np.array(arrays[f"{_AT}edited/rows"])
    number = facts["split_number"]
    reading.tell(None, "Bringing the model back")
    if number is None or "run" not in facts:
        return session
    learner = make_learner(model, learn, splits[number], session.genres)
    learner.start = learner.state()
    start = facts["start"]
    if start is not None:
        told = start["state"] if "part" in start else start
        learner.start = {**take_out(told, _arrays_of(start, file)), "learn": learn}
    learner.load_saved(take_out(facts["run"], arrays), check)
    session.take_up(splits[number], learner)
    for entry in facts["kept"]:
        other = _learn_in(entry["learn"])
        split = splits[entry["split_number"]]
        made = make_learner(ModelChoice(**_tuples(entry["model"])), other, split, session.genres)
        made.start = made.state()
        own = _arrays_of(entry, file)
        made.load_saved(take_out(entry["state"], own), check)
        choice = _split_choice_in(entry["split"])
        session.kept.take_up(str(entry["name"]), made, choice, take_out(entry["errors"], own))
    return session


def _arrays_of(entry: Mapping[str, Any], file: Session) -> Mapping[str, Any]:
    """Return the arrays that an entry of the facts speaks of."""
    return file.parts[entry["part"]].arrays if "part" in entry else file.arrays


def _table_in(
    facts: Mapping[str, Any], file: Session, path: Path, reading: Reading
) -> tuple[RatingTable, Origin | None]:
    if "file" in facts:
        name = Path(facts["file"]["path"]).name
        reading.tell(None, f"Comparing {name} with what was saved")
        origin = Origin.of_facts(facts["file"], path, reading.control.checkpoint)
        table = reading.follow(origin.read_again(reading.control))
        ratings = _edited(table.ratings.copy(), file.arrays)
        return dataclasses.replace(table, ratings=ratings), origin
    arrays, at = _arrays_of(facts, file), "" if "part" in facts else _AT
    columns = {
        name: np.array(arrays[f"{at}{key}"])
        for name, key in (("users", "users"), ("items", "items"), ("ratings", "stars"))
    }
    _edited(columns["ratings"], file.arrays)
    times = arrays.get(f"{at}times")
    titles = facts["titles"]
    return RatingTable(
        **columns,
        user_ids=_labels(facts["users"]),
        item_ids=_labels(facts["items"]),
        titles=None if titles is None else _objects(titles),
        timestamps=None if times is None else np.array(times),
    ), None


def _edited(ratings: Any, arrays: Mapping[str, Any]) -> Any:
    """Put ratings that were edited since the table was written into their places."""
    rows = arrays.get(f"{_AT}edited/rows")
    if rows is not None:
        ratings[rows] = arrays[f"{_AT}edited/ratings"]
    return ratings


def _labels(ids: list[Any]) -> Any:
    return np.array(ids, np.int64) if all(isinstance(x, int) for x in ids) else _objects(ids)


def _objects(texts: list[Any]) -> Any:
    out = np.empty(len(texts), dtype=object)
    out[:] = texts
    return out


def _split_in(
    entry: Mapping[str, Any], number: int, table: RatingTable, file: Session, check: Check
) -> Split:
    arrays, at = _arrays_of(entry, file), "" if "part" in entry else f"{_AT}split{number}/"
    if not entry["given"]:
        held = np.unpackbits(arrays[f"{at}held"], count=len(table)).astype(bool)
        return Split.of(table, held, str(entry["note"]), check)
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
