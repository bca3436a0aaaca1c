"""The operations that generated code knows, each with its derivative.

Owns one rule an operation, for numbers that stand alone and for tensors. Rules are checked
against autograd whenever code is generated. Knows no formulas.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from gradsheet.formula.derivatives_arrays import ARRAY_RULES
from gradsheet.formula.machine import Lowering, NoRuleError
from gradsheet.formula.operands import Operand, accumulate, emit_slope
from gradsheet.formula.trace import Node

_BINARY = {
    "add": "+", "__add__": "+", "__radd__": "+", "sub": "-", "__sub__": "-", "mul": "*",
    "__mul__": "*", "__rmul__": "*", "div": "/", "__truediv__": "/", "true_divide": "/",
}  # fmt: skip
_REVERSED = {"rsub": "-", "__rsub__": "-", "__rtruediv__": "/", "__rdiv__": "/"}
_COMPARE = {
    "gt": ">", "lt": "<", "ge": ">=", "le": "<=", "eq": "==", "ne": "!=", "__gt__": ">",
    "__lt__": "<", "__ge__": ">=", "__le__": "<=", "__eq__": "==", "__ne__": "!=",
}  # fmt: skip
_TORCH = {"+": "add", "-": "sub", "*": "mul", "/": "div"}

# name: (float, its derivative, derivative of a tensor as an expression in x, y, g)
_UNARY: dict[str, tuple[str, str, str]] = {
    "sqrt": ("math.sqrt({x})", "0.5 / {y}", "{g} * 0.5 / {y}"),
    "exp": ("math.exp({x})", "{y}", "{g} * {y}"),
    "log": ("math.log({x})", "1.0 / {x}", "{g} / {x}"),
    "neg": ("-{x}", "-1.0", "-{g}"),
    "tanh": ("math.tanh({x})", "(1.0 - {y} * {y})", "{g} * (1.0 - {y} * {y})"),
    "sin": ("math.sin({x})", "math.cos({x})", "{g} * torch.cos({x})"),
    "cos": ("math.cos({x})", "-math.sin({x})", "{g} * -torch.sin({x})"),
    "abs": ("abs({x})", "(({x} > 0) - ({x} < 0))", "{g} * torch.sign({x})"),
    "relu": ("max({x}, 0.0)", "({x} > 0)", "{g} * ({x} > 0)"),
    "sigmoid": ("_sigmoid({x})", "{y} * (1.0 - {y})", "{g} * {y} * (1.0 - {y})"),
}
_ALIASES = {"__neg__": "neg", "absolute": "abs", "__abs__": "abs", "__pos__": "positive"}


def _sigmoid(x: float) -> float:
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def lower(code: Lowering, node: Node) -> None:
    """Add a node's code, forwards and backwards.

    Raises
    ------
    NoRuleError
        If the operation is not known.
    """
    name = getattr(node.function, "__name__", "")
    name = _ALIASES.get(name, name)
    tensor = code.tensor(node.out)
    if tensor.dtype not in (torch.float64, torch.bool):
        raise NoRuleError(f"{name} giving {tensor.dtype}")
    if name in _BINARY and len(node.args) == 2 and not node.kwargs:
        _binary(code, node, _BINARY[name], node.args[0], node.args[1])
    elif name in _REVERSED and len(node.args) == 2 and not node.kwargs:
        _binary(code, node, _REVERSED[name], node.args[1], node.args[0])
    elif name in _COMPARE and len(node.args) == 2:
        _compare(code, node, _COMPARE[name])
    elif name in _UNARY and len(node.args) == 1:
        _unary(code, node, name)
    elif name in ("pow", "__pow__"):
        _power(code, node)
    elif name in ARRAY_RULES:
        ARRAY_RULES[name](code, node)
    else:
        raise NoRuleError(name)
    if not code.is_scalar(node.out):
        code.buffer(node.out)
        code.forward.append(f"# {node.out}")


def _binary(code: Lowering, node: Node, op: str, left: Any, right: Any) -> None:
    a, b = Operand(code, left), Operand(code, right)
    if code.tensor(node.out).dtype != torch.float64:
        raise NoRuleError(f"{op} of masks")
    if code.is_scalar(node.out):
        _binary_float(code, node, op, a, b)
        return
    out = code.buffer(node.out)
    if a.is_float and op in "-/":
        if op == "-":
            code.forward.append(f"torch.mul({b.name}, -1.0, out={out})")
            code.forward.append(f"{out}.add_({a.name})")
        else:
            code.forward.append(f"torch.reciprocal({b.name}, out={out})")
            code.forward.append(f"{out}.mul_({a.name})")
    elif a.is_float:
        code.forward.append(f"torch.{_TORCH[op]}({b.name}, {a.name}, out={out})")
    else:
        code.forward.append(f"torch.{_TORCH[op]}({a.name}, {b.name}, out={out})")
    if a.index is not None:
        _left_slope(code, node, op, a.index, b)
    if b.index is not None:
        _right_slope(code, node, op, a, b, b.index)


def _left_slope(code: Lowering, node: Node, op: str, index: int, b: Operand) -> None:
    if op in "+-":
        emit_slope(code, node, index, "1.0", None)
    elif b.is_float:
        emit_slope(code, node, index, b.name if op == "*" else f"(1.0 / {b.name})", None)
    elif op == "*":
        emit_slope(code, node, index, "1.0", b.name)
    else:
        emit_slope(code, node, index, "1.0", f"torch.reciprocal({b.name})")


def _right_slope(
    code: Lowering, node: Node, op: str, a: Operand, b: Operand, index: int
) -> None:
    if op in "+-":
        emit_slope(code, node, index, "1.0" if op == "+" else "-1.0", None)
    elif op == "*":
        if a.is_float:
            emit_slope(code, node, index, a.name, None)
        else:
            emit_slope(code, node, index, "1.0", a.name)
    else:
        emit_slope(code, node, index, "-1.0", f"({code.buffer(node.out)} / {b.name})")


def _binary_float(code: Lowering, node: Node, op: str, a: Operand, b: Operand) -> None:
    out = f"s{node.out}"
    code.forward.append(f"{out} = {a.name} {op} {b.name}")
    g = code.scalar_slope(node.out)
    lines = code.backward[-1]
    slopes = {
        "+": (g, g),
        "-": (g, f"-{g}"),
        "*": (f"{g} * {b.name}", f"{g} * {a.name}"),
        "/": (f"{g} / {b.name}", f"-{g} * {out} / {b.name}"),
    }[op]
    if a.index is not None:
        lines.append(code.add_slope(a.index, slopes[0]))
    if b.index is not None:
        lines.append(code.add_slope(b.index, slopes[1]))


def _compare(code: Lowering, node: Node, op: str) -> None:
    a, b = Operand(code, node.args[0]), Operand(code, node.args[1])
    if code.is_scalar(node.out):
        code.forward.append(f"s{node.out} = {a.name} {op} {b.name}")
    else:
        code.forward.append(f"{code.buffer(node.out)}.copy_({a.name} {op} {b.name})")


def _unary(code: Lowering, node: Node, name: str) -> None:
    x = Operand(code, node.args[0])
    if x.index is None:
        raise NoRuleError(name)
    value, slope, tensor_slope = _UNARY[name]
    code.scope["_sigmoid"] = _sigmoid
    if x.is_float:
        out = f"s{node.out}"
        code.forward.append(f"{out} = {value.format(x=x.name)}")
        g = code.scalar_slope(node.out)
        expression = f"{g} * {slope.format(x=x.name, y=out)}"
        code.backward[-1].append(code.add_slope(x.index, expression))
        return
    out = code.buffer(node.out)
    if name == "relu":
        code.forward.append(f"torch.clamp({x.name}, min=0.0, out={out})")
    else:
        code.forward.append(f"torch.{name}({x.name}, out={out})")
    expression = tensor_slope.format(x=x.name, y=out, g=code.slope(node.out))
    accumulate(code, x.index, expression, code.backward[-1])


def _power(code: Lowering, node: Node) -> None:
    x, n = Operand(code, node.args[0]), Operand(code, node.args[1])
    if x.index is None or n.index is not None or not n.is_float:
        raise NoRuleError("a power of variables")
    if x.is_float:
        code.forward.append(f"s{node.out} = {x.name} ** {n.name}")
        g = code.scalar_slope(node.out)
        slope = f"{g} * {n.name} * {x.name} ** ({n.name} - 1)"
        code.backward[-1].append(code.add_slope(x.index, slope))
        return
    code.forward.append(f"torch.pow({x.name}, {n.name}, out={code.buffer(node.out)})")
    expression = f"{code.slope(node.out)} * {n.name} * torch.pow({x.name}, {n.name} - 1)"
    accumulate(code, x.index, expression, code.backward[-1])


