"""Excel's operators on values of a block.

Owns arithmetic, `&` and the comparisons with Excel's order of kinds. Knows no references.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from gradsheet.formula import trace
from gradsheet.formula.batch import (
    BLANK,
    BOOLEAN,
    ERROR,
    NUMBER,
    TEXT,
    Batch,
    Errors,
    aligned,
    by_host,
    earlier,
    errors_of,
    flagged,
    is_kind,
    joint_shape,
    logical,
    numbered,
    numbers,
    settled,
    text_of,
)
from gradsheet.formula.values import ErrorCode, Scalar, Strings

numbers_of = numbers


def _pair(strings: Strings, a: Batch, b: Batch) -> tuple[Tensor, Tensor, Errors]:
    if a.is_array or b.is_array:
        a, b = aligned([a, b])
    if a.is_only(NUMBER) and b.is_only(NUMBER):
        return a.num, b.num, None
    passed = earlier(errors_of(a), errors_of(b))  # these count before what cannot be read
    x, first = numbers(a, strings)
    y, then = numbers(b, strings)
    return x, y, earlier(passed, earlier(first, then))


def add(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a + b`."""
    x, y, errors = _pair(strings, a, b)
    return numbered(x + y, errors)


def subtract(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a - b`."""
    x, y, errors = _pair(strings, a, b)
    return numbered(x - y, errors)


def multiply(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a * b`."""
    x, y, errors = _pair(strings, a, b)
    return numbered(x * y, errors)


def divide(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a / b`; #DIV/0! where b is 0, also for 0 / 0."""
    x, y, errors = _pair(strings, a, b)
    y, errors = settled(y, errors)
    zero = y == 0
    if trace.seen_any(zero):
        errors = flagged(errors, zero, ErrorCode.DIV0)
        y = torch.where(zero, 1.0, y)
    return numbered(x / y, errors)


def power(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a ^ b`; #NUM! for 0 ^ 0 and even roots of negative numbers, #DIV/0! for 0 ^ -1."""
    x, y, errors = _pair(strings, a, b)
    exponent = trace.fixed_number(y)
    if exponent == 2.0:
        return numbered(x * x, errors)
    if exponent is not None and exponent > 0 and exponent == int(exponent):
        return numbered(x**exponent, errors)
    x, errors = settled(x, errors)
    y, errors = settled(y, errors)
    zero = x == 0
    negative = x < 0
    if bool(zero.any()) or bool(negative.any()):
        return _careful_power(x, y, errors)
    return numbered(torch.pow(x, y), errors)


def _careful_power(x: Tensor, y: Tensor, errors: Errors) -> Batch:
    zero, negative = x == 0, x < 0
    whole = y == torch.round(y)
    root = 1.0 / torch.where(y == 0, 1.0, y)
    odd_root = ~whole & (torch.round(root) % 2 == 1) & ((root - torch.round(root)).abs() < 1e-9)
    bad = (zero & (y == 0)) | (negative & ~whole & ~odd_root)
    errors = flagged(errors, bad, ErrorCode.NUM)
    errors = flagged(errors, zero & (y < 0), ErrorCode.DIV0)
    # the base of a fractional power is kept off 0 and below, where its derivative is not finite
    plain = whole & (negative | (y >= 1))
    base = torch.where(bad | (zero & ~plain) | (negative & ~whole), 1.0, x)
    result = torch.pow(base, torch.where(negative & ~whole, 1.0, y))
    result = torch.where(zero & ~plain, 0.0, result)
    if bool((negative & odd_root).any()):
        magnitude = torch.where(negative & odd_root, -x, 1.0)
        result = torch.where(negative & odd_root, -torch.pow(magnitude, y), result)
    return numbered(result, errors)


def negative(strings: Strings, a: Batch) -> Batch:
    """`-a`."""
    x, errors = numbers(a, strings)
    return numbered(-x, errors)


def percent(strings: Strings, a: Batch) -> Batch:
    """`a%`."""
    x, errors = numbers(a, strings)
    return numbered(x / 100.0, errors)


def join(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a & b`."""

    def code(x: Scalar, y: Scalar) -> Scalar:
        return text_of(x) + text_of(y)

    return by_host(code, [a, b], strings)


def _compared(strings: Strings, a: Batch, b: Batch, orders: bool) -> tuple[Tensor, Tensor, Errors]:
    """Two tensors that compare as Excel compares the values: numbers < texts < booleans."""
    a, b = aligned([a, b])
    if isinstance(a.kind, int) and isinstance(b.kind, int):
        simple = (a.kind, b.kind)
        if simple in ((NUMBER, NUMBER), (BLANK, NUMBER), (NUMBER, BLANK), (BLANK, BLANK)):
            return _near(a.num, b.num)
        if simple == (BOOLEAN, BOOLEAN):
            return a.num, b.num, None
    errors = earlier(errors_of(a), errors_of(b))
    ranks = _text_ranks([a, b], strings, orders)
    a_num, a_class = _classed(a, b, ranks)
    b_num, b_class = _classed(b, a, ranks)
    x, y, _ = _near(a_num, b_num)
    same = a_class == b_class
    return torch.where(same, x, a_class), torch.where(same, y, b_class), errors


def _near(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Errors]:
    """Numbers with those made equal that agree in 15 digits, as Excel compares them."""
    x, errors = settled(x)
    y, more = settled(y, None)
    if any(trace.fixed_number(t) == 0.0 for t in (x, y)):
        return x, y, earlier(errors, more)
    if not trace.depends(x) and not trace.depends(y):
        close = (x - y).abs() <= 5e-16 * torch.maximum(x.abs(), y.abs())
        y = torch.where(close, x, y)
    return x, y, earlier(errors, more)


def _classed(a: Batch, other: Batch, ranks: dict[int, float] | None) -> tuple[Tensor, Tensor]:
    """Numbers to compare within a class, and the class: 0 number, 1 text, 2 boolean."""
    num = a.num
    text, boolean = is_kind(a, TEXT), is_kind(a, BOOLEAN)
    if ranks is not None and bool(text.any()):
        ids = num.detach().expand(joint_shape(num, text))
        ranked = np.array([ranks.get(int(i), 0.0) for i in ids.reshape(-1).tolist()])
        num = torch.where(text, torch.from_numpy(ranked).view(ids.shape), num)
    classes = torch.where(text, 1.0, torch.where(boolean, 2.0, 0.0)).to(torch.float64)
    blank = is_kind(a, BLANK)
    if bool(blank.any()):  # a blank takes the class of what it is compared with
        theirs = torch.where(is_kind(other, TEXT), 1.0,
                             torch.where(is_kind(other, BOOLEAN), 2.0, 0.0))  # fmt: skip
        classes = torch.where(blank, theirs.to(torch.float64), classes)
        num = torch.where(blank, 0.0, num)
    return torch.where(is_kind(a, ERROR), 0.0, num), classes


def _text_ranks(
    batches: list[Batch], strings: Strings, orders: bool
) -> dict[int, float] | None:
    """A number for every text id, equal for equal texts and, if asked, in their order.

    The empty text is 0, which a blank compares as.
    """
    ids: set[int] = set()
    for batch in batches:
        text = is_kind(batch, TEXT)
        if bool(text.any()):
            shape = joint_shape(batch.num, text)
            found = batch.num.detach().expand(shape)[text.expand(shape)]
            ids |= {int(i) for i in set(found.tolist())}
    if not ids:
        return None
    if not orders:
        return {i: float(strings.folded(i)) for i in ids}
    folded = {i: strings.text(i).casefold() for i in ids}
    order = {text: float(rank + 1) for rank, text in enumerate(sorted(set(folded.values()) - {""}))}
    order[""] = 0.0
    return {i: order[folded[i]] for i in ids}


def equal(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a = b`, texts without case."""
    x, y, errors = _compared(strings, a, b, False)
    return logical(x == y, errors)


def unequal(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a <> b`."""
    x, y, errors = _compared(strings, a, b, False)
    return logical(x != y, errors)


def less(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a < b`."""
    x, y, errors = _compared(strings, a, b, True)
    return logical(x < y, errors)


def greater(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a > b`."""
    x, y, errors = _compared(strings, a, b, True)
    return logical(x > y, errors)


def at_most(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a <= b`."""
    x, y, errors = _compared(strings, a, b, True)
    return logical(x <= y, errors)


def at_least(strings: Strings, a: Batch, b: Batch) -> Batch:
    """`a >= b`."""
    x, y, errors = _compared(strings, a, b, True)
    return logical(x >= y, errors)


BINARY: dict[str, Callable[[Strings, Batch, Batch], Batch]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "^": power,
    "&": join,
    "=": equal,
    "<>": unequal,
    "<": less,
    ">": greater,
    "<=": at_most,
    ">=": at_least,
}
