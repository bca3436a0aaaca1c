"""`gradsheet export FILE|lesson:NAME --to OUT`: a workbook, a sheet, a run or a picture.

Owns the arguments. Pictures are painted by what the caller hands in, for this package knows no
window.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from gradsheet.app.document import Document
from gradsheet.app.export.exporting import ENDINGS, PICTURES, export_job
from gradsheet.app.messages import Message
from gradsheet.app.saving import opening
from gradsheet.formula.values import UserError
from gradsheet.lessons import catalogue
from gradsheet.sheet.workbook import Sheet

Painter: TypeAlias = Callable[[Document, Sheet, Path, argparse.Namespace], None]
_PATIENCE_S = 3600.0


def main(argv: Sequence[str], painter: Callable[[], Painter]) -> int:
    """Run `export` with its arguments (the word `export` first).

    Parameters
    ----------
    painter : callable
        Returns what writes .png, .svg and .gif; called for these only.

    Returns
    -------
    int
        0 done, 1 failed with a message.
    """
    options = parser().parse_args(argv[1:])
    try:
        print(export(options, painter))
    except UserError as error:
        print(f"gradsheet: {error.text}\n{error.hint}".rstrip(), file=sys.stderr)
        return 1
    return 0


def export(options: argparse.Namespace, painter: Callable[[], Painter]) -> str:
    """Open, run and export; return what was written.

    Raises
    ------
    UserError
        If something cannot be opened, run or written.
    """
    target = Path(options.to)
    if target.suffix.lower() not in ENDINGS:
        raise UserError(f"{target.name} is none of the formats that are exported.",
                        f"Choose a name that ends in {', '.join(ENDINGS)}.")  # fmt: skip
    document = opened(options.source, options.seed)
    try:
        sheet = _sheet(document, options.sheet)
        if target.suffix.lower() == ".gif":
            painter()(document, sheet, target, options)
            return f"Exported {target.name}."
        if options.steps:
            run(document, options.steps)
        if target.suffix.lower() in PICTURES:
            painter()(document, sheet, target, options)
            return f"Exported {target.name}."
        message = export_job(document, target, sheet.id)()
        return "\n".join(filter(None, (message.text, message.detail)))
    finally:
        document.close()


def opened(source: str, seed: int = 0) -> Document:
    """Return a document with a lesson, a session or a workbook in it, calculated.

    Raises
    ------
    UserError
        If it cannot be opened.
    """
    kind, _, name = source.partition(":")
    if kind == "lesson":
        lesson = catalogue.find(name)
        document = Document()
        document.open_book(lesson.build(seed, None), lesson, None, seed=seed)
        document.finish(_PATIENCE_S)
        return document
    path = Path(source)
    if not opening.is_workbook(path):
        hint = "Write lesson:NAME, or a file that ends in .gradsheet or .xlsx."
        raise UserError(f"{source!r} is nothing that can be exported.", hint)
    document = Document()
    document.finish(_PATIENCE_S)
    said: list[Message] = []
    document.add_listener(_Ear(said))
    opening.open_file(document, path)
    document.finish(_PATIENCE_S)
    error = next((message for message in said if message.level == "error"), None)
    if error is not None or document.path != path:
        document.close()
        raise UserError(error.text if error else f"{path.name} could not be opened.",
                        error.hint if error else "")  # fmt: skip
    return document


class _Ear:
    """Keeps what a document says."""

    def __init__(self, said: list[Message]) -> None:
        self._said = said

    def on_change(self, change: object) -> None:
        """Nothing is shown."""

    def on_run(self, run: object) -> None:
        """Nothing is shown."""

    def on_replaced(self) -> None:
        """Nothing is shown."""

    def on_message(self, message: Message) -> None:
        """Keep it."""
        self._said.append(message)


def run(document: Document, steps: int) -> None:
    """Take steps of the document's run.

    Raises
    ------
    UserError
        If nothing is learned in the workbook, or the loss became non-finite.
    """
    document.step_run(steps)
    deadline = time.monotonic() + _PATIENCE_S
    while document.run.step < steps and document.run.state != "failed":
        document.finish(_PATIENCE_S)
        if time.monotonic() > deadline:
            raise UserError("The run takes too long.", "Ask for fewer steps.")
        if not document.is_busy and document.run.step < steps:
            document.step_run(steps - document.run.step)
    if document.run.state == "failed":
        raise UserError(document.run.note, "Ask for fewer steps, or set a smaller rate.")


def _sheet(document: Document, name: str | None) -> Sheet:
    if name is None:
        return document.workbook.sheet(document.book.sheet)
    found = document.workbook.by_name(name)
    if found is None:
        names = ", ".join(sheet.name for sheet in document.workbook.sheets)
        raise UserError(f"There is no sheet {name!r}.", f"Sheets: {names}.")
    return found


def parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments behind `export`."""
    made = argparse.ArgumentParser(
        prog="gradsheet export",
        description="Write a lesson or a file as a workbook, a program or a picture; the ending "
        "of the target says which.",
        epilog=".xlsx live formulas; .csv values of a sheet; .py and .ipynb the run in plain "
        "PyTorch; .png and .svg the sheet, or the loss curve with --plot; .gif the run.",
    )
    made.add_argument("source", help="lesson:NAME, a .gradsheet or an .xlsx file")
    made.add_argument("--to", required=True, metavar="OUT", help=f"a file: {', '.join(ENDINGS)}")
    made.add_argument("--steps", type=_count, help="steps (epochs) to run first; a program "
                      "without it makes 200 (50)")  # fmt: skip
    made.add_argument("--seed", type=int, default=0, help="of a lesson's random start")
    made.add_argument("--sheet", help="the sheet to export; the active one by default")
    made.add_argument("--range", help="for pictures: the cells to show, such as A1:V42")
    made.add_argument("--plot", action="store_true", help="for pictures: the loss curve instead")
    made.add_argument("--scale", type=int, choices=(1, 2), default=1, help="for .png")
    made.add_argument("--theme", choices=("light", "dark", "contrast"), default="light")
    return made


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number
