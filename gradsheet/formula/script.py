"""The loss of an objective as the source of a PyTorch function, checked against the objective.

Owns `loss_code`: block after block as batched expressions under the names that people gave the
ranges; where a formula has no short form, the recorded operations. Knows no optimizer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gradsheet.formula.address import Region
from gradsheet.formula.objective import Objective
from gradsheet.formula.script_cells import (
    Cells,
    Floats,
    Kinds,
    Names,
    NoScriptError,
    Place,
    Variable,
    tensor_text,
)
from gradsheet.formula.script_code import BlockCoder
from gradsheet.formula.script_record import recorded
from gradsheet.formula.syntax import unparse
from gradsheet.formula.values import FormulaError

WINDOWS = """def windows(cells, height, width):
    \"\"\"Return the range of so many cells that each formula of a block sees.\"\"\"
    return cells.unfold(0, height, 1).unfold(1, width, 1)"""
HEADER = """import math

import torch

nan = math.nan


def tensor(numbers):
    \"\"\"Return numbers as a spreadsheet keeps them: 64 bits each.\"\"\"
    return torch.tensor(numbers, dtype=torch.float64)
"""
_LONGEST_FORMULA = 160
_AGREES = 1e-9


@dataclass(frozen=True, slots=True)
class LossCode:
    """A loss as code.

    Attributes
    ----------
    constants : tuple of str
        Lines that define the data.
    parameters : tuple of (name, Region, comment)
        In the order of theta; each is a tensor of its region's shape, 0-d for one cell.
    body : tuple of str
        Lines of the function, without indentation; comments among them.
    result : str
        The loss, an expression.
    needs_windows : bool
    is_recorded : bool
        Whether the formulas had no short form.
    """

    constants: tuple[str, ...]
    parameters: tuple[tuple[str, Region, str], ...]
    body: tuple[str, ...]
    result: str
    needs_windows: bool = False
    is_recorded: bool = False

    def source(self, values: Sequence[str]) -> str:
        """Return a program with the function `model()`, for these texts of the parameters."""
        lines = [HEADER, *self.constants]
        lines += [f"{p[0]} = {text}" for p, text in zip(self.parameters, values, strict=True)]
        if self.needs_windows:
            lines.append(WINDOWS)
        lines += ["def model():", *(f"    {line}" for line in self.body),
                  f"    return {self.result}"]  # fmt: skip
        return "\n".join(lines) + "\n"


def loss_code(
    objective: Objective,
    known: Mapping[Place, str],
    wholes: Sequence[Place] = (),
) -> LossCode:
    """Write the loss as code; it gives the objective's loss and gradient where it stands.

    Parameters
    ----------
    objective : Objective
    known : mapping of (sheet, Region) to str
        What people call ranges: labels of roles, defined names.
    wholes : sequence of (sheet, Region)
        Data to be written out whole, not only where it is read.

    Raises
    ------
    FormulaError
        If the formulas cannot be written as plain PyTorch at all.
    """
    why = ""
    for write in (_from_formulas, _from_record):
        try:
            code = write(objective, dict(known), wholes)
            if _agrees(code, objective):
                return code
            why = why or "the code gives another number"
        except NoScriptError as missing:
            why = str(missing)
    raise FormulaError(
        f"The loss cannot be written as plain PyTorch: {why}.",
        hint="Export the workbook as .xlsx, or write that formula with other functions.",
    )


def _names(objective: Objective, known: dict[Place, str]) -> Names:
    setting = objective.setting
    return Names(known, setting.loss[0], setting.world.sheet_name)


def _parameters(objective: Objective, names: Names) -> list[tuple[str, Region, str]]:
    return [(names.name(s, r), r, names.spoken(s, r)) for s, r in objective.setting.parameters]


def _from_formulas(
    objective: Objective, known: dict[Place, str], wholes: Sequence[Place]
) -> LossCode:
    setting = objective.setting
    names = _names(objective, known)

    def read(sheet: int, region: Region) -> tuple[Floats, Kinds]:
        num, kind = setting.planes.window(sheet, region)
        kinds = np.broadcast_to(np.asarray(kind, dtype=np.uint8), region.shape)
        return num.numpy().reshape(region.shape), kinds

    cells = Cells(read, names, wholes)
    parameters = _parameters(objective, names)
    for (sheet, region), (name, _, _) in zip(setting.parameters, parameters, strict=True):
        cells.add(Variable(name, sheet, region))
    body: list[str] = []
    needs_windows = False
    for step in setting.path:
        block, part = setting.blocks[step.block], step.part
        region = part.region if block.array is None else block.array
        coder = BlockCoder(cells, part, setting.world.sheet_of, block.array is not None)
        piece = coder.result(block.expr)
        needs_windows |= coder.uses_windows
        name = names.name(part.sheet, region)
        formula = unparse(block.expr, part.host)
        if len(formula) > _LONGEST_FORMULA:
            formula = formula[:_LONGEST_FORMULA] + "…"
        body.append(f"# {names.spoken(part.sheet, region)}: {' '.join(formula.split())}")
        body.append(f"{name} = {piece.text}")
        if piece.is_array and region.size == 1:
            body[-1] = f"{name} = ({piece.text}).reshape(())"
        cells.add(Variable(name, part.sheet, region, piece.gaps, piece.texts))
    sheet, cell = setting.loss
    result, owner = cells.at(sheet, Region.of(cell))
    if owner is not None and owner.region.size > 1:
        result = f"{result}.reshape(())"
    return LossCode(tuple(cells.constants), tuple(parameters), tuple(body), result, needs_windows)


def _from_record(
    objective: Objective, known: dict[Place, str], wholes: Sequence[Place]
) -> LossCode:
    names = _names(objective, known)
    parameters = _parameters(objective, names)
    constants, lines, result = recorded(objective.evaluated, objective.theta0)
    flat = ", ".join(f"{name}.reshape(-1)" for name, _, _ in parameters)
    body = [
        "# The formulas of this workbook as the tensor operations that gradsheet makes of them.",
        f"theta = torch.cat([{flat}])",
        *lines,
    ]
    return LossCode(tuple(constants), tuple(parameters), tuple(body), result, is_recorded=True)


def parameter_texts(code: LossCode, theta: torch.Tensor) -> list[str]:
    """Return the parameters of a script with these numbers."""
    parts = torch.split(theta.detach(), [region.size for _, region, _ in code.parameters])
    return [tensor_text(part.reshape(region.shape).numpy())
            for part, (_, region, _) in zip(parts, code.parameters, strict=True)]  # fmt: skip


def _agrees(code: LossCode, objective: Objective) -> bool:
    """Whether the code gives loss and gradient of the objective, at its start and beside it."""
    scope: dict[str, Any] = {}
    start = objective.theta0
    moved = start + 1e-3 * torch.cos(torch.arange(start.numel(), dtype=torch.float64))
    try:
        exec(compile(code.source(parameter_texts(code, start)), "<script>", "exec"), scope)
        return all(_agrees_at(code, scope, objective, theta) for theta in (start, moved))
    except (ArithmeticError, IndexError, NameError, RuntimeError, SyntaxError, TypeError,
            ValueError) as error:  # fmt: skip
        raise NoScriptError(f"{type(error).__name__}") from error


def _agrees_at(
    code: LossCode, scope: dict[str, Any], objective: Objective, theta: torch.Tensor
) -> bool:
    wanted, slope = objective.loss_and_gradient(theta)
    if not math.isfinite(wanted.item()):
        return True
    parts = torch.split(theta, [region.size for _, region, _ in code.parameters])
    for (name, region, _), part in zip(code.parameters, parts, strict=True):
        shape = () if region.size == 1 else region.shape
        scope[name] = part.reshape(shape).clone().requires_grad_()
    with torch.enable_grad():
        loss = scope["model"]()
        if loss.dim() or not math.isclose(loss.item(), wanted.item(), rel_tol=_AGREES,
                                          abs_tol=1e-12):  # fmt: skip
            return False
        found = torch.autograd.grad(
            loss, [scope[p[0]] for p in code.parameters], allow_unused=True
        )
    flat = torch.cat([torch.zeros(r.size).double() if g is None else g.reshape(-1)
                      for g, (_, r, _) in zip(found, code.parameters, strict=True)])  # fmt: skip
    return torch.allclose(flat, slope, rtol=1e-7, atol=1e-10)
