"""Rules of generated code for operations on whole tensors: sums, products, choices, moves.

Owns one rule an operation, with its derivative; `derivatives` has those for single numbers and
element by element.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gradsheet.formula.derivatives_moves import MOVE_RULES, copy
from gradsheet.formula.machine import Lowering, NoRuleError
from gradsheet.formula.operands import Operand, accumulate, emit_slope
from gradsheet.formula.trace import Node, Var


def _dims(node: Node, shape: tuple[int, ...]) -> tuple[list[int], bool]:
    dims = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
    keep = node.args[2] if len(node.args) > 2 else node.kwargs.get("keepdim", False)
    if set(node.kwargs) - {"dim", "keepdim"}:
        raise NoRuleError("a reduction of another type")
    if dims is None:
        return list(range(len(shape))), bool(keep)
    listed = [dims] if isinstance(dims, int) else list(dims)
    return [d % len(shape) for d in listed], bool(keep)


def _sum(code: Lowering, node: Node) -> None:
    x = Operand(code, node.args[0])
    if x.index is None or code.tensor(x.index).dtype != torch.float64:
        raise NoRuleError("sum of a mask")
    dims, keep = _dims(node, x.shape)
    lines = code.backward[-1]
    if x.is_float:
        code.forward.append(f"s{node.out} = {x.name}")
        lines.append(code.add_slope(x.index, code.scalar_slope(node.out)))
        return
    if code.is_scalar(node.out):
        code.forward.append(f"s{node.out} = {x.name}.sum().item()")
        g = code.scalar_slope(node.out)
        if code.is_only_slope(x.index) and not code.overlaps(x.index):
            lines.append(f"{code.slope(x.index)}.fill_({g})")
        elif not code.overlaps(x.index):
            code.need_zero(code.root(x.index))
            lines.append(f"{code.slope(x.index)}.add_({g})")
        else:
            full = f"torch.full({tuple(x.shape)}, {g}, dtype=torch.float64)"
            accumulate(code, x.index, full, lines)
        return
    out = code.buffer(node.out)
    code.forward.append(f"torch.sum({x.name}, {dims}, keepdim={keep}, out={out})")
    g = code.slope(node.out)
    if not keep:
        kept = [1 if d in dims else n for d, n in enumerate(x.shape)]
        g = f"{g}.reshape({kept})"
    accumulate(code, x.index, f"{g}.expand({tuple(x.shape)})", lines)


def _dot(code: Lowering, node: Node) -> None:
    a, b = Operand(code, node.args[0]), Operand(code, node.args[1])
    if a.is_float or b.is_float:
        code.forward.append(f"s{node.out} = {a.name} * {b.name}")
        for mine, other in ((a, b), (b, a)):
            if mine.index is not None:
                slope = f"{code.scalar_slope(node.out)} * {other.name}"
                code.backward[-1].append(code.add_slope(mine.index, slope))
        return
    code.forward.append(f"s{node.out} = torch.dot({a.name}, {b.name}).item()")
    g = code.scalar_slope(node.out)
    lines = code.backward[-1]
    if a.index is not None and a.index == b.index and not code.overlaps(a.index):
        if code.is_only_slope(a.index):
            lines.append(f"torch.mul({a.name}, 2.0 * {g}, out={code.slope(a.index)})")
        else:
            code.need_zero(code.root(a.index))
            lines.append(f"{code.slope(a.index)}.add_({a.name}, alpha=2.0 * {g})")
        return
    for mine, other in ((a, b), (b, a)):
        if mine.index is not None:
            accumulate(code, mine.index, f"{other.name} * {g}", lines)


def _matmul(code: Lowering, node: Node) -> None:
    a, b = Operand(code, node.args[0]), Operand(code, node.args[1])
    if len(a.shape) != 2 or len(b.shape) != 2:
        raise NoRuleError("a product that is not of two matrices")
    lines = code.backward[-1]
    left, right = _matrix(code, node.args[0]), _matrix(code, node.args[1])
    scalar = code.is_scalar(node.out)
    if scalar:
        code.forward.append(f"s{node.out} = torch.mm({left}, {right}).item()")
        g = f"torch.full((1, 1), {code.scalar_slope(node.out)}, dtype=torch.float64)"
    else:
        code.forward.append(f"torch.mm({left}, {right}, out={code.buffer(node.out)})")
        g = code.slope(node.out)
    for index, product in (
        (a.index, (g, f"{_turned(code, right)}")),
        (b.index, (f"{_turned(code, left)}", g)),
    ):
        if index is None:
            continue
        if code.is_scalar(index):
            lines.append(code.add_slope(index, f"torch.mm({product[0]}, {product[1]}).item()"))
        elif code.overlaps(index):
            accumulate(code, index, f"torch.mm({product[0]}, {product[1]})", lines)
        elif code.is_only_slope(index):
            lines.append(f"torch.mm({product[0]}, {product[1]}, out={code.slope(index)})")
        else:
            code.need_zero(code.root(index))
            lines.append(f"{code.slope(index)}.addmm_({product[0]}, {product[1]})")


def _matrix(code: Lowering, value: Any) -> str:
    if isinstance(value, Var):
        if code.is_scalar(value.index):
            name = code.scalar(value.index)
            return f"torch.full((1, 1), {name}, dtype=torch.float64)"
        return code.buffer(value.index)
    return code.constant(value)


def _turned(code: Lowering, name: str) -> str:
    """The transpose of a fixed matrix, itself fixed."""
    if name not in code.scope:
        return f"{name}.t()"
    turned = f"{name}t"
    if turned not in code.scope:
        code.scope[turned] = code.scope[name].t()
    return turned


def _where(code: Lowering, node: Node) -> None:
    if len(node.args) != 3:
        raise NoRuleError("where of one argument")
    c = Operand(code, node.args[0])
    a, b = Operand(code, node.args[1]), Operand(code, node.args[2])
    lines = code.backward[-1]
    if code.is_scalar(node.out):
        code.forward.append(f"s{node.out} = {a.name} if {c.name} else {b.name}")
        g = code.scalar_slope(node.out)
        if a.index is not None:
            lines.append(code.add_slope(a.index, f"{g} if {c.name} else 0.0"))
        if b.index is not None:
            lines.append(code.add_slope(b.index, f"0.0 if {c.name} else {g}"))
        return
    if code.tensor(node.out).dtype != torch.float64 or c.is_float:
        raise NoRuleError("where of masks")
    if _as_product(code, node, c, a, b):
        return
    out = code.buffer(node.out)
    names = [_fixed(code, x) for x in (a, b)]
    code.forward.append(f"torch.where({c.name}, {names[0]}, {names[1]}, out={out})")
    g = code.slope(node.out)
    zero = code.constant(_ZERO)
    for side, chosen in ((a, f"{c.name}, {g}, {zero}"), (b, f"{c.name}, {zero}, {g}")):
        if side.index is None:
            continue
        same = side.shape == tuple(code.tensor(node.out).shape)
        if side.is_float:
            lines.append(code.add_slope(side.index, f"torch.where({chosen}).sum().item()"))
        elif same and code.is_only_slope(side.index) and not code.overlaps(side.index):
            lines.append(f"torch.where({chosen}, out={code.slope(side.index)})")
        else:
            expression = f"torch.where({chosen})"
            if not same:
                expression += f".sum_to_size({side.shape})"
            accumulate(code, side.index, expression, lines)


def _as_product(code: Lowering, node: Node, c: Operand, a: Operand, b: Operand) -> bool:
    """A fixed mask with 0 on one side as a product, which is several times faster.

    What is not finite under the mask then makes the loss so, and the full evaluation decides.
    """
    kept, dropped, keeps = (a, b, True) if _is_zero(code, b) else (b, a, False)
    shape = tuple(code.tensor(node.out).shape)
    if c.index is not None or not _is_zero(code, dropped):
        return False
    if kept.index is None or kept.is_float or kept.shape != shape:
        return False
    mask: Tensor = code.scope[c.name]
    factor = code.constant((mask if keeps else ~mask).to(torch.float64).expand(shape).contiguous())
    code.forward.append(f"torch.mul({kept.name}, {factor}, out={code.buffer(node.out)})")
    emit_slope(code, node, kept.index, "1.0", factor)
    return True


def _is_zero(code: Lowering, operand: Operand) -> bool:
    if operand.index is not None:
        return False
    if operand.is_float:
        return operand.name in ("0", "0.0", "False")
    return not bool(code.scope[operand.name].any())


_ZERO = torch.zeros((), dtype=torch.float64)


def _fixed(code: Lowering, operand: Operand) -> str:
    """An operand as a tensor."""
    if not operand.is_float:
        return operand.name
    if operand.index is None:
        value = torch.tensor(float(eval(operand.name, {"math": math, "NAN": math.nan})))
        return code.constant(value.to(torch.float64))
    return f"torch.tensor({operand.name}, dtype=torch.float64)"


def _extreme(code: Lowering, node: Node) -> None:
    x = Operand(code, node.args[0])
    dims, keep = _dims(node, x.shape)
    name = getattr(node.function, "__name__", "")
    if x.index is None or x.is_float:
        copy(code, node)
        return
    kept = [1 if d in dims else n for d, n in enumerate(x.shape)]
    lines = code.backward[-1]
    if code.is_scalar(node.out):
        code.forward.append(f"s{node.out} = torch.{name}({x.name}).item()")
        same = f"({x.name} == s{node.out}).to(torch.float64)"
        lines.append(f"m = {same}")
        g = code.scalar_slope(node.out)
        accumulate(code, x.index, f"m * ({g} / m.sum())", lines)
        return
    out = code.buffer(node.out)
    code.forward.append(f"torch.{name}({x.name}, {dims}, keepdim={keep}, out={out})")
    lines.append(f"m = ({x.name} == {out}.reshape({kept})).to(torch.float64)")
    lines.append(f"m *= {code.slope(node.out)}.reshape({kept}) / m.sum({dims}, keepdim=True)")
    accumulate(code, x.index, "m", lines)


def _test(code: Lowering, node: Node) -> None:
    """any, all, isfinite and the joining of masks."""
    name = getattr(node.function, "__name__", "")
    if node.kwargs or (name in ("any", "all") and len(node.args) > 1):
        raise NoRuleError(f"{name} along a side")
    operands = [Operand(code, arg) for arg in node.args]
    if code.is_scalar(node.out):
        x = operands[0]
        texts = {
            "isfinite": f"math.isfinite({x.name})",
            "any": x.name if x.is_float else f"{x.name}.any().item()",
            "all": x.name if x.is_float else f"{x.name}.all().item()",
            "__invert__": f"(not {x.name})",
            "bitwise_not": f"(not {x.name})",
            "__and__": " and ".join(f"bool({o.name})" for o in operands),
            "__or__": " or ".join(f"bool({o.name})" for o in operands),
        }
        code.forward.append(f"s{node.out} = {texts[name]}")
        return
    out = code.buffer(node.out)
    texts = {
        "isfinite": f"torch.isfinite({operands[0].name})",
        "__invert__": f"~{operands[0].name}",
        "bitwise_not": f"~{operands[0].name}",
        "__and__": " & ".join(o.name for o in operands),
        "__or__": " | ".join(o.name for o in operands),
    }
    code.forward.append(f"{out}.copy_({texts[name]})")


def _logical_to_number(code: Lowering, node: Node) -> None:
    x = Operand(code, node.args[0])
    if x.is_float:
        code.forward.append(f"s{node.out} = float({x.name})")
    else:
        code.forward.append(f"{code.buffer(node.out)}.copy_({x.name})")
    if x.index is not None and code.tensor(x.index).dtype == torch.float64:
        raise NoRuleError("to of a number")


ARRAY_RULES: dict[str, Callable[[Lowering, Node], None]] = {
    **MOVE_RULES,
    "sum": _sum,
    "dot": _dot,
    "matmul": _matmul,
    "__matmul__": _matmul,
    "mm": _matmul,
    "where": _where,
    "amax": _extreme,
    "amin": _extreme,
    "any": _test,
    "all": _test,
    "isfinite": _test,
    "__invert__": _test,
    "bitwise_not": _test,
    "__and__": _test,
    "__or__": _test,
    "to": _logical_to_number,
}
