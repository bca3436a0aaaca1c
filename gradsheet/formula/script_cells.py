"""The cells of a script: which variable holds which region, and how a part of it is read.

Owns the names of variables, the constants that a script needs and their spelling. Knows neither
formulas nor optimizers.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Region
from gradsheet.formula.values import Kind

Floats = npt.NDArray[np.float64]
Kinds = npt.NDArray[np.uint8]
Place = tuple[int, Region]

RESERVED = frozenset(
    {"torch", "tensor", "math", "nan", "loss", "losses", "step", "model", "optimizer", "factor",
     "parameters", "windows", "print", "range", "min", "max", "abs", "len", "zip", "state",
     "states", "scale", "scales", "update", "divisor", "schedule", "by_rate", "by_momentum",
     "theta", "cells", "d", "g", "p", "lr", "weight_decay", "decoupled", "momentum", "dampening",
     "nesterov", "beta1", "beta2", "eps", "amsgrad", "centered", "lr_decay", "bias_correction",
     "initial_accumulator", "lagged", "period", "beta3", "base_lr", "base_momentum", "base_beta1"}
) | frozenset(keyword.kwlist)  # fmt: skip
"""Names that a script has another use for."""


class NoScriptError(Exception):
    """Something in the formulas has no counterpart in this kind of script."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A tensor of a script.

    Attributes
    ----------
    name : str
    sheet : int
    region : Region
        Its cells; the tensor has two dimensions, none for a single cell.
    gaps : bool
        Whether NaN stands where a cell holds no number.
    texts : bool
        Whether some of the gaps are texts, which do not count as 0.
    """

    name: str
    sheet: int
    region: Region
    gaps: bool = False
    texts: bool = False


@dataclass(slots=True)
class Names:
    """Gives cells their names: a role's label, a defined name, or the address.

    Parameters
    ----------
    known : mapping of (sheet, Region) to str
        What people call a region.
    home : int
        The sheet whose name is left out of addresses.
    sheet_name : callable
    """

    known: dict[Place, str]
    home: int
    sheet_name: Callable[[int], str]
    taken: set[str] = field(default_factory=lambda: set(RESERVED))

    def name(self, sheet: int, region: Region, suffix: str = "") -> str:
        """Return a new variable's name for a region."""
        wanted = slug(self.known.get((sheet, region), "")) or self.address(sheet, region)
        return self.free(wanted + suffix)

    def free(self, wanted: str) -> str:
        """Return a name that nothing has yet."""
        name, number = wanted, 2
        while name in self.taken:
            name, number = f"{wanted}_{number}", number + 1
        self.taken.add(name)
        return name

    def address(self, sheet: int, region: Region) -> str:
        """Return `H2_V16`, after the sheet's name where it is another one."""
        text = str(region).replace(":", "_")
        if sheet != self.home:
            text = f"{slug(self.sheet_name(sheet)) or 'sheet'}_{text}"
        return text

    def spoken(self, sheet: int, region: Region) -> str:
        """Return how a comment names a region: `H2:V16, actual rating`."""
        place = str(region) if sheet == self.home else f"{self.sheet_name(sheet)}!{region}"
        label = self.known.get((sheet, region), "")
        return f"{place}, {label}" if label else place


def slug(text: str) -> str:
    """Return a text as a variable's name: `actual_rating`; "" if nothing is left of it."""
    plain = re.sub(r"[^0-9a-zA-Z]+", "_", text).strip("_").lower()
    return "" if not plain or plain[0].isdigit() else plain


class Cells:
    """The variables of a script and the constants behind them.

    Parameters
    ----------
    read : callable (sheet, Region) -> (values, kinds)
        The cells as they are; NaN is not among the values.
    names : Names
    wholes : sequence of (sheet, Region)
        Data to be written out whole where a part of it is read.
    """

    def __init__(
        self, read: Callable[[int, Region], tuple[Floats, Kinds]], names: Names,
        wholes: Sequence[Place] = (),
    ) -> None:  # fmt: skip
        self.names = names
        self.constants: list[str] = []
        """The lines that define constants."""
        self._read = read
        self._wholes = wholes
        self._variables: list[Variable] = []
        self._fixed: list[Variable] = []

    def add(self, variable: Variable) -> None:
        """Let a variable stand for its cells from here on."""
        self._variables.append(variable)

    def at(self, sheet: int, region: Region) -> tuple[str, Variable | None]:
        """Return the text of a region's tensor, and whose part it is.

        None where it is put together of several.
        """
        over = [v for v in self._variables if v.sheet == sheet and v.region.intersect(region)]
        if not over:
            held = self._constant(sheet, region)
            return sliced(held, region), held
        if len(over) == 1 and over[0].region.contains(region):
            return sliced(over[0], region), over[0]
        return self._assembled(sheet, region, over), None

    def number(self, sheet: int, region: Region) -> tuple[float, Kind] | None:
        """Return the constant in a single cell; None if it is computed."""
        if any(v.sheet == sheet and v.region.intersect(region) for v in self._variables):
            return None
        values, kinds = self._read(sheet, region)
        return float(values[0, 0]), Kind(int(kinds[0, 0]))

    def _constant(self, sheet: int, region: Region) -> Variable:
        for known in self._fixed:
            if known.sheet == sheet and known.region.contains(region):
                return known
        whole = next((r for s, r in self._wholes if s == sheet and r.contains(region)), region)
        values, kinds = self._read(sheet, whole)
        if np.isin(kinds, (Kind.ERROR, Kind.BOOLEAN)).any():
            raise NoScriptError(f"{whole} holds errors or truths")
        is_gap = kinds != Kind.NUMBER
        made = Variable(self.names.name(sheet, whole), sheet, whole, bool(is_gap.any()),
                        bool((kinds == Kind.TEXT).any()))  # fmt: skip
        self._fixed.append(made)
        note = "; nan: no number" if made.gaps else ""
        text = tensor_text(np.where(is_gap, np.nan, values))
        self.constants += [f"# {self.names.spoken(sheet, whole)}{note}", f"{made.name} = {text}"]
        return made

    def _assembled(self, sheet: int, region: Region, over: list[Variable]) -> str:
        """A tensor of several variables and of constants around them."""
        if any(v.gaps for v in over) or region.size > 4096:
            raise NoScriptError(f"{region} is put together of many parts")
        rows = []
        for row in range(region.top, region.bottom):
            cells, col = [], region.left
            while col < region.right:
                owner = next((v for v in over if v.region.contains((row, col))), None)
                until = min(owner.region.right, region.right) if owner else col + 1
                part = Region(row, col, row + 1, until)
                if owner is None and self._read(sheet, part)[1][0, 0] != Kind.NUMBER:
                    raise NoScriptError(f"{part} holds no number")
                text, held = (sliced(owner, part), owner) if owner else self.at(sheet, part)
                is_bare = held is not None and held.region.size == 1
                cells.append(f"{text}.reshape(1, 1)" if is_bare else text)
                col = until
            rows.append(cells[0] if len(cells) == 1 else f"torch.cat([{', '.join(cells)}], 1)")
        return rows[0] if len(rows) == 1 else f"torch.cat([{', '.join(rows)}])"


def sliced(variable: Variable, region: Region) -> str:
    """Return the part of a variable that stands for a region."""
    own = variable.region
    if own == region:
        return variable.name
    rows = _slice(region.top - own.top, region.bottom - own.top, own.rows)
    cols = _slice(region.left - own.left, region.right - own.left, own.cols)
    return f"{variable.name}[{rows}]" if cols == ":" else f"{variable.name}[{rows}, {cols}]"


def _slice(start: int, stop: int, size: int) -> str:
    first = "" if start == 0 else str(start)
    last = "" if stop == size else str(stop)
    return f"{first}:{last}"


def tensor_text(values: Floats) -> str:
    """Return `tensor([[...]])` with all digits, a row a line."""
    if values.size == 1:
        return f"tensor({float_text(values.flat[0])})"
    rows = [", ".join(float_text(x) for x in row) for row in values.tolist()]
    if len(rows) == 1 and len(rows[0]) < 70:
        return f"tensor([[{rows[0]}]])"
    body = "".join(f"    [{row}],\n" for row in rows)
    return f"tensor([\n{body}])"


def number_text(value: float) -> str:
    """Return a number of a formula as Python reads it: whole numbers without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else float_text(value)


def float_text(value: float) -> str:
    """Return a number as Python reads it, with all digits; NaN by its name in the script."""
    if math.isnan(value):
        return "nan"
    if not math.isfinite(value):
        raise NoScriptError("an infinite number")
    return repr(float(value))
