"""What can be exported: the workbook, a sheet, and the run as a program.

Owns which ending means which format, and the making of scripts and notebooks out of chapters.
Writing happens on the engine's thread. Pictures are the window's (`qt.pictures`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gradsheet.app.export.script_facts import RunFacts, run_facts
from gradsheet.app.messages import Message, message_of
from gradsheet.app.saving.opening import workbook_job
from gradsheet.formula.values import UserError

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.files.notebook import NotebookCell

PROGRAMS = (".py", ".ipynb")
PICTURES = (".png", ".svg", ".gif")
ENDINGS = (".xlsx", ".csv", *PROGRAMS, *PICTURES)

_CURVE = '''class Curve:
    """A list of losses, drawn when it is the last thing in a cell."""

    def __init__(self, losses, width=640, height=300):
        self.losses, self.width, self.height = losses, width, height

    def _repr_svg_(self):
        finite = [y for y in self.losses if math.isfinite(y)]
        is_log = min(finite) > 0
        ys = [math.log10(y) if is_log else y for y in finite]
        low, high = min(ys), max(ys)
        left, top, right, bottom = 64, 16, self.width - 16, self.height - 36
        across = (right - left) / max(len(ys) - 1, 1)
        down = (bottom - top) / ((high - low) or 1.0)
        points = " ".join(f"{left + i * across:.1f},{bottom - (y - low) * down:.1f}"
                          for i, y in enumerate(ys))
        ends = [(high, top + 4), (low, bottom)]
        ticks = "".join(f'<text x="{left - 6}" y="{y}" text-anchor="end">'
                        f"{10**value if is_log else value:.4g}</text>" for value, y in ends)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" '
                f'height="{self.height}" font-family="sans-serif" font-size="12">'
                f'<rect width="100%" height="100%" fill="#ffffff"/>{ticks}'
                f'<text x="{right}" y="{self.height - 10}" text-anchor="end">'
                f"{len(ys):,} points{', logarithmic' if is_log else ''}</text>"
                f'<polyline points="{points}" fill="none" stroke="#0072b2" '
                'stroke-width="1.5"/></svg>')


Curve(losses)'''


def export_file(document: Document, path: Path, sheet: int) -> None:
    """Write the open document in the format that the ending says; a message tells of it.

    Parameters
    ----------
    sheet : int
        Id of the sheet that a .csv gets.

    Raises
    ------
    UserError
        If the ending is none of ours, or there is no run that a program could make.
    """
    document.pause_run()
    job = export_job(document, path, sheet)

    def failed(error: BaseException) -> None:
        document.say(message_of(error, f"exporting {path.name}"))

    document.engine.submit(job, document.say, failed, f"exporting {path.name}")


def export_job(
    document: Document, path: Path, sheet: int, steps: int | None = None
) -> Callable[[], Message]:
    """Return what writes the file and says so; it may be called on another thread.

    Raises
    ------
    UserError
        As `export_file`.
    """
    ending = path.suffix.lower()
    if ending == ".xlsx":
        return workbook_job(document, path)
    if ending == ".csv":
        return _csv_job(document, path, sheet)
    if ending in PROGRAMS:
        return _program_job(run_facts(document, steps), path)
    raise UserError(
        f"gradsheet cannot export {ending or 'a file without an ending'}.",
        f"Choose a name that ends in {', '.join(ENDINGS)}.",
    )


def _csv_job(document: Document, path: Path, sheet: int) -> Callable[[], Message]:
    workbook = document.workbook.snapshot()

    def job() -> Message:
        from gradsheet.files.csv_sheet import write_csv

        chosen = workbook.sheet(sheet)
        write_csv(workbook, chosen, path)
        return Message("info", f"Exported the values of {chosen.name} to {path.name}.")

    return job


def _program_job(facts: RunFacts, path: Path) -> Callable[[], Message]:
    what = "epochs" if facts.sheet is not None else "steps"

    def job() -> Message:
        if path.suffix.lower() == ".py":
            from gradsheet.app.export.script import script_text
            from gradsheet.files.atomic import write_text

            write_text(path, script_text(facts))
        else:
            from gradsheet.files.notebook import write_notebook

            write_notebook(notebook_cells(facts), path)
        return Message("info", f"Exported {facts.steps:,} {what} to {path.name}.",
                       "It runs wherever torch is installed.")  # fmt: skip

    return job


def notebook_cells(facts: RunFacts) -> list[NotebookCell]:
    """Return the cells of a notebook: the lesson, the run chapter by chapter, the loss curve."""
    from gradsheet.app.export.script import chapters, opening_words
    from gradsheet.files.notebook import NotebookCell

    first, _, rest = opening_words(facts).partition("\n")
    cells = [NotebookCell("markdown", f"# {first}\n{rest}")]
    if facts.guide:
        cells.append(NotebookCell("markdown", _guide(facts.guide)))
    for chapter in chapters(facts):
        cells.append(NotebookCell("markdown", f"## {chapter.title}\n\n{chapter.text}"))
        cells.append(NotebookCell("code", chapter.code))
    cells.append(NotebookCell("markdown", "## The loss\n\nAs it fell from step to step."))
    cells.append(NotebookCell("code", _CURVE))
    return cells


def _guide(text: str) -> str:
    """Return a lesson's guide one level down, without links that only the program knows."""
    plain = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text)
    return re.sub(r"^#", "##", plain, flags=re.MULTILINE)
