"""Values of a whole block: numbers with kinds, Excel's coercions and error propagation.

Owns Batch and the rules that turn cells into numbers, truths and texts. Every tensor has four
dimensions: rows and columns of the block, then rows and columns of the array that one cell of
the block sees; a dimension that does not vary has size 1. Knows no sheets and no functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradsheet.formula import trace
from gradsheet.formula.dates import parse_date
from gradsheet.formula.values import ErrorCode, Kind, Scalar, Strings, pack, parse_number, unpack

BLANK = int(Kind.BLANK)
NUMBER = int(Kind.NUMBER)
TEXT = int(Kind.TEXT)
BOOLEAN = int(Kind.BOOLEAN)
ERROR = int(Kind.ERROR)

Errors: TypeAlias = Tensor | None
"""Error codes as float64, 0 where there is none; None where there is none anywhere."""


class Batch:
    """What an expression is worth in every cell of a block.

    Parameters
    ----------
    num : Tensor (R|1, C|1, h, w) float64; number, 0 or 1, text id or error code by kind
    kind : one `Kind` for all, or Tensor uint8 that broadcasts with `num`
    direct : whether it was computed or written in the formula, rather than read from cells
    """

    __slots__ = ("direct", "kind", "num")

    def __init__(self, num: Tensor, kind: int | Tensor = NUMBER, direct: bool = True) -> None:
        self.num = num
        self.kind = kind
        self.direct = direct

    def is_only(self, kind: int) -> bool:
        """Whether all values are known to be of one kind."""
        return isinstance(self.kind, int) and self.kind == kind

    @property
    def height(self) -> int:
        """Rows of the array."""
        return self.num.shape[2]

    @property
    def width(self) -> int:
        """Columns of the array."""
        return self.num.shape[3]

    @property
    def is_array(self) -> bool:
        """Whether a cell of the block sees more than one value."""
        return self.num.shape[2] != 1 or self.num.shape[3] != 1

    def kinds(self) -> Tensor:
        """The kinds as a tensor that broadcasts with `num`."""
        if isinstance(self.kind, int):
            return torch.full((1, 1, 1, 1), self.kind, dtype=torch.uint8)
        return self.kind

    def view(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """The same change of shape applied to numbers and kinds."""
        kind = self.kind
        if not isinstance(kind, int):
            if kind.shape != self.num.shape:
                kind = kind.expand(self.num.shape)
            kind = change(kind)
        return Batch(change(self.num), kind, self.direct)


def joint_shape(*tensors: Tensor) -> tuple[int, ...]:
    """The shape that tensors broadcast to."""
    return np.broadcast_shapes(*[tuple(tensor.shape) for tensor in tensors])


def constant(value: Scalar, strings: Strings) -> Batch:
    """A batch of one value."""
    number, kind = pack(value, strings)
    return Batch(torch.full((1, 1, 1, 1), number, dtype=torch.float64), int(kind))


def error(code: int) -> Batch:
    """A batch that is one error, by its code."""
    return Batch(torch.full((1, 1, 1, 1), float(code), dtype=torch.float64), ERROR)


def numbered(num: Tensor, errors: Errors = None, kind: int = NUMBER) -> Batch:
    """Numbers (or booleans) that are an error wherever a code is given."""
    if errors is None:
        return Batch(num, kind)
    bad = errors > 0
    kinds = torch.where(bad, ERROR, kind).to(torch.uint8)
    return Batch(torch.where(bad, errors, num), kinds)


def logical(truth: Tensor, errors: Errors = None) -> Batch:
    """Booleans from a mask."""
    return numbered(truth.to(torch.float64), errors, BOOLEAN)


def is_kind(batch: Batch, kind: int) -> Tensor:
    """Mask of the values of one kind; broadcasts with the numbers."""
    if isinstance(batch.kind, int):
        return torch.full((1, 1, 1, 1), batch.kind == kind)
    return batch.kind == kind


def errors_of(batch: Batch) -> Errors:
    """Codes of the errors among the values."""
    if isinstance(batch.kind, int):
        return batch.num if batch.kind == ERROR else None
    bad = batch.kind == ERROR
    if not bool(bad.any()):
        return None
    return torch.where(bad, batch.num, 0.0)


def earlier(first: Errors, then: Errors) -> Errors:
    """Codes of two operands: where both are errors the first one counts, as in Excel."""
    if first is None:
        return then
    if then is None:
        return first
    return torch.where(first > 0, first, then)


def flagged(errors: Errors, mask: Tensor, code: ErrorCode) -> Errors:
    """Codes with one more wherever a mask is true."""
    return earlier(errors, torch.where(mask, float(code), 0.0).to(torch.float64))


def settled(num: Tensor, errors: Errors = None) -> tuple[Tensor, Errors]:
    """Numbers without infinities and NaN, which Excel shows as #NUM!.

    Asked for wherever an operation could hide them (a comparison, a denominator) and where a
    block ends; between those they travel on by themselves.
    """
    if bool(torch.isfinite(num.sum())):
        return num, errors
    bad = ~torch.isfinite(num)
    if not bool(bad.any()):
        return num, errors
    return torch.where(bad, 0.0, num), flagged(errors, bad, ErrorCode.NUM)


def numbers(batch: Batch, strings: Strings) -> tuple[Tensor, Errors]:
    """Values as numbers in arithmetic: blank is 0, TRUE is 1, text is read or #VALUE!."""
    kind = batch.kind
    if isinstance(kind, int):
        if kind == ERROR:
            return torch.zeros_like(batch.num), batch.num
        if kind == TEXT:
            return _read_texts(batch, None, strings)
        return batch.num, None
    errors: Errors = None
    num = batch.num
    if bool((kind == ERROR).any()):
        bad = kind == ERROR
        errors = torch.where(bad, num, 0.0)
        num = torch.where(bad, 0.0, num)
    if bool((kind == TEXT).any()):
        num, unread = _read_texts(Batch(num), kind == TEXT, strings)
        errors = earlier(errors, unread)
    return num, errors


def _read_texts(batch: Batch, mask: Tensor | None, strings: Strings) -> tuple[Tensor, Errors]:
    """Text ids as the numbers that the texts spell, with #VALUE! where they spell none."""
    num = batch.num.detach()
    shape = tuple(num.shape)
    if mask is None:
        mask = torch.ones(shape, dtype=torch.bool)
    else:
        shape = joint_shape(num, mask)
        mask = mask.expand(shape)
    ids = num.expand(shape).numpy()[mask.numpy()]
    read = {i: spelled_number(strings.text(int(i))) for i in set(ids.tolist())}
    values = np.zeros(tuple(shape))
    codes = np.zeros(tuple(shape))
    values[mask.numpy()] = [read[i] or 0.0 for i in ids.tolist()]
    codes[mask.numpy()] = [0.0 if read[i] is not None else ErrorCode.VALUE for i in ids.tolist()]
    out = torch.where(mask, torch.from_numpy(values), batch.num)
    return out, torch.from_numpy(codes) if codes.any() else None


def spelled_number(text: str) -> float | None:
    """The number, date or time that a text spells, None if it spells none."""
    number = parse_number(text)
    return parse_date(text) if number is None else number


def truths(batch: Batch, strings: Strings) -> tuple[Tensor, Errors]:
    """Values as conditions: a number is true unless 0; the texts TRUE and FALSE are read."""
    kind = batch.kind
    if isinstance(kind, int) and kind in (NUMBER, BOOLEAN, BLANK):
        num, errors = settled(batch.num)
        return num != 0, errors
    if batch.is_only(TEXT) or (not isinstance(kind, int) and bool((kind == TEXT).any())):
        batch = _texts_as_booleans(batch, strings)
    num, errors = settled(*numbers(batch, strings))
    return num != 0, errors


def _texts_as_booleans(batch: Batch, strings: Strings) -> Batch:
    spelled = {float(strings.id_of("TRUE")): 1.0, float(strings.id_of("FALSE")): 0.0}
    num, kinds = plain(batch)
    for i in np.ndindex(num.shape):
        if kinds[i] == TEXT:
            folded = strings.text(int(num[i])).upper()
            known = spelled.get(float(strings.id_of(folded))) if folded else None
            num[i], kinds[i] = (ErrorCode.VALUE, ERROR) if known is None else (known, BOOLEAN)
    return Batch(torch.from_numpy(num), torch.from_numpy(kinds))


def plain(batch: Batch) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """Numbers and kinds as fresh arrays of one shape, outside of any gradient."""
    tracer = trace.active()
    if tracer is not None and (trace.depends(batch.num) or trace.depends(batch.kinds())):
        tracer.give_up("a value that depends on the parameters is used as text or as an address")
    kinds = batch.kinds()
    shape = joint_shape(batch.num, kinds)
    with torch._C.DisableTorchFunction():
        num = batch.num.detach().expand(shape).numpy().copy()
        return num, kinds.detach().expand(shape).numpy().copy()


def aligned(batches: Sequence[Batch]) -> list[Batch]:
    """Batches whose arrays have one size; a row or column repeats, what is missing is #N/A."""
    height = max(batch.num.shape[2] for batch in batches)
    width = max(batch.num.shape[3] for batch in batches)
    if height == 1 and width == 1:
        return list(batches)
    return [_grown(batch, height, width) for batch in batches]


def _grown(batch: Batch, height: int, width: int) -> Batch:
    down = height - batch.height if batch.height != 1 else 0
    right = width - batch.width if batch.width != 1 else 0
    if not down and not right:
        return batch
    pad = (0, right, 0, down)
    num = torch.nn.functional.pad(batch.num, pad, value=float(ErrorCode.NA))
    kinds = batch.kinds().expand(batch.num.shape)
    return Batch(num, torch.nn.functional.pad(kinds, pad, value=ERROR), batch.direct)


def chosen(mask: Tensor, yes: Batch, no: Batch) -> Batch:
    """`yes` where the mask is true, else `no`; arrays must be aligned."""
    kind: int | Tensor
    if isinstance(yes.kind, int) and isinstance(no.kind, int) and yes.kind == no.kind:
        kind = yes.kind
    else:
        kind = torch.where(mask, yes.kinds(), no.kinds())
    return Batch(torch.where(mask, yes.num, no.num), kind)


def by_host(
    function: Callable[..., Scalar], batches: Sequence[Batch], strings: Strings
) -> Batch:
    """Apply a Python function to the values of every cell; for texts, never for gradients.

    Errors among the arguments are passed on, the first one first. Equal arguments are computed
    once.
    """
    parts = [plain(batch) for batch in aligned(batches)]
    shape = np.broadcast_shapes(*[num.shape for num, _ in parts])
    columns: list[list[float]] = []
    for num, kinds in parts:
        columns.append(np.broadcast_to(num, shape).ravel().tolist())
        columns.append(np.broadcast_to(kinds, shape).ravel().astype(np.float64).tolist())
    known: dict[tuple[float, ...], tuple[float, int]] = {}
    values, out_kinds = [], []
    for key in zip(*columns, strict=True):
        result = known.get(key)
        if result is None:
            result = known[key] = _host_value(function, key, strings)
        values.append(result[0])
        out_kinds.append(result[1])
    out = Batch(
        torch.tensor(values, dtype=torch.float64).reshape(shape),
        torch.tensor(out_kinds, dtype=torch.uint8).reshape(shape),
    )
    tracer = trace.active()
    if tracer is not None and any(trace.depends(b.num) for b in batches):
        tracer.mark(out.num)  # it depends on the parameters, though no gradient passes
    return out


def _host_value(
    function: Callable[..., Scalar], key: tuple[float, ...], strings: Strings
) -> tuple[float, int]:
    for value, kind in zip(key[::2], key[1::2], strict=True):
        if kind == ERROR:
            return value, ERROR
    args = [unpack(v, int(k), strings) for v, k in zip(key[::2], key[1::2], strict=True)]
    number, kind = pack(function(*args), strings)
    return number, int(kind)


def text_of(value: Scalar) -> str:
    """A value as text, as `&` joins it: up to 15 digits, TRUE, the empty text for a blank."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, ErrorCode):
        return value.text
    return number_text(value)


def number_text(value: float) -> str:
    """A number with at most 15 digits; with an exponent from 1e20 and where more than 18
    decimals would be needed, as in Excel."""
    if value == 0:
        return "0"
    digits, _, exponent = f"{abs(value):.14e}".partition("e")
    power = int(exponent)
    sign = "-" if value < 0 else ""
    significant = digits.replace(".", "").rstrip("0") or "0"
    if power > 19 or len(significant) - 1 - power > 18:
        mantissa = significant[0] + ("." + significant[1:] if len(significant) > 1 else "")
        return f"{sign}{mantissa}E{'+' if power > 0 else '-'}{abs(power):02d}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{significant}"
    whole = significant[: power + 1].ljust(power + 1, "0")
    rest = significant[power + 1 :]
    return sign + whole + ("." + rest if rest else "")


def number_of(value: Scalar) -> float | ErrorCode:
    """One value as a number in arithmetic; #VALUE! for text that spells none."""
    if value is None:
        return 0.0
    if isinstance(value, ErrorCode):
        return value
    if isinstance(value, str):
        read = spelled_number(value)
        return ErrorCode.VALUE if read is None else read
    number = float(value)
    return number if math.isfinite(number) else ErrorCode.NUM
