"""A formula as PyTorch: an expression that runs and gives the cell's number.

Owns the writing of code: tensors for the cells read, operators, the choice of a branch, and the
program around the expression. What functions become is `explain_torch_functions`'s. What has no
counterpart in tensors (texts, look-ups) has its value put in, and a note says so.
"""

# LONG: one coder; what functions become has modules of its own.

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.explain_cells import (
    Array,
    Floats,
    Segment,
    Source,
    View,
    error_text,
    is_array_argument,
)
from gradsheet.formula.explain_code import (
    ADD,
    ATOM,
    COMPARE,
    HEADER,
    INLINE,
    MULTIPLY,
    POWER,
    SIGN,
    Code,
    NoTensorError,
    Program,
    float_text,
    holds,
    nested,
)
from gradsheet.formula.nodes import Columns, Range, Ref, Rows
from gradsheet.formula.syntax import (
    Binary,
    Boolean,
    Call,
    Expr,
    Number,
    Percent,
    Unary,
    children,
)
from gradsheet.formula.unparse import unparse
from gradsheet.formula.values import ErrorCode, Kind

_OPERATORS = {"+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "^": POWER}
_COMPARISONS = {"=": "==", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


def torch_program(view: View) -> Program | None:
    """The PyTorch program of a cell; None where its value is no number.

    The program has been run: where it would not give the number of the cell, or there is no
    counterpart in tensors, the value is put in and a note says so.
    """
    if isinstance(view.value, (ErrorCode, str)):
        return None
    coder = Coder(view)
    try:
        program = _program(coder, coder.result())
        if view.expr is None or holds(program, coder.plain_value()):
            return program
    except NoTensorError:
        pass
    coder = Coder(view)
    coder.note("no tensors compute this formula: its value is put in")
    own = Source(view.sheet, Region.of(view.cell))
    return _program(coder, coder.number(coder.plain_value(), own))


def _program(coder: Coder, code: Code) -> Program:
    lines = [HEADER, *(f"{line}\n" for line in coder.definitions.values())]
    lines += [f"# {note}\n" for note in coder.notes]
    exact = "".join(part.exact or part.text for part in code.segments)
    lines.append(f"result = {exact}\n")
    return Program(code.segments, "".join(lines), tuple(coder.notes))


@dataclass(slots=True)
class Coder:
    """Writes one formula as code.

    Attributes
    ----------
    definitions : the tensors that got a name, each with its line
    notes : remarks for the reader
    """

    view: View
    definitions: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    is_array: bool = False

    def result(self) -> Code:
        """The code of the cell."""
        view = self.view
        own = Source(view.sheet, Region.of(view.cell))
        if view.expr is None:
            return self.number(self.plain_value(), own)
        self.is_array = view.is_array
        if _is_drawn(view.expr):
            self.note("the formula draws at random: what it drew is put in")
            return self.number(self.plain_value(), own)
        code = self.write(view.expr)
        at = view.at or (0, 0)
        if not code.is_one:
            code = self._element(code, at)
        return self.counted(code) if code.is_truth and not isinstance(view.value, bool) else code

    def _element(self, code: Code, at: tuple[int, int]) -> Code:
        row = 0 if code.shape[0] == 1 else at[0]
        col = 0 if code.shape[1] == 1 else at[1]
        index = f"[{row + col}]" if code.is_flat else f"[{row}, {col}]"
        return Code((*self.held(code, ATOM), Segment(index)))

    def plain_value(self) -> float:
        """The value of the cell as a number: TRUE is 1, a blank 0."""
        value = self.view.value
        return float(value) if isinstance(value, (bool, float)) else 0.0

    def note(self, remark: str) -> None:
        """Add a remark: one line, for it becomes a comment and a formula may hold line breaks."""
        line = " ".join(remark.split())
        if line not in self.notes:
            self.notes.append(line)

    # ------------------------------------------------------------------ walking

    def write(self, expr: Expr) -> Code:
        """A part of the formula; its value where it has no counterpart."""
        try:
            return self._write(expr)
        except NoTensorError:
            return self.value_of(expr)

    def _write(self, expr: Expr) -> Code:
        match expr:
            case Number(value, _):
                return Code((Segment(float_text(value)),), ATOM, is_tensor=False)
            case Boolean(value):
                return Code((Segment(str(value)),), is_tensor=False, is_truth=True)
            case Ref() | Range() | Columns() | Rows():
                return self.cells(self.place(expr))
            case Binary(op, a, b):
                return self._binary(op, a, b)
            case Unary(op, x):
                return self._unary(op, x)
            case Percent(x):
                held = self.held(self.counted(self.write(x)), MULTIPLY)
                return Code((*held, Segment(" / 100")), MULTIPLY)
            case Call():
                return self._call(expr)
            case _:
                raise NoTensorError

    def place(self, expr: Expr, whole: bool = False) -> Source:
        """The cells that a reference means. Raises NoTensorError."""
        found = self.view.place(expr, self.is_array, whole)
        if found is None:
            raise NoTensorError
        return found

    def value_of(self, expr: Expr) -> Code:
        """What a part is worth, as a constant, with a note."""
        found = self.view.array(expr, self.is_array)
        is_error = bool((found.kinds == Kind.ERROR).any())
        if is_error or (found.kinds == Kind.TEXT).any():
            raise NoTensorError
        written = unparse(expr, self.view.host)[1:]
        if isinstance(expr, Call):
            shown = written if len(written) <= 60 else f"{expr.name}(…)"
            self.note(f"{shown} is no work for tensors: its value is put in")
        if found.is_one:
            return self.number(float(found.values[0, 0]), None)
        return self.tensor(found.values, None)

    # ------------------------------------------------------------------ cells

    def cells(self, source: Source) -> Code:
        """Cells as numbers for arithmetic: a blank is 0, TRUE is 1."""
        found = self.view.read(source)
        if np.isin(found.kinds, (Kind.ERROR, Kind.TEXT)).any():
            raise NoTensorError
        if source.region.size == 1:
            return self.number(float(found.values[0, 0]), source)
        return self.tensor(found.values, source)

    def number(self, value: float, source: Source | None) -> Code:
        """One number as a tensor."""
        shown = self.view.number_text(value, source).replace(",", "")
        if "." not in shown and "e" not in shown.lower() and shown.lstrip("-").isdigit():
            shown += "."
        middle = Segment(shown, source, exact=float_text(value))
        return Code((Segment("tensor("), middle, Segment(")")))

    def tensor(self, values: Floats, source: Source | None, *, gaps: bool = False,
               name: str = "") -> Code:  # fmt: skip
        """Many numbers: written out if few, else by a name; one row or column has one dimension.

        `gaps` says that NaN stands where there is no number.
        """
        rows, cols = values.shape
        is_flat = 1 in values.shape
        shape = (rows, cols)
        if values.size <= INLINE and not gaps:
            return Code(tuple(self._literal(values, source)), shape=shape, is_flat=is_flat)
        name = name or self.name(source)
        self.definitions[name] = f"{name} = tensor({nested(values, is_flat)})"
        return Code((Segment(name, source),), shape=shape, is_flat=is_flat)

    def _literal(self, values: Floats, source: Source | None) -> list[Segment]:
        """`tensor([0.21, 1.61])`, every number tied to its cell."""
        segments = [Segment("tensor([")]
        rows, cols = values.shape
        for row in range(rows):
            if row and 1 not in values.shape:
                segments.append(Segment("], ["))
            elif row:
                segments.append(Segment(", "))
            for col in range(cols):
                if col:
                    segments.append(Segment(", "))
                cell = None
                if source is not None:
                    top, left = source.region.top + row, source.region.left + col
                    cell = Source(source.sheet, Region.of(Cell(top, left)))
                segments.append(self.number(float(values[row, col]), cell).segments[1])
        segments.append(Segment("])"))
        if 1 not in values.shape:
            segments[0] = Segment("tensor([[")
            segments[-1] = Segment("]])")
        return segments

    def name(self, source: Source | None) -> str:
        """A variable's name for cells: `H2_V16`, with the sheet if it is another one."""
        if source is None:
            return f"values_{len(self.definitions) + 1}"
        region = source.region
        first, last = Cell(region.top, region.left), Cell(region.bottom - 1, region.right - 1)
        name = f"{first}_{last}"
        if source.sheet != self.view.sheet:
            sheet = self.view.inputs.sheet_name(source.sheet)
            name = "".join(c if c.isalnum() else "_" for c in sheet) + f"_{name}"
        return name if name.isidentifier() else f"_{name}"

    # ------------------------------------------------------------------ operators

    def held(self, code: Code, power: int) -> tuple[Segment, ...]:
        """A piece, in parentheses if it holds less tightly than that."""
        if code.power >= power:
            return code.segments
        return (Segment("("), *code.segments, Segment(")"))

    def counted(self, code: Code) -> Code:
        """Booleans as 0 and 1, for they count in arithmetic."""
        if not code.is_truth:
            return code
        if not code.is_tensor:
            return Code((Segment("float("), *code.segments, Segment(")")), is_tensor=False)
        inner = (*self.held(code, ATOM), Segment(".double()"))
        return Code(inner, shape=code.shape, is_flat=code.is_flat)

    def argument(self, code: Code) -> tuple[Segment, ...]:
        """A piece as the argument of a torch function, which wants a tensor."""
        code = self.counted(code)
        if code.is_tensor:
            return code.segments
        return (Segment("tensor("), *code.segments, Segment(")"))

    def squared_up(self, code: Code, other: Code) -> Code:
        """A row or column as two dimensions, where it meets one of another shape."""
        if code.is_one or not code.is_flat or code.shape == other.shape or other.is_one:
            return code
        tail = Segment(f".reshape({code.shape[0]}, {code.shape[1]})")
        return Code((*self.held(code, ATOM), tail), shape=code.shape)

    def _binary(self, op: str, a: Expr, b: Expr) -> Code:
        left, right = self.write(a), self.write(b)
        if op in _COMPARISONS:
            self._refuse_texts(a, b)
            return self.joined(left, f" {_COMPARISONS[op]} ", right, COMPARE, is_truth=True)
        if op not in _OPERATORS:
            raise NoTensorError
        left, right = self.counted(left), self.counted(right)
        return self.joined(left, " ** " if op == "^" else f" {op} ", right, _OPERATORS[op])

    def _refuse_texts(self, *operands: Expr) -> None:
        """Texts and blanks compare by rules of their own."""
        for operand in operands:
            kinds = self.view.array(operand, self.is_array).kinds
            if not np.isin(kinds, (Kind.NUMBER, Kind.BOOLEAN)).all():
                raise NoTensorError

    def joined(self, left: Code, sign: str, right: Code, power: int, *, is_truth: bool = False
               ) -> Code:  # fmt: skip
        """Two pieces with an operator between them; `**` binds to the right in Python."""
        left, right = self.squared_up(left, right), self.squared_up(right, left)
        is_power = power == POWER
        try:
            shape = np.broadcast_shapes(left.shape, right.shape)
        except ValueError as error:  # Excel pads with #N/A, torch refuses
            raise NoTensorError from error
        first = self.held(left, power + 1 if is_power or power == COMPARE else power)
        segments = (*first, Segment(sign), *self.held(right, power + 1))
        return Code(segments, power, left.is_tensor or right.is_tensor, is_truth,
                    (shape[0], shape[1]), left.is_flat or right.is_flat)  # fmt: skip

    def _unary(self, op: str, x: Expr) -> Code:
        inner = self.write(x)
        if op != "-":
            return inner
        inner = self.counted(inner)
        segments = (Segment("-"), *self.held(inner, POWER))
        return Code(segments, SIGN, inner.is_tensor, False, inner.shape, inner.is_flat)

    # ------------------------------------------------------------------ calls

    def _call(self, expr: Call) -> Code:
        from gradsheet.formula import explain_torch_pairs  # noqa: F401  enters its functions
        from gradsheet.formula.explain_torch_functions import FUNCTIONS

        if expr.name in _CHOICES and not self.is_array:
            return self._choice(expr)
        place = self.view.place(expr, self.is_array)
        if place is not None:
            self.note(f"{expr.name} finds {self.view.name(place)}")
            return self.cells(place)
        rule = FUNCTIONS.get(expr.name)
        if rule is None:
            raise NoTensorError
        return rule(self, expr)

    def arguments(self, expr: Call) -> list[Code]:
        """The arguments of a function, one number each."""
        return [self.argument_at(expr, i) for i in range(len(expr.args))]

    def argument_at(self, expr: Call, index: int) -> Code:
        """One argument, as the function takes it."""
        before = self.is_array
        self.is_array = is_array_argument(expr.name, index, before)
        try:
            return self.write(expr.args[index])
        finally:
            self.is_array = before

    def read(self, expr: Call, index: int) -> tuple[Array, Source | None]:
        """The values of an argument that is a range, or computed from one."""
        is_array = is_array_argument(expr.name, index, self.is_array)
        place = self.view.place(expr.args[index], is_array, whole=True)
        if place is not None:
            return self.view.read(place), place
        return self.view.array(expr.args[index], is_array, whole=True), None

    def _choice(self, expr: Call) -> Code:
        """The branch that holds now; `torch.where` where the test is a matter of numbers."""
        chosen = _CHOICES[expr.name](self, expr)
        if chosen is None:
            raise NoTensorError
        return chosen

    def _if(self, expr: Call) -> Code | None:
        if not 2 <= len(expr.args) <= 3:
            return None
        test = self.view.scalar(expr.args[0])
        if error_text(test) or isinstance(test, str):
            return None
        written = unparse(expr.args[0], self.view.host)[1:]
        self.note(f"{written} is {'TRUE' if test else 'FALSE'}")
        if not test and len(expr.args) == 2:
            return Code((Segment("False"),), is_tensor=False, is_truth=True)
        return self.write(expr.args[1] if test else expr.args[2])

    def _if_error(self, expr: Call) -> Code | None:
        if len(expr.args) != 2:
            return None
        first = self.view.scalar(expr.args[0])
        is_caught = first is ErrorCode.NA if expr.name == "IFNA" else bool(error_text(first))
        return self.write(expr.args[1] if is_caught else expr.args[0])

    def _ifs(self, expr: Call) -> Code | None:
        for test, value in zip(expr.args[::2], expr.args[1::2], strict=False):
            found = self.view.scalar(test)
            if error_text(found) or isinstance(found, str):
                return None
            if found:
                self.note(f"{unparse(test, self.view.host)[1:]} is TRUE")
                return self.write(value)
        return None


_CHOICES: Mapping[str, Callable[[Coder, Call], Code | None]] = {
    "IF": Coder._if,
    "IFERROR": Coder._if_error,
    "IFNA": Coder._if_error,
    "IFS": Coder._ifs,
}


def _is_drawn(expr: Expr) -> bool:
    from gradsheet.formula.functions import FUNCTIONS

    if isinstance(expr, Call) and expr.name in FUNCTIONS and FUNCTIONS[expr.name].is_volatile:
        return True
    return any(_is_drawn(child) for child in children(expr))
