"""Conditions and the tests of what a cell holds.

Owns IF and its kin, AND, OR, the IS functions and the handling of errors. A branch is computed
only if some cell of the block takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula import operators, trace
from gradsheet.formula.batch import (
    Batch,
    Errors,
    aligned,
    chosen,
    earlier,
    error,
    errors_of,
    flagged,
    is_kind,
    joint_shape,
    logical,
    numbered,
    numbers,
    settled,
    truths,
)
from gradsheet.formula.functions.samples import batches_of, first_error
from gradsheet.formula.functions.stats import uncomputed
from gradsheet.formula.functions.table import function
from gradsheet.formula.syntax import Expr, Missing, Name
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value

FAMILY = "Logic"
_BRANCH = "that of the branch taken; none through the condition"


def with_errors(batch: Batch, errors: Errors) -> Batch:
    """The batch, an error wherever a code is given."""
    if errors is None:
        return batch
    code = Batch(errors, 4)
    return chosen(errors > 0, code, batch)


@function("IF", "test, [value_if_true], [value_if_false]", "One value or another by a test.",
          family=FAMILY, params="e", gradient=_BRANCH)  # fmt: skip
def if_(evaluator: Evaluator, test: Expr, *branches: Expr) -> Value:
    """The branch that the test chooses; FALSE for one that is left out, 0 for an empty one."""
    condition, errors = truths(evaluator.batch(test), evaluator.strings)
    return select(evaluator, condition, errors, branches)


def select(
    evaluator: Evaluator, condition: Tensor, errors: Errors, branches: tuple[Expr, ...]
) -> Value:
    """The first branch where the condition holds, else the second; errors where given."""

    def branch(i: int) -> Value:
        if i >= len(branches):
            return evaluator.constant(i == 0 and None)
        if isinstance(branches[i], Missing):
            return evaluator.constant(0.0)
        return evaluator.value(branches[i])

    if errors is None:
        if trace.surely_all(condition):
            return branch(0)
        if trace.surely_none(condition):
            return branch(1)
    yes, no = evaluator.one(branch(0)), evaluator.one(branch(1))
    test, yes, no = aligned([Batch(condition), yes, no])
    return with_errors(chosen(test.num.to(torch.bool), yes, no), errors)


@function("IFS", "test1, value1, ...", "The value of the first test that holds.", family=FAMILY,
          params="e", gradient=_BRANCH)  # fmt: skip
def ifs(evaluator: Evaluator, *args: Expr) -> Value:
    """Value of the first true test; #N/A if none holds."""
    if len(args) % 2:
        return error(ErrorCode.VALUE)
    tests = [(evaluator.batch(args[i]), args[i + 1]) for i in range(0, len(args), 2)]
    return _first_match(
        evaluator, [(*truths(t, evaluator.strings), value) for t, value in tests], None
    )


def _first_match(
    evaluator: Evaluator, tests: list[tuple[Tensor, Errors, Expr]], default: Expr | None
) -> Value:
    """Value of the first test that holds, computed only if some cell takes it."""
    result = error(ErrorCode.NA) if default is None else None
    taken: list[tuple[Tensor, Errors, Batch]] = []
    for condition, errors, value in tests:
        if errors is None and trace.surely_none(condition):
            continue
        taken.append((condition, errors, evaluator.batch(value)))
        if errors is None and trace.surely_all(condition):
            break
    else:
        if default is not None:
            result = evaluator.batch(default)
    if result is None:
        result = error(ErrorCode.NA)
    for condition, errors, batch in reversed(taken):
        test_, yes, no = aligned([Batch(condition), batch, result])
        result = with_errors(chosen(test_.num.to(torch.bool), yes, no), errors)
    return result


@function("SWITCH", "expression, value1, result1, ..., [default]",
          "The result that belongs to a value.", family=FAMILY, params="e",
          gradient=_BRANCH)  # fmt: skip
def switch(evaluator: Evaluator, subject: Expr, *args: Expr) -> Value:
    """Result of the first value that equals the expression, or the default; #N/A without one."""
    batch = evaluator.batch(subject)
    pairs = [(args[i], args[i + 1]) for i in range(0, len(args) - 1, 2)]
    default = args[-1] if len(args) % 2 else None
    tests = []
    for value, result in pairs:
        same = operators.equal(evaluator.strings, batch, evaluator.batch(value))
        tests.append((*truths(same, evaluator.strings), result))
    return _first_match(evaluator, tests, default)


@function("CHOOSE", "index_num, value1, ...", "The value at a place in a list.", family=FAMILY,
          params="e", gradient=_BRANCH)  # fmt: skip
def choose(evaluator: Evaluator, index: Expr, *values: Expr) -> Value:
    """Value by its number from 1; #VALUE! outside of the list."""
    batch = evaluator.batch(index)
    places, codes = evaluator.integers(batch, "The index in CHOOSE")
    if not codes.any() and (places == places.flat[0]).all():
        place = int(places.flat[0])
        if not 1 <= place <= len(values):
            return error(ErrorCode.VALUE)
        return evaluator.value(values[place - 1])
    result = error(ErrorCode.VALUE)
    for i, value in enumerate(values, start=1):
        if (places == i).any():
            at = Batch(torch.from_numpy(places == i))
            mask, yes, no = aligned([at, evaluator.batch(value), result])
            result = chosen(mask.num.to(torch.bool), yes, no)
    return with_errors(result, torch.from_numpy(codes) if codes.any() else None)


def _gathered(
    evaluator: Evaluator, values: tuple[Value, ...]
) -> tuple[list[tuple[Tensor, Tensor]], Errors]:
    """For every argument the truths and which of its values count, and the first error."""
    found = []
    errors: Errors = None
    for batch in batches_of(evaluator, values):
        if batch.direct and not batch.is_array:
            mask, more = truths(batch, evaluator.strings)
            found.append((mask, torch.ones_like(mask)))
        else:
            counted = is_kind(batch, 1) | is_kind(batch, 3)
            more = first_error(errors_of(batch))
            found.append(((batch.num != 0) & counted, counted.expand(batch.num.shape)))
        errors = earlier(errors, more)
    return found, errors


def _over_all(
    evaluator: Evaluator, values: tuple[Value, ...], what: Callable[[Tensor, Tensor], Tensor]
) -> Batch:
    found, errors = _gathered(evaluator, values)
    rows = max(m.shape[0] for m, _ in found)
    cols = max(m.shape[1] for m, _ in found)
    masks = torch.cat([m.expand(rows, cols, -1, -1).flatten(2) for m, _ in found], 2)
    counted = torch.cat([c.expand(rows, cols, -1, -1).flatten(2) for _, c in found], 2)
    none = ~counted.any(2)
    result = what(masks, counted)[:, :, None, None]
    if bool(none.any()):
        errors = flagged(errors, none[:, :, None, None], ErrorCode.VALUE)
    return logical(result, errors)


_NO_SLOPE = "none: a condition has no slope"


@function("AND", "logical1, [logical2], ...", "TRUE if all arguments are.", family=FAMILY,
          params="r", gradient=_NO_SLOPE)  # fmt: skip
def and_(evaluator: Evaluator, *values: Value) -> Batch:
    """Whether all are true; texts and blanks in cells are skipped."""
    return _over_all(evaluator, values, lambda m, c: (m | ~c).all(2))


@function("OR", "logical1, [logical2], ...", "TRUE if any argument is.", family=FAMILY,
          params="r", gradient=_NO_SLOPE)  # fmt: skip
def or_(evaluator: Evaluator, *values: Value) -> Batch:
    """Whether any is true."""
    return _over_all(evaluator, values, lambda m, c: m.any(2))


@function("XOR", "logical1, [logical2], ...", "TRUE if an odd number of arguments is.",
          family=FAMILY, params="r", gradient=_NO_SLOPE)  # fmt: skip
def xor(evaluator: Evaluator, *values: Value) -> Batch:
    """Whether an odd number is true."""
    return _over_all(evaluator, values, lambda m, c: m.sum(2) % 2 == 1)


@function("NOT", "logical", "The opposite of a condition.", family=FAMILY, gradient=_NO_SLOPE)
def not_(evaluator: Evaluator, batch: Batch) -> Batch:
    """Not."""
    mask, errors = truths(batch, evaluator.strings)
    return logical(~mask, errors)


@function("TRUE", "", "The truth value TRUE.", family=FAMILY, gradient="none: a constant")
def true(evaluator: Evaluator) -> Batch:
    """TRUE."""
    return evaluator.constant(True)


@function("FALSE", "", "The truth value FALSE.", family=FAMILY, gradient="none: a constant")
def false(evaluator: Evaluator) -> Batch:
    """FALSE."""
    return evaluator.constant(False)


def _caught(
    evaluator: Evaluator, value: Expr, instead: Expr, wanted: Callable[[Tensor], Tensor]
) -> Batch:
    batch = evaluator.batch(value)
    num, errors = batch.num, errors_of(batch)
    if batch.is_only(1) or batch.is_only(3):
        num, errors = settled(num)
    if errors is None:
        return batch
    if isinstance(batch.kind, int) and batch.kind != 4:
        batch = numbered(num, errors, batch.kind)
    mask = (errors > 0) & wanted(errors)
    if trace.surely_none(mask):
        return batch
    mask_, yes, no = aligned([Batch(mask), evaluator.batch(instead), batch])
    chosen_ = chosen(mask_.num.to(torch.bool), yes, no)
    return Batch(chosen_.num, torch.where(chosen_.kinds() == 0, 1, chosen_.kinds()).to(torch.uint8))


@function("IFERROR", "value, value_if_error", "Another value in place of an error.",
          family=FAMILY, params="e", gradient=_BRANCH)  # fmt: skip
def iferror(evaluator: Evaluator, value: Expr, instead: Expr) -> Batch:
    """The value, or the other one where it is an error; what is not computed stays."""
    return _caught(evaluator, value, instead, lambda codes: codes < 100)


@function("IFNA", "value, value_if_na", "Another value in place of #N/A.", family=FAMILY,
          params="e", gradient=_BRANCH)  # fmt: skip
def ifna(evaluator: Evaluator, value: Expr, instead: Expr) -> Batch:
    """The value, or the other one where it is #N/A."""
    return _caught(evaluator, value, instead, lambda codes: codes == float(ErrorCode.NA))


@function("NA", "", "The error #N/A: no value is available.", family=FAMILY,
          gradient="none: an error")  # fmt: skip
def na(evaluator: Evaluator) -> Batch:
    """#N/A."""
    return error(ErrorCode.NA)


INFORMATION = "Information"


def _enter_test(name: str, help_: str, mask_of: Callable[[Batch], Tensor]) -> None:
    """Enter a test of kinds; circles and what is not supported are passed on."""

    @function(name, "value", help_, family=INFORMATION, gradient=_NO_SLOPE)
    def run(evaluator: Evaluator, batch: Batch) -> Batch:
        if batch.is_only(1) or batch.is_only(3):
            num, errors = settled(batch.num)
            batch = numbered(num, errors, 1) if errors is not None else batch
        errors = uncomputed(batch)
        return logical(mask_of(batch).expand(_shape(batch)), errors)


def _shape(batch: Batch) -> tuple[int, ...]:
    return joint_shape(batch.num, batch.kinds())


def _is_error(batch: Batch, wanted: Callable[[Tensor], Tensor]) -> Tensor:
    return is_kind(batch, 4) & wanted(batch.num)


_enter_test("ISNUMBER", "Whether a value is a number.", lambda b: is_kind(b, 1))
_enter_test("ISBLANK", "Whether a cell is blank.", lambda b: is_kind(b, 0))
_enter_test("ISTEXT", "Whether a value is text.", lambda b: is_kind(b, 2))
_enter_test("ISNONTEXT", "Whether a value is anything but text.", lambda b: ~is_kind(b, 2))
_enter_test("ISLOGICAL", "Whether a value is TRUE or FALSE.", lambda b: is_kind(b, 3))
_enter_test("ISERROR", "Whether a value is an error.", lambda b: is_kind(b, 4))
_enter_test("ISERR", "Whether a value is an error other than #N/A.",
            lambda b: _is_error(b, lambda n: n != float(ErrorCode.NA)))  # fmt: skip
_enter_test("ISNA", "Whether a value is #N/A.",
            lambda b: _is_error(b, lambda n: n == float(ErrorCode.NA)))  # fmt: skip


@function("ERROR.TYPE", "error_val", "The number of an error; #N/A for no error.",
          family=INFORMATION, gradient=_NO_SLOPE)  # fmt: skip
def error_type(evaluator: Evaluator, batch: Batch) -> Batch:
    """Excel's number of an error."""
    mask = is_kind(batch, 4).expand(_shape(batch))
    no_error = torch.where(mask, 0.0, float(ErrorCode.NA)).to(torch.float64)
    return numbered(torch.where(mask, batch.num, 0.0), earlier(uncomputed(batch), no_error))


@function("N", "value", "A value as a number; texts are 0.", family=INFORMATION,
          gradient="smooth")  # fmt: skip
def n(evaluator: Evaluator, batch: Batch) -> Batch:
    """The number, 1 for TRUE, 0 for text and blanks."""
    if batch.is_only(1):
        return batch
    text = is_kind(batch, 2)
    return numbered(torch.where(text, 0.0, batch.num), errors_of(batch))


def _parity(name: str, help_: str, wanted: float) -> None:
    @function(name, "number", help_, family=INFORMATION, gradient=_NO_SLOPE)
    def run(evaluator: Evaluator, batch: Batch) -> Batch:
        num, errors = numbers(batch, evaluator.strings)
        return logical(torch.trunc(num).abs() % 2 == wanted, errors)


_parity("ISEVEN", "Whether the whole part of a number is even.", 0.0)
_parity("ISODD", "Whether the whole part of a number is odd.", 1.0)


@function("TYPE", "value", "1 number, 2 text, 4 truth value, 16 error, 64 array.",
          family=INFORMATION, params="w", gradient=_NO_SLOPE)  # fmt: skip
def type_(evaluator: Evaluator, batch: Batch) -> Batch:
    """Excel's number of the kind of a value."""
    if batch.is_array:
        return evaluator.constant(64.0)
    codes = torch.tensor([1.0, 1.0, 2.0, 4.0, 16.0], dtype=torch.float64)
    return numbered(codes[batch.kinds().expand(_shape(batch)).to(torch.int64)],
                    uncomputed(batch))  # fmt: skip


@function("LET", "name1, value1, ..., calculation", "Names for parts of a calculation.",
          family=FAMILY, params="e", gradient="that of the calculation")  # fmt: skip
def let(evaluator: Evaluator, *args: Expr) -> Value:
    """The last argument, with the names before it standing for their values."""
    if len(args) < 3 or len(args) % 2 == 0:
        return error(ErrorCode.VALUE)
    variables: list[tuple[str, Value]] = []
    for i in range(0, len(args) - 1, 2):
        name = args[i]
        if not isinstance(name, Name):
            return error(ErrorCode.NAME)
        variables.append((name.name.casefold(), evaluator.with_variables(variables, args[i + 1])))
    return evaluator.with_variables(variables, args[-1])
