"""What generated code operates on, and how derivatives are handed on to it.

Owns the reading of operands (floats and fixed tensors) and the adding of a derivative to an
operand, whatever view of whatever memory it is. Knows no particular operation.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gradsheet.formula.machine import Lowering, NoRuleError
from gradsheet.formula.trace import Node, Var


class Operand:
    """One side of an operation: a float or a tensor, constant or not."""

    def __init__(self, code: Lowering, value: Any) -> None:
        self.index = value.index if isinstance(value, Var) else None
        self.is_float = True
        self.shape: tuple[int, ...] = ()
        if isinstance(value, Var):
            self.is_float = code.is_scalar(value.index)
            self.name = code.scalar(value.index) if self.is_float else code.buffer(value.index)
            self.shape = tuple(code.tensor(value.index).shape)
        elif isinstance(value, Tensor):
            self.shape = tuple(value.shape)
            if value.numel() == 1:
                number = value.item()
                if value.dtype not in (torch.float64, torch.bool):
                    raise NoRuleError(f"a constant {value.dtype}")
                self.name = number_code(number)
            else:
                self.is_float = False
                self.name = code.constant(value)
        elif isinstance(value, (bool, int, float)):
            self.name = number_code(value)
        else:
            raise NoRuleError(f"an operand {type(value).__name__}")


def number_code(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"({'NAN' if math.isnan(value) else ('math.inf' if value > 0 else '-math.inf')})"
    return f"({value!r})" if value < 0 else repr(value)


def emit_slope(code: Lowering, node: Node, target: int, factor: str, product: str | None) -> None:
    """Add `derivative of node * product * factor` to the derivative of an operand.

    `factor` is float code, `product` tensor code (None for 1) that broadcasts.
    """
    lines = code.backward[-1]
    g = code.slope(node.out)
    shape, out_shape = code.tensor(target).shape, code.tensor(node.out).shape
    if code.is_scalar(target):
        inner = f"({g} * {product}).sum().item()" if product else f"{g}.sum().item()"
        lines.append(code.add_slope(target, inner if factor == "1.0" else f"{factor} * {inner}"))
        return
    if shape == out_shape and not code.overlaps(target):
        _same_shape(code, node, target, factor, product)
        return
    inner = g if product is None else f"{g} * {product}"
    if factor != "1.0":
        inner = f"({inner}) * {factor}"
    if shape != out_shape:
        inner = f"({inner}).sum_to_size({tuple(shape)})"
    accumulate(code, target, inner, lines)


def _same_shape(
    code: Lowering, node: Node, target: int, factor: str, product: str | None
) -> None:
    lines = code.backward[-1]
    g = code.slope(node.out)
    if code.is_only_slope(target):
        same = code.root(target) == target and _layout(code.tensor(target)) == _layout(
            code.tensor(node.out)
        )
        if product is None and factor == "1.0" and same:
            code.share_slope(target, node.out)
            return
        d = code.slope(target)
        if product is not None:
            lines.append(f"torch.mul({g}, {product}, out={d})")
            if factor != "1.0":
                lines.append(f"{d}.mul_({factor})")
        elif factor == "1.0":
            lines.append(f"{d}.copy_({g})")
        else:
            lines.append(f"torch.mul({g}, {factor}, out={d})")
        return
    code.need_zero(code.root(target))
    d = code.slope(target)
    if product is not None:
        value = "" if factor == "1.0" else f", value={factor}"
        lines.append(f"{d}.addcmul_({g}, {product}{value})")
    else:
        lines.append(f"{d}.add_({g}{'' if factor == '1.0' else f', alpha={factor}'})")


def _layout(tensor: Tensor) -> tuple[int, ...]:
    """Strides that matter: those of sides longer than 1."""
    return tuple(s for n, s in zip(tensor.shape, tensor.stride(), strict=True) if n > 1)


def accumulate(code: Lowering, target: int, expression: str, lines: list[str]) -> None:
    """Add a tensor to the derivative of a variable, which may be any view."""
    if code.is_only_slope(target) and not code.overlaps(target):
        lines.append(f"{code.slope(target)}.copy_({expression})")
        return
    root = code.root(target)
    code.need_zero(root)
    if code.overlaps(target):
        places = code.constant(code.positions(target).reshape(-1))
        lines.append(
            f"{code.flat_slope(root)}.index_add_(0, {places}, ({expression}).reshape(-1))"
        )
    else:
        lines.append(f"{code.slope(target)}.add_({expression})")
