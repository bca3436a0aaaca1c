"""One cell in three languages: Excel with numbers put in, mathematics, PyTorch that runs.

Owns the choice of what is said of a cell. A formula, a member of an array and a plain number are
all explained; every number keeps the cells it came from, so that a view can point at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gradsheet.formula.address import Cell
from gradsheet.formula.explain_cells import Segment, Source, View
from gradsheet.formula.explain_maths import SymbolOf, equation
from gradsheet.formula.explain_numbers import numbers_put_in
from gradsheet.formula.explain_torch import torch_program
from gradsheet.formula.mathtree import MathML, Tree, latex
from gradsheet.formula.unparse import unparse
from gradsheet.formula.values import ErrorCode, Scalar

Language = Literal["excel", "maths", "pytorch"]
LANGUAGES: tuple[Language, ...] = ("excel", "maths", "pytorch")

MOST_PLACES = 12
"""Numbers whose cells are named on a terminal."""
NO_CODE = "There is no number here that PyTorch could compute."


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is said of a cell in one language.

    Attributes
    ----------
    sheet, cell : which cell
    language : in which language
    value : what the cell holds
    segments : the line, for Excel and PyTorch; each number with its cells
    maths : the formula as a tree, for the mathematics
    copied : what a user takes away: the line, the LaTeX, or a whole Python program
    """

    sheet: int
    cell: Cell
    language: Language
    value: Scalar
    segments: tuple[Segment, ...]
    maths: Tree | None
    copied: str

    @property
    def text(self) -> str:
        """The line as plain text."""
        return "".join(segment.text for segment in self.segments)

    def mathml(self) -> tuple[str, tuple[Source, ...]]:
        """The mathematics as MathML, and the cells of the number with the id `nI`, by I."""
        if self.maths is None:
            return "", ()
        printer = MathML()
        page = printer.page(self.maths)
        return page, tuple(printer.links)


def explain(
    view: View, language: Language, symbol_of: SymbolOf | None = None, aside: str = ""
) -> Explanation:
    """What a cell is, in one language.

    Parameters
    ----------
    view : the cell with its formula
    language : "excel", "maths" or "pytorch"
    symbol_of : letters for cells with a role, for the mathematics
    aside : what else there is to say, after the numbers of Excel
    """
    if language == "maths":
        tree = equation(view, symbol_of).tree
        return Explanation(
            view.sheet, view.cell, language, view.value, (), tree, latex(tree)
        )
    if language == "pytorch":
        return _pytorch(view)
    segments = numbers_put_in(view)
    copied = "".join(segment.text for segment in segments)
    if aside:
        segments = (*segments, Segment(f"   {aside}", tone="note"))
    return Explanation(view.sheet, view.cell, language, view.value, segments, None, copied)


def _pytorch(view: View) -> Explanation:
    program = torch_program(view)
    if program is None:
        shown = view.value.text if isinstance(view.value, ErrorCode) else f'"{view.value}"'
        segments = (Segment(f"{shown}   "), Segment(NO_CODE, tone="note"))
        return Explanation(view.sheet, view.cell, "pytorch", view.value, segments, None, "")
    remarks = tuple(Segment(f"   # {note}", tone="note") for note in program.notes)
    return Explanation(
        view.sheet, view.cell, "pytorch", view.value, (*program.expression, *remarks), None,
        program.source,
    )  # fmt: skip


def in_three_languages(
    view: View, symbol_of: SymbolOf | None = None, aside: str = ""
) -> str:
    """A cell explained as plain text, for a terminal.

    Parameters
    ----------
    aside : what else there is to say of the cell
    """
    formula = "" if view.formula is None else unparse(view.formula.expr, view.host)
    name = f"{view.inputs.sheet_name(view.sheet)}!{view.cell}"
    code = explain(view, "pytorch")
    parts = [name]
    if formula:
        parts.append(f"Excel    {formula}")
    line = explain(view, "excel")
    parts.append(f"numbers  {line.text}")
    found = [s for s in line.segments if s.source is not None and s.source.region.size == 1]
    places = [f"{s.text} is {_place(view, s.source)}" for s in found if s.source is not None]
    if formula and places:
        shown = [*places[:MOST_PLACES], "…"] if len(places) > MOST_PLACES else places
        parts.append(f"where    {', '.join(shown)}")
    if aside:
        parts.append(f"note     {aside}")
    parts.append(f"maths    {explain(view, 'maths', symbol_of).copied}")
    parts.append("PyTorch\n" + code.copied if code.copied else f"PyTorch  {code.text}")
    return "\n".join(parts)


def _place(view: View, source: Source) -> str:
    """A cell by its name, with its sheet where that is another one."""
    cell = str(source.region)
    home = source.sheet
    return cell if home == view.sheet else f"{view.inputs.sheet_name(home)}!{cell}"
