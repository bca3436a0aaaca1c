"""Blocks of formulas as batched PyTorch expressions, for a script that people read.

Owns the writing of one block: references as tensors or parts of them, operators, IF. The
functions are `script_functions`. Whatever has no short counterpart is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from gradsheet.formula.address import Region
from gradsheet.formula.areas import Area, Part, area_of
from gradsheet.formula.graph import sheet_named
from gradsheet.formula.script_cells import Cells, NoScriptError, number_text
from gradsheet.formula.syntax import Binary, Boolean, Call, Expr, Number, Percent, Range, Ref, Text
from gradsheet.formula.syntax import Unary as Sign
from gradsheet.formula.values import Kind

COMPARE, ADD, MULTIPLY, SIGN, POWER, ATOM = 1, 3, 4, 5, 6, 9
"""How tightly Python's operators hold."""
_OPERATORS = {"+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "^": POWER}
_TESTS = {"=": "==", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}

View = Literal["cell", "row", "column", "all"]
"""How ranges lie: one number a cell of the block; along the last dimension; along the first; in
two dimensions of their own behind those of the block."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an expression.

    Attributes
    ----------
    text : str
    power : int
        How tightly it holds together.
    is_number : bool
        Whether it is one plain Python number.
    is_truth : bool
    gaps, texts : bool
        See `script_cells.Variable`.
    is_array : bool
        Whether it holds more than one number for each cell of the block.
    is_gap : bool
        Whether it is the empty text.
    """

    text: str
    power: int = ATOM
    is_number: bool = False
    is_truth: bool = False
    gaps: bool = False
    texts: bool = False
    is_array: bool = False
    is_gap: bool = False

    def held(self, power: int) -> str:
        """Return the text, in parentheses if it holds less tightly than that."""
        return self.text if self.power >= power else f"({self.text})"


class BlockCoder:
    """Writes the formula of one block.

    Parameters
    ----------
    cells : Cells
    part : Part
        Its cells.
    sheet_id : callable (name) -> id
    is_array : bool
        Whether it is an array formula.
    """

    def __init__(self, cells: Cells, part: Part, sheet_id: object, is_array: bool) -> None:
        if part.row_stride != 1 or part.col_stride != 1:
            raise NoScriptError("cells with others between them")
        self.cells = cells
        self.part = part
        self.is_single = part.rows == part.cols == 1
        self.view: View = "all" if is_array else "cell"
        self.uses_windows = False
        self._sheet_id = sheet_id

    def result(self, expr: Expr) -> Piece:
        """Return the block's tensor, of two dimensions."""
        piece = self.write(expr)
        if piece.is_truth:
            raise NoScriptError("a truth in a cell")
        if piece.is_array:
            if self.is_single:
                return piece
            raise NoScriptError("an array a cell")
        return piece

    def write(self, expr: Expr) -> Piece:
        """Write a part of the formula."""
        match expr:
            case Number(value):
                return Piece(number_text(value), SIGN if value < 0 else ATOM, is_number=True)
            case Boolean(value):
                return Piece(str(value), is_truth=True, is_number=True)
            case Text(""):
                return Piece("nan", gaps=True, texts=True, is_number=True, is_gap=True)
            case Ref() | Range():
                return self.reference(expr)
            case Sign("-", x):
                inner = self.counted(self.write(x))
                return replace(inner, text=f"-{inner.held(POWER)}", power=SIGN)
            case Sign("+", x):
                return self.counted(self.write(x))
            case Percent(x):
                inner = self.counted(self.write(x))
                return replace(inner, text=f"{inner.held(MULTIPLY)} / 100", power=MULTIPLY)
            case Binary(op, a, b):
                return self._binary(op, a, b)
            case Call():
                from gradsheet.formula.script_functions import call

                return call(self, expr)
        raise NoScriptError(type(expr).__name__)

    # ------------------------------------------------------------------ references

    def area(self, node: Ref | Range) -> Area:
        """Return where a reference points."""
        named = sheet_named(node)
        sheet = self.part.sheet if named is None else self._sheet_id(named)  # type: ignore[operator]
        area = None if sheet is None else area_of(node, sheet, self.part)
        if area is None:
            raise NoScriptError("a lost reference")
        return area

    def reference(self, node: Ref | Range) -> Piece:
        """Cells as a tensor in the view that is on."""
        area = self.area(node)
        hull = area.hull(self.part.rows, self.part.cols)
        if hull.size == 1:
            constant = self.cells.number(area.sheet, hull)
            if constant is not None and constant[1] == Kind.BLANK:
                return Piece("0.0", is_number=True)
        text, owner = self.cells.at(area.sheet, hull)
        gaps, texts = (owner.gaps, owner.texts) if owner else (False, False)
        piece = Piece(text, gaps=gaps, texts=texts)
        if area.is_cell:
            if self.is_single:
                return replace(piece, text=self._scalar(area.sheet, hull, text))
            behind = self.view == "all" and hull.size > 1
            return replace(piece, text=f"{text}[..., None, None]") if behind else piece
        if self.is_single:
            return replace(piece, is_array=True)
        return self._window(piece, area)

    def _scalar(self, sheet: int, hull: Region, text: str) -> str:
        """One element of a tensor."""
        _, owner = self.cells.at(sheet, hull)
        if owner is None:
            return f"{text}[0, 0]"
        if owner.region.size == 1:
            return owner.name
        row, col = hull.top - owner.region.top, hull.left - owner.region.left
        return f"{owner.name}[{row}, {col}]"

    def _window(self, piece: Piece, area: Area) -> Piece:
        if self.view == "cell":
            raise NoScriptError("a range where one number is wanted")
        found = replace(piece, is_array=True)
        if self.view in ("row", "column"):
            return found
        self.uses_windows = True
        return replace(found, text=f"windows({piece.text}, {area.height}, {area.width})")

    # ------------------------------------------------------------------ operators

    def counted(self, piece: Piece) -> Piece:
        """A piece as numbers for arithmetic: a blank is 0, a truth 0 or 1."""
        if piece.is_truth:
            if piece.is_number:
                return Piece("1.0" if piece.text == "True" else "0.0", is_number=True)
            return replace(piece, text=f"{piece.held(ATOM)}.double()", power=ATOM, is_truth=False)
        if piece.texts:
            raise NoScriptError("arithmetic with texts")
        if piece.gaps:
            text = f"torch.nan_to_num({piece.text})"
            return replace(piece, text=text, power=ATOM, gaps=False)
        return piece

    def _binary(self, op: str, a: Expr, b: Expr) -> Piece:
        if op in _TESTS:
            return self._test(op, a, b)
        if op not in _OPERATORS:
            raise NoScriptError(f"the operator {op}")
        left, right = self.counted(self.write(a)), self.counted(self.write(b))
        power = _OPERATORS[op]
        first = left.held(power + (op == "^"))
        text = f"{first} {'**' if op == '^' else op} {right.held(power + 1)}"
        return self.joined(left, right, text, power)

    def _test(self, op: str, a: Expr, b: Expr) -> Piece:
        for one, other in ((a, b), (b, a)):
            if one == Text("") and op in ("=", "<>"):
                piece = self.write(other)
                if not piece.gaps:
                    raise NoScriptError("a comparison with nothing")
                sign = "" if op == "=" else "~"
                text = f"{sign}torch.isnan({piece.text})"
                return replace(piece, text=text, power=SIGN if sign else ATOM, is_truth=True,
                               gaps=False, texts=False)  # fmt: skip
        left, right = self.counted(self.write(a)), self.counted(self.write(b))
        text = f"{left.held(COMPARE + 1)} {_TESTS[op]} {right.held(COMPARE + 1)}"
        return replace(self.joined(left, right, text, COMPARE), is_truth=True)

    @staticmethod
    def joined(left: Piece, right: Piece, text: str, power: int) -> Piece:
        """Return two pieces as one."""
        return Piece(text, power, left.is_number and right.is_number,
                     is_array=left.is_array or right.is_array)  # fmt: skip

    def tensor(self, piece: Piece) -> str:
        """Return the text of a piece for a torch function, which takes no plain numbers."""
        return f"tensor({piece.text})" if piece.is_number else piece.text
