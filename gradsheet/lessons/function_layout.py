"""The optimizers' sheets for a function of x and y instead of the line's points.

Owns how a `Kind` of `descent_layout` is rewritten: the same columns at the same addresses, but
value and derivatives are those of a formula, and a row is a step on the whole function. Knows no
workbook: `function_book` writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gradsheet.formula.address import Cell
from gradsheet.formula.derivative import derivative
from gradsheet.formula.syntax import Expr, Name, parse, transform, unparse
from gradsheet.formula.values import FormulaError
from gradsheet.lessons.descent_layout import ADAM_CORRECTED, KINDS, LECTURE_ROWS, Column, Kind

ROWS = LECTURE_ROWS
"""Steps of a pass: as many as the lecture's rows, so that all addresses are its own."""
FUNCTION_SHEET = "function"
STEEPNESS = Cell.parse("B5")
"""On the sheet `function`: the number k of the formula."""
NUDGE = "0.01"
"""Step of the finite differences on `basic`, the lecture's."""
EPS = "1E-8"
"""Added to roots that are divided by, as the papers do: at an exact minimum they are 0."""

_TITLES = {
    "b": "x", "a": "y", "pred": "f(x, y)", "de/db": "df/dx", "de/da": "df/dy", "new b": "new x",
    "new a": "new y", "intercept": "x", "slope": "y", "y_pred": "f(x, y)",
    "errb1": f"f(x+{NUDGE}, y)", "erra1": f"f(x, y+{NUDGE})", "est de/db": "est df/dx",
    "est de/da": "est df/dy", "de/db+wd*b": "df/dx+wd*x", "de/da+wd*a": "df/dy+wd*y",
}  # fmt: skip
_OF_THE_LINE = ("I1", "H2", "I2")
_ROOTS = "/SQRT("


@dataclass(frozen=True, slots=True)
class Function:
    """A function to descend on, and how.

    Attributes
    ----------
    id, title : str
        Of a preset, or "typed".
    formula : str
        In x, y and k, as typed into a cell.
    start : (x, y)
    rate : float
        For the rules that step by the gradient.
    stride : float
        For the rules that divide by its size: about how far a step goes.
    steepness : float
        The number k, where the formula has one.
    source, note : str
        Where it comes from; what there is to see.
    """

    id: str
    title: str
    formula: str
    start: tuple[float, float]
    rate: float
    stride: float
    steepness: float = 20.0
    source: str = ""
    note: str = ""

    @property
    def has_steepness(self) -> bool:
        """Whether the formula has a k."""
        return "k" in _names(self.formula)


@dataclass(frozen=True, slots=True)
class Templates:
    """Value and derivatives with ``{x}`` and ``{y}`` for the two cells.

    Attributes
    ----------
    value, dx, dy : str
    """

    value: str
    dx: str
    dy: str


def _names(formula: str) -> set[str]:
    found: set[str] = set()

    def note(node: Expr) -> Expr:
        if isinstance(node, Name):
            found.add(node.name.casefold())
        return node

    transform(parse(formula, Cell(0, 0)), note)
    return found


def templates(formula: str) -> Templates:
    """Return value and derivatives of a formula for the cells of a sheet.

    Raises
    ------
    FormulaError
        If it cannot be read, has no derivative, or knows other names than x, y and k.
    """
    unknown = sorted(_names(formula) - {"x", "y", "k"})
    if unknown:
        raise FormulaError(
            f"{unknown[0]} is not known in a function of x and y.",
            hint="Use x, y, numbers, + - * / ^ and functions such as SIN or EXP.",
        )
    expr = parse(formula, Cell(0, 0))
    return Templates(*(
        _template(e) for e in (expr, derivative(expr, "x"), derivative(expr, "y"))
    ))  # fmt: skip


_MARKS = {"x": "QXQ", "y": "QYQ", "k": "QKQ"}
_PLACES = {
    "QXQ": "{x}", "QYQ": "{y}",
    "QKQ": f"{FUNCTION_SHEET}!$B${STEEPNESS.row + 1}",
}  # fmt: skip


def _template(expr: Expr) -> str:
    def mark(node: Expr) -> Expr:
        if isinstance(node, Name):
            return Name(None, _MARKS[node.name.casefold()])
        return node

    text = unparse(transform(expr, mark), Cell(0, 0))
    for name, place in _PLACES.items():
        text = text.replace(name, place)
    return text


def with_steepness(formula: str, number: str) -> str:
    """Return a typed formula with a number in the place of k."""
    value = parse(number, Cell(0, 0))

    def put(node: Expr) -> Expr:
        is_k = isinstance(node, Name) and node.name.casefold() == "k"
        return value if is_k else node

    return unparse(transform(parse(formula, Cell(0, 0)), put), Cell(0, 0))


def at(template: str, x: str, y: str) -> str:
    """Return a template's formula for two cells."""
    return template.replace("{x}", x).replace("{y}", y)


def kind_for(name: str, function: Function, *, is_corrected: bool = False) -> Kind:
    """Return the sheet of an optimizer for a function.

    Raises
    ------
    FormulaError
        As :func:`templates`.
    """
    kind = _on_functions(ADAM_CORRECTED if is_corrected else KINDS[name])
    text = templates(function.formula)
    kept = {a: c for a, c in kind.fixed.items() if name != "basic" or a not in _OF_THE_LINE}
    fixed = {**kept, **_labels(kind), **_start(kind, function)}
    below = {
        place: _guarded(content) for place, content in kind.below.items()
        if place not in (("E", 1), (kind.error, 1), ("K", 1), ("L", 1), ("AE", 1))
        or isinstance(content, float)
    }  # fmt: skip
    names = {n: ("E", 1) if n == "loss" else place for n, place in kind.names.items()}
    last = (kind.names["lastconst"][0], kind.names["lastslope"][0])
    below |= {
        ("B", 1): "after", ("C", 1): f"={last[0]}{{z}}", ("D", 1): f"={last[1]}{{z}}",
        ("E", 1): at(text.value, "C{s}", "D{s}"),
    }  # fmt: skip
    columns = [_step(), _moved(last), *(_rewritten(c, kind, text) for c in kind.columns)]
    return replace(
        kind, columns=tuple(c for c in columns if c is not None), fixed=fixed, below=below,
        names=names, error="E", is_function=True, total="",
    )  # fmt: skip


def _on_functions(kind: Kind) -> Kind:
    """Return the rule as it can be used where gradients go to 0, which those of points do not.

    Adagrad sums the squares of all steps, as published (Duchi, Hazan and Singer 2011), for the
    lecture's mean over the last epoch would let the rate grow without end. RMSprop takes a row's
    own gradient into its root, as PyTorch does: the row before may have been flat.
    """
    if kind.name == "rmsprop":
        lagged = [replace(c, formula=c.formula.replace("{p})", "{r})")) for c in kind.columns]
        return replace(kind, columns=tuple(lagged))
    if kind.name not in ("adagrad", "adagrad_ann"):
        return kind
    new = {"new b": "=C{r}-{gb}*$D$2/SQRT(J{r})", "new a": "=D{r}-{ga}*$D$2/SQRT(K{r})"}
    columns = [
        replace(column, formula=new.get(column.title, column.formula))
        for column in kind.columns if column.title != "err^2"
    ]  # fmt: skip
    columns += [
        Column(letter, f"={letter}{{s}}", f"={letter}{{p}}+{gradient}^2", is_update=True)
        for letter, gradient in (("J", "{gb}"), ("K", "{ga}"))
    ]
    names = {n: p for n, p in kind.names.items() if n not in ("histgrad", "gradtarget")}
    names |= {"ms_last": ("JK", 0), "gradtarget": ("JK", 1)}
    fixed = {a: c for a, c in kind.fixed.items() if a not in ("F1", "G1", "F2", "G2", "H1")}
    below = {**kind.below, ("J", 1): 0.0, ("K", 1): 0.0}
    if kind.name == "adagrad":
        below = {p: c for p, c in below.items() if p[0] in "JK"}
    else:
        fixed["J1"] = 1e9
        below[("H", 1)] = "=F{s}+G{s}"
    return replace(kind, columns=tuple(columns), names=names, fixed=fixed, below=below)


def _step() -> Column:
    return Column("A", "step", "=A{u}+1", "=1")


def _moved(last: tuple[str, str]) -> Column:
    b, a = last
    return Column("B", "moved", f"=SQRT(({b}{{r}}-C{{r}})^2+({a}{{r}}-D{{r}})^2)")


def _rewritten(column: Column, kind: Kind, text: Templates) -> Column | None:
    """Return a column as it is for a function; None for what only points have."""
    if column.title == "err^2":
        return None
    title = _TITLES.get(column.title, column.title)
    formula = column.formula
    x, y = "C{r}", "D{r}"
    if column.letter in kind.gradient:
        formula = at((text.dx, text.dy)[kind.gradient.index(column.letter)], x, y)
    elif column.title in ("pred", "y_pred"):
        formula = at(text.value, *(("T{r}", "U{r}") if column.letter == "V" else (x, y)))
    elif column.title == "errb1":
        formula = at(text.value, f"(C{{r}}+{NUDGE})", y)
    elif column.title == "erra1":
        formula = at(text.value, x, f"(D{{r}}+{NUDGE})")
    elif column.title.startswith("est "):
        formula = formula.replace("-F{r}", "-E{r}")
    elif column.letter in ("W", "X") and "+wd" in column.title:
        slope = text.dx if column.letter == "W" else text.dy
        weight = "T{r}" if column.letter == "W" else "U{r}"
        formula = f"{at(slope, 'T{r}', 'U{r}')}+$O$1*{weight}"
    else:
        formula = _with_eps(formula)
    return replace(column, title=title, formula=formula)


def _with_eps(formula: str) -> str:
    """Divide by the root and a little more."""
    if _ROOTS not in formula:
        return formula
    before, after = formula.split(_ROOTS)
    inside, rest = after.split(")", 1)
    return f"{before}/(SQRT({inside})+{EPS}){rest}"


def _guarded(content: str | float) -> str | float:
    """Keep ratios finite where a loss or a statistic is 0."""
    if not isinstance(content, str):
        return content
    content = content.replace("/prev_grad2", "/MAX(prev_grad2,1E-300)")
    return content.replace("MIN(ft_1,ft_2)", "MAX(MIN(ABS(ft_1),ABS(ft_2)),1E-300)")


def _labels(kind: Kind) -> dict[str, str | float]:
    found: dict[str, str | float] = {"B1": "x", "B2": "y"}
    if "S1" in kind.fixed:
        found |= {"S1": "x", "S2": "y"}
    return found


GRADIENT_RULES = ("basic", "momentum", "nesterov")
_STRIDES = {"adagrad": 10.0, "adagrad_ann": 20.0, "adam_ann": 3.0}
"""Multiples of the stride: Adagrad's steps shrink from the second on, and annealing's later."""


def _start(kind: Kind, function: Function) -> Mapping[str, str | float]:
    """Return start and rate."""
    x, y = (float(number) for number in function.start)
    share = _STRIDES.get(kind.name, 1.0)
    rate = function.rate if kind.name in GRADIENT_RULES else function.stride * share
    found: dict[str, str | float] = {"C1": x, "C2": y, kind.rate: float(f"{rate:.3g}")}
    if "T1" in kind.fixed:
        found |= {"T1": x, "T2": y}
    return found
