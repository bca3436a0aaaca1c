"""Memory of generated code, used again as soon as what lies in it has been read.

Owns one rule: the result of an operation on elements may lie where its operand lay, if nothing
reads the operand afterwards. Large blocks are bound by memory, and a pass over numbers that are
still in the cache costs half. Knows neither formulas nor derivatives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from torch import Tensor

_WORTH_IT = 4096
"""Numbers in a tensor; smaller ones stay in the cache anyway."""
_NAME = re.compile(r"\b[bdk]\d+\w*\b")
_ELEMENTWISE = re.compile(r"torch\.(?:add|sub|mul|div)\(([^(),]+), ([^(),]+), out=(\w+)\)")
_FILLED = re.compile(r"(?:torch\.\w+\(.*, out=(\w+)\)|(\w+)\.(?:zero_|copy_)\(.*\))")


def reuse_memory(lines: Sequence[str], scope: dict[str, Any]) -> None:
    """Let results lie where operands lay that are not read again.

    Parameters
    ----------
    lines : the body of the function, in the order in which it runs
    scope : its tensors by name; those that may move are pointed to other memory
    """
    tensors = {name: value for name, value in scope.items() if isinstance(value, Tensor)}
    if all(tensor.numel() < _WORTH_IT for tensor in tensors.values()):
        return
    places = {name: tensor.untyped_storage().data_ptr() for name, tensor in tensors.items()}
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for at, line in enumerate(lines):
        for name in _NAME.findall(line):
            if name in places:
                first.setdefault(places[name], at)
                last[places[name]] = at
    for at, line in enumerate(lines):
        match = _ELEMENTWISE.fullmatch(line.strip())
        if match is None:
            continue
        left, right, out = match.groups()
        for operand in (left, right):
            if (
                operand in places
                and operand[0] == out[0]
                and first[places[out]] == at
                and last[places[operand]] == at
                and _is_filled(lines[first[places[operand]]], operand, tensors, places)
                and _lies_like(tensors[operand], tensors[out])
            ):
                last[places[operand]] = last[places[out]]
                _move(places[out], operand, tensors, places)
                break


def _is_filled(
    line: str, operand: str, tensors: dict[str, Tensor], places: dict[str, int]
) -> bool:
    """Whether a line, the first to name some memory, writes all of it: none is left from before.

    The parameters (number 0) and their derivative stay where they are.
    """
    match = _FILLED.fullmatch(line.strip())
    name = (match[1] or match[2]) if match else ""
    if places.get(name) != places[operand] or name[1:] == "0":
        return False
    tensor = tensors[name]
    return tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()


def _lies_like(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors lie in their memory alike, but for sides of length 1."""

    def layout(tensor: Tensor) -> tuple[tuple[int, int], ...]:
        sides = zip(tensor.shape, tensor.stride(), strict=True)
        return tuple((n, s) for n, s in sides if n > 1)

    return (
        one.numel() >= _WORTH_IT
        and one.size() == other.size()
        and one.dtype == other.dtype
        and layout(one) == layout(other)
        and one.storage_offset() == other.storage_offset()
        and one.untyped_storage().nbytes() == other.untyped_storage().nbytes()
    )


def _move(
    place: int, operand: str, tensors: dict[str, Tensor], places: dict[str, int]
) -> None:
    """Point every tensor of some memory to that of an operand."""
    memory = tensors[operand].untyped_storage()
    for name, tensor in tensors.items():
        if places[name] == place:
            stride = tensor.stride()
            if _lies_like(tensor, tensors[operand]):
                stride = tensors[operand].stride()  # torch compares those of length 1, too
            tensor.set_(memory, tensor.storage_offset(), tensor.size(), stride)
            places[name] = places[operand]
