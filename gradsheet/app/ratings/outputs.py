"""What was learned of a rating set, laid into a folder: embeddings, predictions, crosstab, script.

Owns which files there are and what stands in them. Works on frozen copies, on another thread.
Must not know windows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradsheet.app.messages import Message, message_of
from gradsheet.app.ratings.crosstab_sheet import Pairs, cells_of, dress, numbers_of, shape_of
from gradsheet.app.ratings.learned import Learned
from gradsheet.app.ratings.newcomer import chosen_ridge
from gradsheet.app.ratings.table_sheets import shortest
from gradsheet.collab.foldin import Ridge
from gradsheet.files.learned_files import write_rows, write_tensors
from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError
from gradsheet.sheet.edits import FormatChange, SetCells, SetFormat, SetRoles
from gradsheet.sheet.workbook import Workbook
from gradsheet.tasks import Control, Progress

if TYPE_CHECKING:
    import numpy.typing as npt

    from gradsheet.app.document import Document
    from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.collab.splits import Split
    from gradsheet.ratings.table import RatingTable

MODEL, CROSSTAB = "model.safetensors", "crosstab.xlsx"
USERS, ITEMS, PREDICTIONS = "users.csv", "items.csv", "predictions.csv"
SCRIPT = "experiment.py"


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """A model as it stands, and what it was learned from.

    Attributes
    ----------
    table : RatingTable
    split : Split
    learned : Learned
    model, learn : ModelChoice, LearnChoice
    pairs : Pairs
        Of the crosstab.
    counts : ndarray (n_items,) int64
        Ratings of each item.
    program : tuple of (str, dict of ndarray) or None
        The experiment as a script and its data; None where there is no script of it.
    """

    table: RatingTable
    split: Split
    learned: Learned
    model: ModelChoice
    learn: LearnChoice
    pairs: Pairs
    counts: npt.NDArray[np.int64]
    program: tuple[str, dict[str, npt.NDArray[Any]]] | None

    @property
    def judged(self) -> RatingTable:
        """The validation part; the training part where there is none."""
        return self.split.valid if len(self.split.valid) else self.split.train


def results_of(session: RatingsSession, pairs: Pairs) -> Results:
    """Note what a session has learned; it must not be learning.

    Raises
    ------
    UserError
        If nothing has been learned yet.
    """
    from gradsheet.app.ratings.scripts import script_of

    learner, learned, split = session.learner, session.learned, session.split
    if learner is None or learned is None or split is None or not session.steps_done:
        raise UserError("Nothing has been learned yet.", "Run first (F5), then export.")
    return Results(
        session.table,
        split,
        learned,
        session.model_choice,
        session.learn_choice,
        pairs,
        session.counts("items"),
        script_of(learner, session.source),
    )


def write_all(
    results: Results, folder: Path, control: Control | None = None
) -> Generator[Progress, None, list[str]]:
    """Write every file into a folder, which is made; return their names."""
    control = control or Control()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise UserError(
            f"{folder} cannot be made: {fault.strerror or fault}.", "Choose another folder."
        ) from fault
    written: list[str] = []
    writers: tuple[tuple[str, Callable[[Path], None]], ...] = (
        (USERS, lambda path: embeddings_csv(results, "users", path, control)),
        (ITEMS, lambda path: embeddings_csv(results, "items", path, control)),
        (PREDICTIONS, lambda path: predictions_csv(results, path, control)),
        (MODEL, lambda path: model_file(results, path)),
        (CROSSTAB, lambda path: crosstab_file(results, path)),
    )
    for name, write in writers:
        yield Progress(len(written) / 6, f"Writing {name}")
        control.checkpoint()
        write(folder / name)
        written.append(name)
    if results.program is not None:
        yield Progress(5 / 6, f"Writing {SCRIPT}")
        control.checkpoint()
        text, data = results.program
        with (folder / SCRIPT).with_suffix(".npz").open("wb") as file:
            np.savez(file, **data)  # type: ignore[arg-type]
        (folder / SCRIPT).write_text(text, encoding="utf-8")
        written += [SCRIPT, SCRIPT.replace(".py", ".npz")]
    return written


def embeddings_csv(results: Results, side: str, path: Path, control: Control) -> None:
    """Write a row for each user or item: id, (title), ratings, bias, factors."""
    learned, table = results.learned, results.table
    of_users = side == "users"
    ids = table.user_ids if of_users else table.item_ids
    rows = learned.user_rows if of_users else learned.item_rows
    bias = learned.user_bias if of_users else learned.item_bias
    counts = table.user_counts() if of_users else results.counts
    head = [side[:-1], *([] if of_users else ["title"]), "ratings"]
    head += [] if bias is None else ["bias"]
    head += [f"factor {f + 1}" for f in range(rows.shape[1])]

    def columns(part: slice) -> list[npt.NDArray[Any]]:
        found = [ids[part]]
        if not of_users:
            titles = table.titles
            none = np.full(len(found[0]), "", dtype=object)
            found.append(none if titles is None else titles[part])
        found.append(counts[part])
        return [*found, *([] if bias is None else [bias[part]]), rows[part]]

    write_rows(path, head, columns, len(ids), control.checkpoint)


def predictions_csv(results: Results, path: Path, control: Control) -> None:
    """Write the ratings that the model is judged by, each beside its prediction."""
    table, judged = results.table, results.judged

    def columns(part: slice) -> list[npt.NDArray[Any]]:
        users, items = judged.users[part], judged.items[part]
        actual, predicted = shortest(judged.ratings[part]), results.learned.predict(users, items)
        found = [table.user_ids[users], table.item_ids[items]]
        if table.titles is not None:
            found.append(table.titles[items])
        return [*found, actual, predicted, predicted - actual]

    titles = [] if table.titles is None else ["title"]
    head = ["user", "item", *titles, "rating", "prediction", "error"]
    write_rows(path, head, columns, len(judged), control.checkpoint)


def model_file(results: Results, path: Path) -> None:
    """Write embeddings, biases, layers, predictions and ids; `gradsheet recommend` reads it."""
    learned, table, judged = results.learned, results.table, results.judged
    arrays: dict[str, npt.NDArray[Any]] = {
        "user_factors": learned.user_rows,
        "item_factors": learned.item_rows,
        "item_counts": results.counts,
        "predictions/user": judged.users,
        "predictions/item": judged.items,
        "predictions/rating": judged.ratings,
        "predictions/prediction": learned.predict(judged.users, judged.items),
    }
    ridge = Ridge()
    if learned.factors is not None:
        has_bias = results.model.kind == "bias"
        ridge = chosen_ridge(learned.factors, results.split.train, results.split.valid, has_bias)
    facts: dict[str, Any] = {
        "model": dataclasses.asdict(results.model),
        "low": learned.low,
        "high": learned.high,
        "ridge": list(ridge),
        "titles": None if table.titles is None else [str(x) for x in table.titles.tolist()],
    }
    for name, ids in (("user_ids", table.user_ids), ("item_ids", table.item_ids)):
        if ids.dtype.kind in "iu":
            arrays[name] = ids
        else:
            facts[name] = [str(x) for x in ids.tolist()]
    factors, net = learned.factors, learned.net
    if factors is not None:
        arrays |= {"user_bias": factors.user_bias, "item_bias": factors.item_bias}
        facts |= {"mean": factors.mean, "link": factors.link, "range": [factors.low, factors.high]}
    if net is not None:
        for i, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
            arrays |= {f"layer{i}/weight": weight, f"layer{i}/bias": bias}
        if net.genres is not None:
            arrays["genres"] = net.genres
    write_tensors(path, arrays, facts)


def crosstab_file(results: Results, path: Path) -> None:
    """Write the crosstab as a workbook of its own: predictions and error are live formulas.

    Embeddings are numbers in it, as in the lesson, so that Excel's Solver can change them.
    """
    from gradsheet.files.xlsx_write import write_xlsx

    write_xlsx(crosstab_workbook(results), path)


def crosstab_workbook(results: Results) -> Workbook:
    """Return the crosstab as a workbook that reads no other sheet."""
    learned, pairs = results.learned, results.pairs
    widths = (learned.user_rows.shape[1], learned.item_rows.shape[1])
    shape = shape_of(results.model, results.learn, len(pairs.users), len(pairs.items), widths)
    book = Workbook.with_sheet("Crosstab")
    sheet = book.sheets[0]
    embedded = (shape.user_block, shape.item_block)
    cells = [
        (cell, content)
        for cell, content in cells_of(shape, pairs, learned)
        if not any(block.contains(Cell(*cell)) for block in embedded)
    ]
    book.apply(SetCells(sheet.id, tuple(cells)))
    for region, numbers in numbers_of(shape, pairs, learned):
        sheet.cells.write(region, numbers)
    book.apply(SetRoles(sheet.id, shape.roles()))
    for region in (*embedded, shape.predictions):
        book.apply(SetFormat(sheet.id, region, FormatChange(number="0.00")))
    dress(sheet, shape, pairs)
    return book


def export_learned(document: Document, folder: Path) -> None:
    """Write what the open rating set has learned into a folder, on the engine's thread.

    A run that is on goes on; a message says what was written.

    Raises
    ------
    UserError
        If no rating set is open, or nothing has been learned yet.
    """
    session, book = document.ratings, document.ratings_book
    if session is None or book is None:
        raise UserError("No rating set is open.", "Open a file of ratings first.")
    resume = session.stop()
    try:
        results = results_of(session, book.pairs)
    finally:
        if resume:
            session.start()

    def job() -> list[str]:
        work = write_all(results, folder)
        while True:
            try:
                next(work)
            except StopIteration as end:
                return list(end.value)

    def done(written: list[str]) -> None:
        hint = "" if SCRIPT in written else (
            "There is no script of this run: it was edited by hand, or torch lacks its optimizer."
        )  # fmt: skip
        text = f"Exported what was learned to {folder.name}: {', '.join(written)}."
        document.say(Message("info", text, hint))

    def failed(error: BaseException) -> None:
        document.say(message_of(error, f"exporting to {folder.name}"))

    document.engine.submit(job, done, failed, f"exporting to {folder.name}")
