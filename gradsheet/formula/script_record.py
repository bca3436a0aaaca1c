"""A recorded evaluation as plain PyTorch code: the way out where formulas have no short form.

Owns the spelling of recorded tensor operations with names that torch itself has. What is not
torch's own is refused. Knows no formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gradsheet.formula.script_cells import NoScriptError
from gradsheet.formula.trace import Record, Tracer, Var

_SPACES = (
    ("torch.nn.functional", torch.nn.functional), ("torch.linalg", torch.linalg),
    ("torch.special", torch.special), ("torch.Tensor", torch.Tensor), ("torch", torch),
)  # fmt: skip
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "matmul": "@", "gt": ">", "lt": "<",
          "ge": ">=", "le": "<=", "eq": "==", "ne": "!=", "__and__": "&", "__or__": "|",
          "__add__": "+", "__sub__": "-", "__mul__": "*", "__truediv__": "/"}  # fmt: skip
_MOST_NUMBERS = 2_000_000


def recorded(
    evaluate: Callable[[Tensor], Tensor], theta: Tensor
) -> tuple[list[str], list[str], str]:
    """Return constants, lines and the name of the result, for the parameters in `theta`.

    Raises
    ------
    NoScriptError
        If the evaluation cannot be recorded, or calls what is not torch's.
    """
    root = theta.detach().clone()
    with torch.no_grad(), Tracer(root) as tracer:
        loss = evaluate(root)
    number = tracer.var(loss)
    if tracer.record.broken or number is None:
        raise NoScriptError(tracer.record.broken or "the loss does not depend on the parameters")
    return _Writer(tracer.record, number).written()


class _Writer:
    """One record on its way into lines."""

    def __init__(self, record: Record, loss: int) -> None:
        self._record, self._loss = record, loss
        self._constants: dict[int, str] = {}
        self._literals: list[str] = []
        self._keep: list[Tensor] = []

    def written(self) -> tuple[list[str], list[str], str]:
        needed, kept = {self._loss}, []
        for node in reversed(self._record.nodes):
            if node.out in needed:
                kept.append(node)
                _gather((*node.args, *node.kwargs.values()), needed)
        lines = []
        for node in reversed(kept):
            call = self._call(node.function, node.args, node.kwargs)
            lines.append(f"{self._name(node.out)} = {call}")
        return self._literals, lines, self._name(self._loss)

    @staticmethod
    def _name(index: int) -> str:
        return "theta" if index == 0 else f"t{index}"

    def _call(self, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> str:
        name = getattr(function, "__name__", "")
        if name == "_part":
            return f"{self._text(args[0])}[{args[1]}]"
        if name == "__getitem__":
            return f"{self._text(args[0])}[{_index(args[1])}]"
        if name == "__invert__":
            return f"~{self._text(args[0])}"
        if name in _SIGNS and len(args) == 2 and not kwargs:
            return f"{self._text(args[0])} {_SIGNS[name]} {self._text(args[1])}"
        texts = [self._text(arg) for arg in args]
        texts += [f"{key}={self._text(value)}" for key, value in kwargs.items()]
        return f"{_spelled(function, name)}({', '.join(texts)})"

    def _text(self, value: Any) -> str:
        if isinstance(value, Var):
            return self._name(value.index)
        if isinstance(value, Tensor):
            return self._constant(value)
        if isinstance(value, (tuple, list)):
            inner = ", ".join(self._text(item) for item in value)
            return f"[{inner}]" if isinstance(value, list) or len(value) != 1 else f"({inner},)"
        if isinstance(value, float) and not math.isfinite(value):
            return {math.inf: "math.inf", -math.inf: "-math.inf"}.get(value, "nan")
        if isinstance(value, torch.dtype):
            return str(value)
        if value is None or isinstance(value, (bool, int, float, str)):
            return repr(value)
        if isinstance(value, slice) or value is Ellipsis:
            return _index(value)
        raise NoScriptError(type(value).__name__)

    def _constant(self, tensor: Tensor) -> str:
        known = self._constants.get(id(tensor))
        if known is not None:
            return known
        if tensor.numel() == 1 and tensor.dtype == torch.float64 and torch.isfinite(tensor).all():
            text = f"tensor({tensor.reshape(-1).tolist()[0]!r})"
            return text if tensor.dim() == 0 else f"{text}.reshape({_sizes(tensor)})"
        if tensor.numel() > _MOST_NUMBERS:
            raise NoScriptError("too many numbers")
        name = f"c{len(self._constants) + 1}"
        self._constants[id(tensor)] = name
        self._keep.append(tensor)
        body = ", ".join(_element(x) for x in tensor.reshape(-1).tolist())
        made = f"tensor([{body}])"
        if tensor.dtype != torch.float64:
            made = f"torch.tensor([{body}], dtype={tensor.dtype})"
        self._literals.append(f"{name} = {made}.reshape({_sizes(tensor)})")
        return name


def _sizes(tensor: Tensor) -> str:
    return ", ".join(map(str, tensor.shape)) if tensor.dim() else "()"


def _element(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "math.inf", -math.inf: "-math.inf"}.get(value, "nan")
    return repr(value)


def _index(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_index(item) for item in value)
    if isinstance(value, slice):
        ends = ["" if end is None else str(end) for end in (value.start, value.stop)]
        return ":".join(ends) + (f":{value.step}" if value.step not in (None, 1) else "")
    if value is Ellipsis:
        return "..."
    if value is None or isinstance(value, int):
        return repr(value)
    raise NoScriptError("an index that is computed")


def _spelled(function: Callable[..., Any], name: str) -> str:
    """Return the name under which torch has a function."""
    for prefix, space in _SPACES:
        if name and getattr(space, name, None) is function:
            return f"{prefix}.{name}"
    for prefix, space in reversed(_SPACES):
        if name and not name.startswith("_") and callable(getattr(space, name, None)):
            module = getattr(function, "__module__", "") or ""
            owner = getattr(function, "__qualname__", "")
            if "gradsheet" not in module and (module.startswith("torch") or "ensor" in owner):
                return f"{prefix}.{name}"
    raise NoScriptError(name or repr(function))


def _gather(values: Any, found: set[int]) -> None:
    for value in values:
        if isinstance(value, Var):
            found.add(value.index)
        elif isinstance(value, (tuple, list)):
            _gather(value, found)
