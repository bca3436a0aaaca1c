"""Rules of generated code for what only moves numbers: copies, joins, pastes and gathers.

Owns one rule an operation, with its derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from gradsheet.formula.machine import Lowering, NoRuleError
from gradsheet.formula.operands import Operand, accumulate
from gradsheet.formula.trace import Node, Var


def copy(code: Lowering, node: Node) -> None:
    """A reshape that has to copy, and clones."""
    value = node.args[0]
    x = Operand(code, value)
    if x.index is None:
        raise NoRuleError("a copy of a constant")
    lines = code.backward[-1]
    if x.is_float and code.is_scalar(node.out):
        code.forward.append(f"s{node.out} = {x.name}")
        lines.append(code.add_slope(x.index, code.scalar_slope(node.out)))
        return
    if not code.tensor(node.out).is_contiguous():
        raise NoRuleError("a copy out of order")
    out, g = code.buffer(node.out), code.slope(node.out)
    for name in (out, g):
        if f"{name}as" not in code.scope:
            code.scope[f"{name}as"] = code.scope[name].view(x.shape)
    code.forward.append(f"{out}as.copy_({x.name})")
    accumulate(code, x.index, f"{g}as", lines)


def _cat(code: Lowering, node: Node) -> None:
    parts = node.args[0]
    dim = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)
    if code.is_scalar(node.out):
        _only_part(code, node, parts)
        return
    out, g = code.buffer(node.out), code.slope(node.out)
    lines = code.backward[-1]
    dim = dim % code.tensor(node.out).dim()
    at = 0
    floats: list[tuple[int, str, int | None]] = []
    for part in parts:
        operand = Operand(code, part)
        length = operand.shape[dim]
        if operand.is_float:
            floats.append((at, operand.name, operand.index))
        else:
            for name in (out, g):
                key = f"{name}n{at}"
                if key not in code.scope:
                    code.scope[key] = code.scope[name].narrow(dim, at, length)
            code.forward.append(f"{out}n{at}.copy_({operand.name})")
            if operand.index is not None:
                accumulate(code, operand.index, f"{g}n{at}", lines)
        at += length
    if not floats:
        return
    if code.tensor(node.out).numel() != code.tensor(node.out).shape[dim]:
        raise NoRuleError("numbers beside rows")
    places = code.constant(torch.tensor([p for p, _, _ in floats]))
    values = ", ".join(name for _, name, _ in floats)
    code.forward.append(
        f"{code.flat_buffer(node.out)}.index_copy_(0, {places}, "
        f"torch.tensor([{values}], dtype=torch.float64))"
    )
    lines.append(f"h{node.out} = {code.flat_slope(node.out)}.tolist()")
    for place, _, index in floats:
        if index is not None:
            lines.append(code.add_slope(index, f"h{node.out}[{place}]"))


def _only_part(code: Lowering, node: Node, parts: Sequence[Any]) -> None:
    """One number joined to nothing."""
    (part,) = (p for p in (Operand(code, value) for value in parts) if 0 not in p.shape)
    code.forward.append(f"s{node.out} = {part.name}")
    if part.index is not None:
        code.backward[-1].append(code.add_slope(part.index, code.scalar_slope(node.out)))


def _index_copy(code: Lowering, node: Node) -> None:
    below, dim, to, piece = node.args
    if code.is_scalar(node.out):
        raise NoRuleError("a paste into one number")
    base, part = Operand(code, below), Operand(code, piece)
    if dim != 0 or isinstance(to, Var) or base.is_float or len(base.shape) != 1:
        raise NoRuleError("a paste along another side")
    out, g = code.buffer(node.out), code.slope(node.out)
    places = code.constant(to)
    lines = code.backward[-1]
    code.forward.append(f"{out}.copy_({base.name})")
    if part.is_float:
        values = f"torch.tensor([{part.name}], dtype=torch.float64)"
        code.forward.append(f"{out}.index_copy_(0, {places}, {values})")
    else:
        code.forward.append(f"{out}.index_copy_(0, {places}, {part.name})")
    if part.index is not None:
        if part.is_float:
            lines.append(code.add_slope(part.index, f"{g}[{places}].item()"))
        else:
            accumulate(code, part.index, f"{g}.index_select(0, {places})", lines)
    if base.index is not None:
        accumulate(code, base.index, f"{g}.index_fill(0, {places}, 0.0)", lines)


def _gather(code: Lowering, node: Node) -> None:
    """Elements at fixed places (indexing with tensors)."""
    value, where = node.args
    if not isinstance(value, Var) or _holds_var(where):
        raise NoRuleError("indexing by a variable")
    index = value.index
    positions = code.positions(index)[where]
    root = code.root(index)
    if code.is_scalar(root):
        raise NoRuleError("indexing one number")
    offset = int(code.tensor(root).storage_offset())
    places = code.constant((positions - offset).contiguous())
    flat = code.constant((positions - offset).reshape(-1).contiguous())
    lines = code.backward[-1]
    if code.is_scalar(node.out):
        code.forward.append(f"s{node.out} = {code.flat_buffer(root)}[{flat}].item()")
        code.need_zero(root)
        g = f"torch.tensor([{code.scalar_slope(node.out)}], dtype=torch.float64)"
        lines.append(f"{code.flat_slope(root)}.index_add_(0, {flat}, {g})")
        return
    code.forward.append(
        f"torch.take({code.flat_buffer(root)}, {places}, out={code.buffer(node.out)})"
    )
    code.need_zero(root)
    g = code.slope(node.out)
    lines.append(f"{code.flat_slope(root)}.index_add_(0, {flat}, {g}.reshape(-1))")


def _holds_var(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_holds_var, value))
    return isinstance(value, Var)


MOVE_RULES: dict[str, Callable[[Lowering, Node], None]] = {
    "reshape": copy,
    "flatten": copy,
    "contiguous": copy,
    "clone": copy,
    "cat": _cat,
    "index_copy": _index_copy,
    "__getitem__": _gather,
}
