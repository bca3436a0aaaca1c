"""An objective's evaluation as straight-line code.

Owns the turning of a record of tensor operations into generated Python, and the checks under
which it stands for the full evaluation. Knows no formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gradsheet.formula.trace import Record, Tracer, Var


class Specialised:
    """Generated code for one course of the evaluation.

    Parameters
    ----------
    record : the operations, from the parameters (variable 0)
    loss : number of the loss in the record
    """

    def __init__(self, record: Record, loss: int) -> None:
        self.source, constants = _generated(record, loss)
        scope: dict[str, Any] = dict(constants)
        exec(compile(self.source, "<objective>", "exec"), scope)
        self._forward: Callable[[Tensor], Tensor | None] = scope["forward"]

    def loss(self, theta: Tensor) -> Tensor | None:
        """The loss, or None where the code does not hold."""
        value = self._forward(theta)
        if value is None or not math.isfinite(value.item()):
            return None
        return value

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor] | None:
        """Loss and gradient, or None where the code does not hold."""
        with torch.enable_grad():
            root = theta.detach().requires_grad_()
            value = self._forward(root)
            if value is None or not math.isfinite(value.item()):
                return None
            (gradient,) = torch.autograd.grad(value, [root])
        if not math.isfinite(gradient.sum().item()):
            return None
        return value.detach(), gradient


def specialised(evaluate: Callable[[Tensor], Tensor], theta: Tensor) -> Specialised | None:
    """Record an evaluation and generate code for it; None if that cannot be.

    Raises
    ------
    FormulaError
        What the evaluation raises, such as for an address that depends on the parameters.
    """
    root = theta.detach().clone()
    with torch.no_grad(), Tracer(root) as tracer:
        loss = evaluate(root)
    number = tracer.var(loss)
    if tracer.record.broken or number is None or not math.isfinite(float(loss)):
        return None
    return Specialised(tracer.record, number)


def _generated(record: Record, loss: int) -> tuple[str, dict[str, Any]]:
    """Source of `forward(v0)` and the constants it names."""
    guards: dict[int, bool] = {guard.var: guard.seen for guard in record.guards}
    needed = {loss, *guards}
    kept = []
    for node in reversed(record.nodes):
        if node.out in needed:
            kept.append(node)
            _collect_vars(node.args, needed)
            _collect_vars(tuple(node.kwargs.values()), needed)
    constants: dict[str, Any] = {}
    lines = ["def forward(v0):"]
    for node in reversed(kept):
        call = _named(node.function, constants)
        args = [_spelled(arg, constants) for arg in node.args]
        args += [f"{key}={_spelled(value, constants)}" for key, value in node.kwargs.items()]
        lines.append(f"    v{node.out} = {call}({', '.join(args)})")
        if node.out in guards:
            lines.append(f"    if bool(v{node.out}) is not {guards[node.out]}:")
            lines.append("        return None")
    lines.append(f"    return v{loss}")
    return "\n".join(lines) + "\n", constants


def _collect_vars(values: Any, found: set[int]) -> None:
    for value in values:
        if isinstance(value, Var):
            found.add(value.index)
        elif isinstance(value, (tuple, list)):
            _collect_vars(value, found)


def _named(value: Any, constants: dict[str, Any]) -> str:
    name = f"k{len(constants)}"
    constants[name] = value
    return name


def _spelled(value: Any, constants: dict[str, Any]) -> str:
    if isinstance(value, Var):
        return f"v{value.index}"
    if isinstance(value, (tuple, list)):
        inner = ", ".join(_spelled(item, constants) for item in value)
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner},)" if value else "()"
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    return _named(value, constants)
