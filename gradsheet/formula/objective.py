"""The loss cell as a function of the parameter cells.

Owns Objective: which blocks lie between parameters and loss, their evaluation over frozen cells,
and gradients. Knows no optimizer and writes no cell.
"""

# LONG: one immutable thing; its fast, slow and failing ways share the setting.

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.areas import Part
from gradsheet.formula.batch import BOOLEAN, ERROR, NUMBER, Batch, settled
from gradsheet.formula.blocks import Block
from gradsheet.formula.evaluate import Evaluator, World
from gradsheet.formula.recurrence import Step
from gradsheet.formula.results import Computed, as_computed, of_part
from gradsheet.formula.specialise import Specialised, specialised
from gradsheet.formula.values import ErrorCode, FormulaError
from gradsheet.formula.windows import Layered, Piece, Planes

if TYPE_CHECKING:
    from gradsheet.formula.compiler import Program

_MOST_VARIANTS = 4


@dataclass(frozen=True, slots=True)
class Setting:
    """What an objective was made from; nothing in it changes afterwards."""

    planes: Planes
    world: World
    blocks: tuple[Block, ...]
    path: tuple[Step, ...]
    dependents: tuple[Step, ...]
    loss: tuple[int, Cell]
    parameters: tuple[tuple[int, Region], ...]
    loss_name: str


def make_objective(
    program: Program, loss: tuple[int, Cell], parameters: Sequence[tuple[int, Region]]
) -> Objective:
    """See `Program.objective`."""
    sheet, cell = loss
    world = fixed_world(program.world(program.snapshot()), program.sheet_names())
    name = f"{world.sheet_name(sheet)}!{Cell(*cell)}"
    loss_block = program.graph.owner(sheet, cell)
    if loss_block is None:
        raise FormulaError(
            f"{name} holds no formula, so there is nothing to make smaller.",
            hint="Choose a cell whose formula measures the error, such as an RMSE.",
        )
    start: set[int] = set()
    for home, region in parameters:
        start |= program.readers(home, region)
    dependents = program.reach(start)
    if loss_block not in dependents:
        raise FormulaError(
            f"{name} does not depend on the parameters.",
            hint="Choose parameters that the formula reads, directly or through other cells.",
        )
    needed = ancestors(program, loss_block)
    on_path = dependents & needed
    path, others = steps_of(program, on_path, loss), steps_of(program, dependents, None)
    setting = Setting(
        world.source,
        world,
        program.blocks,
        path,
        others,
        (sheet, Cell(*cell)),
        tuple(parameters),
        name,
    )
    objective = Objective(setting)
    if not bool(torch.isfinite(objective.loss(objective.theta0))):
        reason = objective.failure(objective.theta0) or "it shows no number"
        raise FormulaError(
            f"{name} is not a number that could be made smaller: {reason}.",
            hint="Correct that cell, or choose another loss.",
        )
    return objective


def fixed_world(world: World, names: dict[int, str]) -> World:
    """Surroundings that no later edit changes."""
    ids = {name.casefold(): sheet for sheet, name in names.items()}
    world.sheet_of = lambda name: ids.get(name.casefold())
    world.sheet_name = names.__getitem__
    world.draws = dict(world.draws)
    return world


def ancestors(program: Program, index: int) -> set[int]:
    found = {index}
    pending = [index]
    while pending:
        more = program.sources(pending.pop()) - found
        pending.extend(more)
        found |= more
    return found


def steps_of(
    program: Program, wanted: set[int], loss: tuple[int, Cell] | None
) -> tuple[Step, ...]:
    steps: list[Step] = []
    for number in program.order:
        component = program.graph.components[number]
        if wanted.isdisjoint(component.blocks):
            continue
        plan = program.unrolled(number)
        if plan.circular:
            where = ", ".join(str(cell) for _, cell in plan.circles[0]) if loss else ""
            if loss:
                raise FormulaError(f"The loss depends on a circle of cells: {where}.")
            continue
        steps.extend(step for step in plan.steps if step.block in wanted)
    return tuple(steps)


class Objective:
    """The loss as a function of the parameters; immutable and safe to use from any thread.

    Made by `Program.objective`. Parameters are the cells of the regions, row by row, one region
    after another; a formula in a parameter cell counts as the number that it shows.

    Attributes
    ----------
    theta0 : Tensor (n,) float64, the parameters as the cells hold them
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._lock = threading.Lock()
        starts, sizes = [], []
        for sheet, region in setting.parameters:
            num, kind = setting.planes.window(sheet, region)
            if not isinstance(kind, int) or kind not in (0, NUMBER):
                num = torch.where(torch.as_tensor(kind) == NUMBER, num, 0.0)
            starts.append(num.reshape(-1))
            sizes.append(region.size)
        self.theta0: Tensor = torch.cat(starts).clone() if starts else torch.zeros(0).double()
        self._sizes = sizes
        self._variants: list[Specialised] = []
        self._specialise(self.theta0)

    def loss(self, theta: Tensor) -> Tensor:
        """The loss, 0-d float64, detached; NaN where the loss cell shows an error."""
        with torch.no_grad():
            for variant in tuple(self._variants):
                value = variant.loss(theta)
                if value is not None:
                    return value
            return self._full(theta, self._setting.path)[1].detach()

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss (0-d) and its gradient (n,), float64, detached.

        Where the loss cell shows an error the loss is NaN and the gradient 0; `failure` names
        the cell.
        """
        for variant in tuple(self._variants):
            found = variant.loss_and_gradient(theta)
            if found is not None:
                return found
        result = self._slow_gradient(theta)
        self._respecialise(theta)
        return result

    def values(self, theta: Tensor) -> list[Computed]:
        """The parameters and every block that depends on them."""
        with torch.no_grad():
            cells, _, _ = self._full(theta, self._setting.dependents, self._setting.path)
        found = self.parameters(theta)
        found.extend(self._collected(cells, self._setting.dependents, None))
        return found

    def gradients(self, theta: Tensor) -> list[Computed]:
        """Derivative of the loss by each parameter and by each cell on the way to it."""
        with torch.enable_grad():
            root = theta.detach().clone().requires_grad_()
            cells, loss, pieces = self._full(root, self._setting.path)
            outputs = [piece.num for piece in pieces]
            grads: tuple[Tensor | None, ...] = (None,) * (len(outputs) + 1)
            if loss.requires_grad:
                grads = torch.autograd.grad(loss, [root, *outputs], allow_unused=True)
        first = torch.zeros_like(root) if grads[0] is None else grads[0]
        found = self.parameters(first)
        by_step = {
            id(piece): torch.zeros_like(piece.num) if grad is None else grad
            for piece, grad in zip(pieces, grads[1:], strict=True)
        }
        found.extend(self._collected(cells, self._setting.path, by_step))
        return found

    def parameters(self, theta: Tensor) -> list[Computed]:
        """The parameter regions with the given values."""
        found = []
        parts = torch.split_with_sizes(theta.detach().to(torch.float64), self._sizes)
        for (sheet, region), part in zip(self._setting.parameters, parts, strict=True):
            values = part.reshape(region.shape).numpy()
            kinds = np.full(region.shape, NUMBER, np.uint8)
            found.append(as_computed(sheet, region, values, kinds))
        return found

    def failure(self, theta: Tensor) -> str:
        """Where the first error on the way to the loss is, "" if there is none.

        A parameter that is not finite comes before all formulas.
        """
        lost = torch.nonzero(~torch.isfinite(theta))
        if len(lost):
            return f"{self.place(int(lost[0]))} is no finite number"
        with torch.no_grad():
            _, _, pieces = self._full(theta, self._setting.path)
        for piece in pieces:
            kinds = torch.as_tensor(piece.kind).expand(piece.num.shape)
            if bool((kinds == ERROR).any()):
                row, col = (int(i) for i in torch.nonzero(kinds == ERROR)[0])
                part = piece.part
                cell = Cell(part.top + row * part.row_stride, part.left + col * part.col_stride)
                text = ErrorCode(int(piece.num[row, col])).text
                return f"{self._setting.world.sheet_name(part.sheet)}!{cell} shows {text}"
        return ""

    def place(self, index: int) -> str:
        """Return sheet and cell of a parameter by its place in theta, as a formula names it."""
        for (sheet, region), size in zip(self._setting.parameters, self._sizes, strict=True):
            if index < size:
                cell = Cell(region.top + index // region.cols, region.left + index % region.cols)
                return f"{self._setting.world.sheet_name(sheet)}!{cell}"
            index -= size
        raise IndexError("there are not so many parameters")

    @property
    def is_specialised(self) -> bool:
        """Whether steps run generated code rather than the full evaluator."""
        return bool(self._variants)

    @property
    def device(self) -> str:
        """Where steps are computed, as torch names it; see `devices` for the rule."""
        return self._variants[0].device if self._variants else "cpu"

    @property
    def code(self) -> str:
        """The generated code, "" if there is none."""
        return self._variants[0].source if self._variants else ""

    @property
    def setting(self) -> Setting:
        """What it was made from."""
        return self._setting

    def evaluated(self, theta: Tensor) -> Tensor:
        """The loss by the full evaluator, to be recorded or differentiated."""
        return self._full(theta, self._setting.path)[1]

    def _specialise(self, theta: Tensor) -> None:
        made = specialised(self.evaluated, theta)
        if made is not None:
            self._variants.insert(0, made)

    def _respecialise(self, theta: Tensor) -> None:
        """A record of another course of the computation, such as other errors or signs."""
        if not self._variants or len(self._variants) >= _MOST_VARIANTS:
            return
        with self._lock:
            if len(self._variants) < _MOST_VARIANTS and bool(torch.isfinite(theta).all()):
                self._specialise(theta)

    def _slow_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            root = theta.detach().clone().requires_grad_()
            _, loss, _ = self._full(root, self._setting.path)
            if not loss.requires_grad:
                return loss.detach(), torch.zeros_like(root)
            (gradient,) = torch.autograd.grad(loss, [root])
        return loss.detach(), gradient

    def _full(
        self, theta: Tensor, steps: Sequence[Step], loss_steps: Sequence[Step] | None = None
    ) -> tuple[Layered, Tensor, list[Piece]]:
        """Evaluate with full semantics: the cells, the loss (NaN for an error), the pieces."""
        setting = self._setting
        cells = Layered(setting.planes)
        world = over(setting.world, cells)
        parts = torch.split_with_sizes(theta, self._sizes)
        for (sheet, region), values in zip(setting.parameters, parts, strict=True):
            part = Part(sheet, region.top, region.left, region.rows, region.cols)
            cells.lay(part, values.view(region.rows, region.cols), NUMBER, locked=True)
        pieces = [self._computed(world, cells, step) for step in steps]
        sheet, cell = setting.loss
        num, kind = cells.window(sheet, Region.of(cell))
        if kind not in (NUMBER, BOOLEAN):
            return cells, torch.full((), float("nan"), dtype=torch.float64), pieces
        return cells, num.reshape(()), pieces

    def _computed(self, world: World, cells: Layered, step: Step) -> Piece:
        block = self._setting.blocks[step.block]
        evaluator = Evaluator(world, step.part, block.array is not None)
        evaluator.block = block.index
        batch = _settled(evaluator.result(block.expr))
        part, rows, cols = step.part, step.part.rows, step.part.cols
        num, kind = batch.num, batch.kind
        if block.array is not None:
            region = block.array
            part = Part(part.sheet, region.top, region.left, region.rows, region.cols)
            rows, cols = region.rows, region.cols
            num, kind = _fitted(batch, rows, cols)
        else:
            num = num[:, :, 0, 0]
            kind = kind if isinstance(kind, int) else kind[:, :, 0, 0]
        if num.shape != (rows, cols):
            num = num.expand(rows, cols)
        if not isinstance(kind, int) and kind.shape != (rows, cols):
            kind = kind.expand(rows, cols)
        return cells.lay(part, num, kind)

    def _collected(
        self, cells: Layered, steps: Sequence[Step], grads: dict[int, Tensor] | None
    ) -> list[Computed]:
        """Results block by block, from the pieces (or their gradients) of its steps."""
        by_part = {piece.part: piece for piece in cells.pieces}
        found: list[Computed] = []
        whole: dict[int, tuple[Part, npt.NDArray[np.float64], npt.NDArray[np.uint8]]] = {}
        for step in steps:
            block = self._setting.blocks[step.block]
            part = block.part
            shown = step.part
            if block.array is not None:
                region = block.array
                part = shown = Part(
                    block.sheet, region.top, region.left, region.rows, region.cols
                )
            piece = by_part[shown]
            num = piece.num if grads is None else grads[id(piece)]
            kind = piece.kind if grads is None else NUMBER
            if step.block not in whole:
                shape = (part.rows, part.cols)
                whole[step.block] = (part, np.zeros(shape), np.zeros(shape, np.uint8))
            _, values, kinds = whole[step.block]
            rows, cols = _places(shown, part)
            values[rows, cols] = num.detach().numpy()
            kinds[rows, cols] = kind if isinstance(kind, int) else kind.numpy()
        for part, values, kinds in whole.values():
            found.extend(of_part(part, values, kinds))
        return found


def _places(inner: Part, outer: Part) -> tuple[slice, slice]:
    """Where the cells of a step are among those of its block."""
    top = (inner.top - outer.top) // outer.row_stride
    left = (inner.left - outer.left) // outer.col_stride
    down = max(1, inner.row_stride // outer.row_stride)
    right = max(1, inner.col_stride // outer.col_stride)
    return (
        slice(top, top + (inner.rows - 1) * down + 1, down),
        slice(left, left + (inner.cols - 1) * right + 1, right),
    )


def over(world: World, cells: Layered) -> World:
    return World(
        source=cells,
        strings=world.strings,
        sheet_of=world.sheet_of,
        sheet_name=world.sheet_name,
        parse=world.parse,
        generator=world.generator,
        draws=world.draws,
        date_1904=world.date_1904,
        set_aside=world.set_aside,
        formula_text=world.formula_text,
    )


def _settled(batch: Batch) -> Batch:
    """Errors for what is not finite, in the full evaluation only.

    While recording nothing is asked: what is not finite reaches the loss, or a function that
    would hide it and asks itself.
    """
    from gradsheet.formula import trace

    if batch.is_only(ERROR) or trace.depends(batch.num):
        return batch
    num, errors = settled(batch.num)
    if errors is None:
        return batch
    kinds = torch.where(errors > 0, ERROR, batch.kinds()).to(torch.uint8)
    return Batch(torch.where(errors > 0, errors, num), kinds)


def _fitted(batch: Batch, rows: int, cols: int) -> tuple[Tensor, int | Tensor]:
    """An array in the region of its formula, as `results.fitted` but differentiable."""
    num, kind = batch.num[0, 0], batch.kind
    if not isinstance(kind, int):
        kind = kind.expand(batch.num.shape)[0, 0]
    height = rows if num.shape[0] == 1 else num.shape[0]
    width = cols if num.shape[1] == 1 else num.shape[1]
    if num.shape != (height, width):
        num = num.expand(height, width)
        kind = kind if isinstance(kind, int) else kind.expand(height, width)
    if (height, width) == (rows, cols):
        return num, kind
    if height >= rows and width >= cols:
        return num[:rows, :cols], kind if isinstance(kind, int) else kind[:rows, :cols]
    pad = (0, max(0, cols - width), 0, max(0, rows - height))
    kinds = torch.full((height, width), kind, dtype=torch.uint8) if isinstance(kind, int) else kind
    num = torch.nn.functional.pad(num, pad, value=float(ErrorCode.NA))[:rows, :cols]
    return num, torch.nn.functional.pad(kinds, pad, value=ERROR)[:rows, :cols]
