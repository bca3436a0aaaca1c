"""The table of functions: what is known of each, and the decorators that enter one.

Owns the records and the lifting of plain tensor functions to cells with kinds and errors.
Knows no particular function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

from gradsheet.formula.batch import (
    Batch,
    Errors,
    aligned,
    earlier,
    flagged,
    logical,
    numbered,
    numbers,
    settled,
)
from gradsheet.formula.values import ErrorCode, Strings

Domain: TypeAlias = list[tuple[Tensor, ErrorCode]]
"""Masks of the inputs that have no result, with the error that Excel shows there."""
Code: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Function:
    """One row of the table.

    Parameters
    ----------
    name : as Excel spells it in a formula, in capitals
    family : heading in the function reference
    arguments : their names; an optional one in brackets, "..." where the last ones repeat
    min_args, max_args : how many may be given; None for any number
    help : one sentence
    gradient : "smooth", "subgradient at ...: ...", or "none" with the reason
    source : where the definition comes from
    params : how each argument arrives, the last letter repeating: `v` one value per cell,
        `r` a reference or value as it is, `w` all values of a reference, `a` evaluated as an
        array formula, `e` not evaluated
    code : called with the evaluator and the arguments
    is_volatile : whether it is drawn anew in every recalculation
    plain : the same in functions that Excel has, for export; "" if Excel has the function
    """

    name: str
    family: str
    arguments: tuple[str, ...]
    min_args: int
    max_args: int | None
    help: str
    gradient: str
    source: str
    params: str
    code: Code
    is_volatile: bool = False
    plain: str = ""

    @property
    def signature(self) -> str:
        """The call with its arguments, `SUM(number1, [number2], ...)`."""
        return f"{self.name}({', '.join(self.arguments)})"


TABLE: dict[str, Function] = {}
_EXCEL = "https://support.microsoft.com/office/excel-functions-by-category"


def function(
    name: str,
    arguments: str,
    help: str,
    *,
    family: str,
    params: str = "v",
    gradient: str = "none: not a number of its arguments",
    source: str = _EXCEL,
    is_volatile: bool = False,
    plain: str = "",
) -> Callable[[Code], Code]:
    """Enter a function that takes the evaluator and its arguments.

    `arguments` is written as Excel's help writes it: `number1, [number2], ...`.
    """
    named = tuple(part.strip() for part in arguments.split(",") if part.strip())
    repeats = "..." in named
    fixed = [part for part in named if part != "..."]
    required = sum(not part.startswith("[") for part in fixed)
    most = None if repeats else len(fixed)

    def enter(code: Code) -> Code:
        TABLE[name] = Function(
            name, family, named, required, most, help, gradient, source, params, code,
            is_volatile, plain,
        )  # fmt: skip
        return code

    return enter


def lifted(
    strings: Strings, batches: Sequence[Batch], code: Code, *, hides: bool = False
) -> Batch:
    """Apply tensor code to values as numbers; the first error among them is passed on.

    `code` gives a Tensor, or a Tensor and its Domain. `hides` says that infinities among the
    inputs would not show in the result, so that they must become #NUM! before.
    """
    nums: list[Tensor] = []
    errors: Errors = None
    for batch in aligned(batches):
        num, found = numbers(batch, strings)
        if hides:
            num, found = settled(num, found)
        nums.append(num)
        errors = earlier(errors, found)
    result = code(*nums)
    if isinstance(result, tuple):
        result, domain = result
        for mask, error_code in domain:
            errors = flagged(errors, mask, error_code)
    return numbered(result, errors)


def numeric(
    name: str,
    arguments: str,
    help: str,
    *,
    gradient: str = "smooth",
    family: str = "Mathematics",
    hides: bool = False,
    source: str = _EXCEL,
    plain: str = "",
    defaults: Sequence[float] = (),
) -> Callable[[Code], Code]:
    """Enter a function of numbers, element by element, given as code on tensors.

    `defaults` are the values of the optional arguments that are left out, last ones last.
    """

    def enter(code: Code) -> Code:
        def run(evaluator: Any, *batches: Batch) -> Batch:
            missing = len(arguments.split(",")) - len(batches)
            given = list(batches)
            for value in defaults[len(defaults) - missing :] if missing else ():
                given.append(evaluator.constant(value))
            return lifted(evaluator.strings, given, code, hides=hides)

        function(
            name, arguments, help, family=family, gradient=gradient, source=source, plain=plain
        )(run)
        return code

    return enter


def logic(mask: Tensor, errors: Errors = None) -> Batch:
    """Booleans of a test."""
    return logical(mask, errors)
