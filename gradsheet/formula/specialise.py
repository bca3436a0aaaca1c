"""An objective's evaluation as straight-line code.

Owns the turning of a record of tensor operations into generated Python, and the checks under
which it stands for the full evaluation. Knows no formulas.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gradsheet.formula import devices
from gradsheet.formula.machine import NoRuleError, lowered
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
        self._machine: Machine | None = None
        self.without_rule = ""
        try:
            machine = Machine(record, loss)
        except NoRuleError as missing:
            self.without_rule = str(missing)
            return
        if self._agrees(machine, record.tensors[0]):
            self._machine = machine
            self.source = machine.source
        else:
            self.without_rule = "the derivative differs from autograd's"

    @property
    def device(self) -> str:
        """Where it runs: "cpu", "cuda"."""
        return self._machine.device.type if self._machine is not None else "cpu"

    def loss(self, theta: Tensor) -> Tensor | None:
        """The loss, or None where the code does not hold."""
        if self._machine is not None:
            return self._machine.loss(theta)
        value = self._forward(theta)
        if value is None or not math.isfinite(value.item()):
            return None
        return value

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor] | None:
        """Loss and gradient, or None where the code does not hold."""
        if self._machine is not None:
            return self._machine.loss_and_gradient(theta)
        return self._by_autograd(theta)

    def _by_autograd(self, theta: Tensor) -> tuple[Tensor, Tensor] | None:
        with torch.enable_grad():
            root = theta.detach().requires_grad_()
            value = self._forward(root)
            if value is None or not math.isfinite(value.item()):
                return None
            if not value.requires_grad:
                return value.detach(), torch.zeros_like(root)
            (gradient,) = torch.autograd.grad(value, [root])
        if not math.isfinite(gradient.sum().item()):
            return None
        return value.detach(), gradient

    def _agrees(self, machine: Machine, theta: Tensor) -> bool:
        """Whether the code's own derivative is autograd's, here where it was recorded."""
        by_autograd = self._by_autograd(theta)
        found = machine.loss_and_gradient(theta)
        if by_autograd is None or found is None:
            return by_autograd is None and found is None
        return all(
            torch.allclose(a, b, rtol=1e-8, atol=1e-12 + 1e-10 * float(b.abs().max()))
            for a, b in zip(found, by_autograd, strict=True)
        )


class Machine:
    """Generated code with its own derivative, on memory of its own; one thread at a time."""

    def __init__(self, record: Record, loss: int) -> None:
        self.source, scope = lowered(record, loss)
        sizes = [record.tensors[node.out].numel() for node in record.nodes]
        self.device = devices.device_for(sizes, self.source)
        if self.device != devices.CPU:
            self.source, scope = devices.moved(self.source, scope, self.device)
        exec(compile(self.source, "<objective>", "exec"), scope)
        self._forward: Callable[[Tensor], float | None] = scope["forward"]
        self._both: Callable[[Tensor], tuple[float, Tensor] | None] = scope["both"]
        self._lock = threading.Lock()

    def loss(self, theta: Tensor) -> Tensor | None:
        """The loss, or None where the code does not hold."""
        try:
            with self._lock, torch.no_grad():
                value = self._forward(theta)
        except (ArithmeticError, ValueError):
            return None
        if value is None or not math.isfinite(value):
            return None
        return torch.tensor(value, dtype=torch.float64)

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor] | None:
        """Loss and gradient, or None where the code does not hold."""
        try:
            with self._lock, torch.no_grad():
                found = self._both(theta)
        except (ArithmeticError, ValueError):
            return None
        if found is None or not math.isfinite(found[0]):
            return None
        gradient = found[1].to(devices.CPU)
        if not math.isfinite(gradient.sum().item()):
            return None
        return torch.tensor(found[0], dtype=torch.float64), gradient


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
