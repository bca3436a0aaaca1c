"""What Excel's functions become in PyTorch.

Owns the table from function names to code. Blanks, texts and booleans in a range are left out,
as Excel does: few numbers are written without them, a large tensor holds NaN there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from gradsheet.formula.explain_cells import Array, Segment, Source
from gradsheet.formula.explain_code import (
    ADD,
    ATOM,
    COMPARE,
    INLINE,
    MULTIPLY,
    POWER,
    Code,
    NoTensorError,
    float_text,
    text,
)
from gradsheet.formula.explain_torch import Coder
from gradsheet.formula.syntax import Call, Missing
from gradsheet.formula.values import ErrorCode, Kind

Rule: TypeAlias = Callable[[Coder, Call], Code]
FUNCTIONS: dict[str, Rule] = {}
"""Code of each function, by its name in Excel."""


def enter(*names: str) -> Callable[[Rule], Rule]:
    def put(rule: Rule) -> Rule:
        FUNCTIONS.update(dict.fromkeys(names, rule))
        return rule

    return put


# ---------------------------------------------------------------------- templates

_PLACE = re.compile(r"\{(\d)(!?)\}")


def filled(coder: Coder, template: str, parts: list[Code], power: int = ATOM, *,
           shape: tuple[int, int] = (1, 1), is_flat: bool = False, is_truth: bool = False
           ) -> Code:  # fmt: skip
    """A template with `{0}`, `{1}` ... replaced by pieces.

    `{0}` stands where an argument of a function does, `{0!}` where an operand of an operator or
    of a method does.
    """
    segments: list[Segment] = []
    at = 0
    for match in _PLACE.finditer(template):
        if match.start() > at:
            segments.append(Segment(template[at : match.start()]))
        part = parts[int(match.group(1))]
        is_operand = bool(match.group(2))
        if is_operand and not part.is_tensor:
            segments += coder.argument(part)
        elif is_operand:
            segments += coder.held(coder.counted(part), ATOM)
        else:
            segments += coder.argument(part)
        at = match.end()
    if at < len(template):
        segments.append(Segment(template[at:]))
    return Code(tuple(segments), power, True, is_truth, shape, is_flat)


_ELEMENTWISE: Mapping[str, str] = {
    "ABS": "torch.abs({0})",
    "SIGN": "torch.sign({0})",
    "SQRT": "torch.sqrt({0})",
    "EXP": "torch.exp({0})",
    "LN": "torch.log({0})",
    "LOG10": "torch.log10({0})",
    "SIN": "torch.sin({0})",
    "COS": "torch.cos({0})",
    "TAN": "torch.tan({0})",
    "ASIN": "torch.asin({0})",
    "ACOS": "torch.acos({0})",
    "ATAN": "torch.atan({0})",
    "SINH": "torch.sinh({0})",
    "COSH": "torch.cosh({0})",
    "TANH": "torch.tanh({0})",
    "ASINH": "torch.asinh({0})",
    "ACOSH": "torch.acosh({0})",
    "ATANH": "torch.atanh({0})",
    "ATAN2": "torch.atan2({1}, {0})",
    "DEGREES": "torch.rad2deg({0})",
    "RADIANS": "torch.deg2rad({0})",
    "INT": "torch.floor({0})",
    "MOD": "torch.remainder({0}, {1})",
    "QUOTIENT": "torch.trunc({0!} / {1!})",
    "GAMMALN": "torch.lgamma({0})",
    "NORM.S.INV": "torch.special.ndtri({0})",
    "NORMSDIST": "torch.special.ndtr({0})",
    "LEARN.SIGMOID": "torch.sigmoid({0})",
    "LEARN.RELU": "torch.relu({0})",
    "LEARN.LEAKYRELU": "torch.where({0!} > 0, {0}, {1!} * {0!})",
    "LEARN.SOFTPLUS": "torch.logaddexp({0}, tensor(0.0))",
}
"""Functions of numbers, element by element."""

_DEFAULTS: Mapping[str, float] = {"LEARN.LEAKYRELU": 0.01}


def _elementwise(template: str) -> Rule:
    wanted = 1 + max(int(m.group(1)) for m in _PLACE.finditer(template))

    def rule(coder: Coder, expr: Call) -> Code:
        parts = coder.arguments(expr)
        if len(parts) < wanted and expr.name in _DEFAULTS:
            parts.append(text(float_text(_DEFAULTS[expr.name]), is_tensor=False))
        if len(parts) != wanted:
            raise NoTensorError
        try:
            shape = np.broadcast_shapes(*[part.shape for part in parts])
        except ValueError as error:
            raise NoTensorError from error
        is_flat = any(part.is_flat for part in parts)
        return filled(coder, template, parts, shape=(shape[0], shape[1]), is_flat=is_flat)

    return rule


FUNCTIONS.update({name: _elementwise(template) for name, template in _ELEMENTWISE.items()})


@enter("POWER")
def _power(coder: Coder, expr: Call) -> Code:
    base, exponent = (coder.counted(part) for part in coder.arguments(expr))
    return coder.joined(base, " ** ", exponent, POWER)


@enter("LOG")
def _log(coder: Coder, expr: Call) -> Code:
    parts = coder.arguments(expr)
    if len(parts) == 1:
        return filled(coder, "torch.log10({0})", parts, shape=parts[0].shape)
    return filled(coder, "torch.log({0}) / torch.log({1})", parts, MULTIPLY)


@enter("PI")
def _pi(coder: Coder, expr: Call) -> Code:
    return text("torch.pi", is_tensor=False)


@enter("TRUNC", "ROUND", "ROUNDUP", "ROUNDDOWN")
def _rounded(coder: Coder, expr: Call) -> Code:
    """Excel rounds halves away from zero; torch.round to the even neighbour."""
    digits = coder.view.scalar(expr.args[1]) if len(expr.args) == 2 else 0.0
    if not isinstance(digits, float):
        raise NoTensorError
    part = coder.argument_at(expr, 0)
    ways = {
        "ROUND": "torch.sign({0}) * torch.floor(torch.abs({0}){up} + 0.5){down}",
        "ROUNDUP": "torch.sign({0}) * torch.ceil(torch.abs({0}){up}){down}",
    }
    template = ways.get(expr.name, "torch.trunc({0!}{up}){down}")
    if expr.name in ("TRUNC", "ROUNDDOWN") and not digits:
        template = "torch.trunc({0})"
    factor = 10.0 ** int(digits)
    up, down = (f" * {factor!r}", f" / {factor!r}") if digits else ("", "")
    return filled(coder, template.replace("{up}", up).replace("{down}", down), [part], MULTIPLY,
                  shape=part.shape, is_flat=part.is_flat)  # fmt: skip


@enter("NOT")
def _not(coder: Coder, expr: Call) -> Code:
    part = coder.argument_at(expr, 0)
    segments = (Segment("~"), *coder.held(_truth(coder, part), ATOM))
    return Code(segments, 7, True, True)


@enter("AND", "OR", "XOR")
def _all_of(coder: Coder, expr: Call) -> Code:
    sign = {"AND": " & ", "OR": " | ", "XOR": " ^ "}[expr.name]
    parts = [_truth(coder, coder.argument_at(expr, i)) for i in range(len(expr.args))]
    if not all(part.is_one for part in parts):
        raise NoTensorError
    segments: list[Segment] = []
    for i, part in enumerate(parts):
        segments += [Segment(sign)] if i else []
        segments += coder.held(part, ATOM)
    return Code(tuple(segments), COMPARE + 1, True, True)


def _truth(coder: Coder, part: Code) -> Code:
    if part.is_truth:
        return part
    return Code((*coder.held(part, ADD), Segment(" != 0")), COMPARE, part.is_tensor, True)


# ---------------------------------------------------------------------- samples


def sample(coder: Coder, expr: Call, first: int = 0, last: int | None = None) -> Code:
    """The numbers of all arguments as one tensor; a large range may hold NaN."""
    parts: list[Code] = []
    for index in range(first, len(expr.args) if last is None else last):
        parts.append(_numbers_of(coder, expr, index))
    if len(parts) == 1:
        return parts[0]
    segments: list[Segment] = [Segment("torch.cat([")]
    for i, part in enumerate(parts):
        segments += [Segment(", ")] if i else []
        segments += [*coder.held(part, ATOM), Segment(".reshape(-1)")]
    return Code((*segments, Segment("])")), shape=(2, 1), is_flat=True)


def _numbers_of(coder: Coder, expr: Call, index: int) -> Code:
    arg = expr.args[index]
    place = coder.view.place(arg, coder.is_array, whole=True)
    if place is None:
        part = coder.counted(coder.argument_at(expr, index))
        return part if part.is_tensor else Code(coder.argument(part))
    found = coder.view.read(place)
    if (found.kinds == Kind.ERROR).any():
        raise NoTensorError
    if place.region.size == 1:
        if not found.numbers.all():
            raise NoTensorError
        return coder.number(float(found.values[0, 0]), place)
    return _gapless(coder, found, place)


def _gapless(coder: Coder, found: Array, place: Source) -> Code:
    mask = found.numbers
    if not mask.any():
        raise NoTensorError
    if mask.all():
        return coder.tensor(found.values, place)
    if found.values.size <= INLINE:
        return _few(coder, found, place)
    name = coder.name(place)
    whole = coder.tensor(np.where(mask, found.values, np.nan), place, gaps=True)
    coder.note(f"{name} holds NaN where a cell has no number")
    tail = Segment(f"[~{name}.isnan()]")
    return Code((*whole.segments, tail), shape=(int(mask.sum()), 1), is_flat=True)


def _few(coder: Coder, found: Array, place: Source) -> Code:
    """The numbers among a few cells, written out."""
    segments = [Segment("tensor([")]
    for i, (row, col) in enumerate(np.argwhere(found.numbers)):
        segments += [Segment(", ")] if i else []
        region = place.region
        cell = next(
            c for c in region.cells() if c.row == region.top + row and c.col == region.left + col
        )
        source = Source(place.sheet, type(region).of(cell))
        segments.append(coder.number(float(found.values[row, col]), source).segments[1])
    count = int(found.numbers.sum())
    return Code((*segments, Segment("])")), shape=(count, 1), is_flat=True)


_REDUCTIONS: Mapping[str, str] = {
    "SUM": "{0!}.sum()",
    "PRODUCT": "{0!}.prod()",
    "SUMSQ": "{0!}.square().sum()",
    "AVERAGE": "{0!}.mean()",
    "MIN": "{0!}.min()",
    "MAX": "{0!}.max()",
    "MEDIAN": "{0!}.flatten().quantile(0.5)",
    "VAR.P": "{0!}.var(correction=0)",
    "VAR.S": "{0!}.var()",
    "STDEV.P": "{0!}.std(correction=0)",
    "STDEV.S": "{0!}.std()",
    "DEVSQ": "({0!} - {0!}.mean()).square().sum()",
    "AVEDEV": "({0!} - {0!}.mean()).abs().mean()",
    "GEOMEAN": "{0!}.log().mean().exp()",
    "HARMEAN": "1 / {0!}.reciprocal().mean()",
    "LEARN.LOGSUMEXP": "{0!}.flatten().logsumexp(0)",
}


def _reduction(template: str) -> Rule:
    def rule(coder: Coder, expr: Call) -> Code:
        part = sample(coder, expr)
        power = MULTIPLY if " / " in template else ATOM
        return filled(coder, template, [part], power)

    return rule


FUNCTIONS.update({name: _reduction(template) for name, template in _REDUCTIONS.items()})
for _old, _new in (("VARP", "VAR.P"), ("VAR", "VAR.S"), ("STDEVP", "STDEV.P"),
                   ("STDEV", "STDEV.S")):  # fmt: skip
    FUNCTIONS[_old] = FUNCTIONS[_new]


@enter("COUNT")
def _count(coder: Coder, expr: Call) -> Code:
    if len(expr.args) != 1 or coder.view.place(expr.args[0], coder.is_array, True) is None:
        raise NoTensorError
    found, place = coder.read(expr, 0)
    if place is None or found.is_one:
        raise NoTensorError
    mask = found.numbers
    if mask.all():
        return filled(coder, "{0!}.numel()", [coder.tensor(found.values, place)])
    whole = coder.tensor(np.where(mask, found.values, np.nan), place, gaps=True)
    return Code((Segment("(~"), *whole.segments, Segment(".isnan()).sum().double()")))


@enter("LARGE", "SMALL")
def _ranked(coder: Coder, expr: Call) -> Code:
    rank = coder.view.scalar(expr.args[1])
    part = sample(coder, expr, 0, 1)
    if not isinstance(rank, float):
        raise NoTensorError
    order = "descending=True" if expr.name == "LARGE" else ""
    return filled(coder, f"{{0!}}.flatten().sort({order}).values[{int(rank) - 1}]", [part])


@enter("PERCENTILE.INC", "PERCENTILE", "QUARTILE.INC", "QUARTILE")
def _quantile(coder: Coder, expr: Call) -> Code:
    part = sample(coder, expr, 0, 1)
    share = coder.argument_at(expr, 1)
    divided = " / 4" if expr.name.startswith("QUARTILE") else ""
    operand = "{1!}" if divided else "{1}"
    return filled(coder, f"{{0!}}.flatten().quantile({operand}{divided})", [part, share])


# ---------------------------------------------------------------------- criteria

_CRITERION = re.compile(r"(<=|>=|<>|<|>|=)?\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)")


@enter("COUNTIF", "SUMIF", "AVERAGEIF")
def _conditional(coder: Coder, expr: Call) -> Code:
    """A range masked by a comparison with a number."""
    criterion = coder.view.scalar(expr.args[1])
    written = criterion if isinstance(criterion, str) else f"={criterion!r}"
    match = _CRITERION.fullmatch(written)
    if match is None or isinstance(criterion, (bool, ErrorCode)) or len(expr.args) > 2:
        raise NoTensorError
    found, place = coder.read(expr, 0)
    if place is None or found.is_one or not found.numbers.all():
        raise NoTensorError
    part = coder.tensor(found.values, place, gaps=True)  # it is named twice
    sign = {"=": "==", "<>": "!=", None: "=="}.get(match.group(1), match.group(1))
    test = f"{{0!}} {sign} {float(match.group(2))!r}"
    if expr.name == "COUNTIF":
        return filled(coder, f"({test}).sum().double()", [part])
    end = "sum" if expr.name == "SUMIF" else "mean"
    return filled(coder, f"{{0!}}[{test}].{end}()", [part])


@enter("NORM.S.DIST", "NORM.DIST")
def _normal(coder: Coder, expr: Call) -> Code:
    parts = coder.arguments(expr)
    if any(isinstance(arg, Missing) for arg in expr.args):
        raise NoTensorError
    is_cumulative = coder.view.scalar(expr.args[-1])
    z = parts[0] if len(parts) == 2 else filled(
        coder, "({0!} - {1!}) / {2!}", parts, MULTIPLY
    )  # fmt: skip
    if is_cumulative:
        return filled(coder, "torch.special.ndtr({0})", [z])
    density = "torch.exp(-{0!}.square() / 2) / (2 * torch.pi) ** 0.5"
    if len(parts) == 4:
        return filled(coder, density + " / {1!}", [z, parts[2]], MULTIPLY)
    return filled(coder, density, [z], MULTIPLY)
