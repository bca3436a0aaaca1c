"""Straight-line code with its own derivative, on memory that is laid out once.

Owns the lowering of a record of tensor operations: numbers that stand alone become Python
floats, views become fixed views of fixed memory, and every operation is followed backwards by a
rule of `derivatives`. What has no rule raises `NoRuleError`, and the caller uses autograd.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gradsheet.formula.reuse import reuse_memory
from gradsheet.formula.trace import Node, Record, Var


class NoRuleError(Exception):
    """An operation that cannot be lowered; its name is the message."""


class Lowering:
    """The code under construction.

    Names in the code: `sN` a float, `gN` its derivative, `bN` a tensor, `dN` its derivative;
    `kN` a constant. Every tensor is fixed memory, allocated here.
    """

    def __init__(self, record: Record, same_slopes: dict[int, int]) -> None:
        self.record = record
        self.scope: dict[str, Any] = {"torch": torch, "math": math, "NAN": math.nan}
        self.forward: list[str] = []
        self.backward: list[list[str]] = []  # one list a node, run from the last to the first
        self._constants: dict[int, str] = {}
        self._roots = self._storages()
        self._views: dict[tuple[Any, ...], str] = {}
        self._contributions: dict[int, int] = {}
        self._zeroed: list[int] = []
        self._partial: set[int] = set()
        self._element_reads: dict[int, dict[int, int]] = {}  # root -> offset -> scalar number
        self._scalars: set[int] = set()
        self._same_slopes = same_slopes
        self.found_same: dict[int, int] = {}

    # -- what a variable is

    def tensor(self, index: int) -> Tensor:
        """The tensor as it was recorded: its shape, strides and kind are those to come."""
        return self.record.tensors[index]

    def is_scalar(self, index: int) -> bool:
        """Whether a variable is one number, kept as a float."""
        return self.tensor(index).numel() == 1

    def root(self, index: int) -> int:
        """The variable that owns the memory of a view; itself if it is none."""
        return self._roots[index]

    def _storages(self) -> dict[int, int]:
        owners: dict[int, int] = {}
        roots: dict[int, int] = {}
        for index, tensor in enumerate(self.record.tensors):
            if tensor.numel() == 0:
                roots[index] = index
                continue
            roots[index] = owners.setdefault(tensor.untyped_storage().data_ptr(), index)
        return roots

    # -- names in the code

    def constant(self, value: Any) -> str:
        """A name for a constant."""
        known = self._constants.get(id(value))
        if known is None:
            known = self._constants[id(value)] = f"k{len(self._constants)}"
            self.scope[known] = value
        return known

    def buffer(self, index: int) -> str:
        """The name of a variable's tensor, a fixed view of its root's memory."""
        return self._view("b", index)

    def slope(self, index: int) -> str:
        """The name of the derivative of a variable, laid out like the variable."""
        return self._view("d", self._same_slopes.get(index, index))

    def _view(self, letter: str, index: int) -> str:
        root = self.root(index)
        tensor, owner = self.tensor(index), self.tensor(root)
        base = f"{letter}{root}"
        if base not in self.scope:
            memory = torch.empty_strided(owner.size(), owner.stride(), dtype=owner.dtype)
            self.scope[base] = memory.zero_()
        geometry = (tuple(tensor.size()), tensor.stride(), tensor.storage_offset())
        if geometry == (tuple(owner.size()), owner.stride(), owner.storage_offset()):
            return base
        key = (letter, root, geometry)
        name = self._views.get(key)
        if name is None:
            name = self._views[key] = f"{letter}{root}v{len(self._views)}"
            offset = tensor.storage_offset() - owner.storage_offset()
            self.scope[name] = self.scope[base].as_strided(*geometry[:2], offset)
        return name

    def scalar(self, index: int) -> str:
        """The name of a float; an element of a tensor is read into a list first."""
        root = self.root(index)
        if self.is_scalar(root):
            return f"s{root}"
        offset = self.tensor(index).storage_offset() - self.tensor(root).storage_offset()
        reads = self._element_reads.setdefault(root, {})
        number = reads.setdefault(int(offset), index)
        return f"s{number}"

    def scalar_slope(self, index: int) -> str:
        """The name of the derivative of a float."""
        name = "g" + self.scalar(index)[1:]
        self._scalars.add(int(name[1:]))
        return name

    # -- derivatives

    def add_slope(self, index: int, expression: str) -> str:
        """Code that adds to the derivative of a float."""
        name = self.scalar_slope(index)
        return f"{name} += {expression}"

    def covers(self, index: int) -> bool:
        """Whether a view shows every element of its memory, once."""
        return self.tensor(index).numel() == self.tensor(self.root(index)).numel()

    def overlaps(self, index: int) -> bool:
        """Whether a view shows an element more than once."""
        tensor = self.tensor(index)
        reach = 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
        if 0 in [s for n, s in zip(tensor.shape, tensor.stride(), strict=True) if n > 1]:
            return True
        return tensor.numel() > reach or not _is_injective(tensor)

    def positions(self, index: int) -> Tensor:
        """Where in the memory of its root each element of a view is."""
        root = self.tensor(self.root(index))
        tensor = self.tensor(index)
        flat = torch.arange(root.untyped_storage().nbytes() // root.element_size())
        return flat.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())

    def flat_slope(self, root: int) -> str:
        """The derivative of a root as one row in the order of its memory."""
        memory = self.scope[self.slope(root)]
        name = f"d{root}flat"
        if name not in self.scope:
            self.scope[name] = memory.as_strided((memory.numel(),), (1,))
        return name

    def flat_buffer(self, root: int) -> str:
        """A root as one row in the order of its memory."""
        self.buffer(root)
        name = f"b{root}flat"
        if name not in self.scope:
            memory = self.scope[f"b{root}"]
            self.scope[name] = memory.as_strided((memory.numel(),), (1,))
        return name

    def is_only_slope(self, index: int) -> bool:
        """Whether one contribution is all there is to the derivative of a variable's memory."""
        root = self.root(index)
        return (
            root != 0
            and self._contributions.get(root, 0) == 1
            and self.covers(index)
        )

    def share_slope(self, index: int, other: int) -> None:
        """Let the derivative of a variable be the one of another, unchanged.

        Code for what comes before is laid out already, so this is heeded in a second pass.
        """
        self.found_same[index] = self._same_slopes.get(other, other)

    def count_uses(self, nodes: list[Node]) -> None:
        """Count what will contribute to each derivative, before any code is made."""
        for node in nodes:
            read = variables(node)
            if getattr(node.function, "__name__", "") == "dot":
                read = list(set(read))
            for index in read:
                root = self.root(index)
                self._contributions[root] = self._contributions.get(root, 0) + 1

    def need_zero(self, root: int) -> None:
        """Have the derivative of a root set to 0 before anything is added."""
        if root not in self._zeroed:
            self._zeroed.append(root)

    # -- the whole

    def values_source(self, outputs: list[int]) -> str:
        """The function `values(theta)`: all outputs in one list of floats."""
        lines = [self._head(), *(f"    {line}" for line in self.forward)]
        shown = [
            self.scalar(i) if self.is_scalar(i) else f"*{self.buffer(i)}.reshape(-1).tolist()"
            for i in outputs
        ]
        return "def values(theta):\n" + "\n".join(lines) + f"\n    return [{', '.join(shown)}]\n"

    def _head(self) -> str:
        """Takes the parameters in."""
        if self.is_scalar(0):
            return "    s0 = theta.item()"
        return f"    {self.buffer(0)}.copy_(theta)"

    def source(self, loss: int) -> str:
        """The module: `forward(theta)` and `both(theta)`, which return None if a guard fails."""
        lines = [self._head(), *(f"    {line}" for line in self.forward)]
        gradient = "d0.clone()"
        if self.is_scalar(0):
            gradient = f"torch.tensor([{self.scalar_slope(0)}], dtype=torch.float64)"
        else:
            self.slope(0)
            self.need_zero(0)
        both = list(lines)
        both += [f"    d{root}.zero_()" for root in self._zeroed]
        if self._scalars:
            names = sorted(self._scalars)
            for i in range(0, len(names), 50):
                both.append("    " + " = ".join(f"g{n}" for n in names[i : i + 50]) + " = 0.0")
        both.append(f"    {self.scalar_slope(loss)} = 1.0")
        for block in reversed(self.backward):
            both += [f"    {line}" for line in block]
        result = self.scalar(loss)
        return (
            "def forward(theta):\n" + "\n".join(lines) + f"\n    return {result}\n\n"
            "def both(theta):\n" + "\n".join(both) + f"\n    return {result}, {gradient}\n"
        )


def _is_injective(tensor: Tensor) -> bool:
    """Whether no two places of a tensor share an element (exact for small ones)."""
    dims = sorted(
        (s, n) for n, s in zip(tensor.shape, tensor.stride(), strict=True) if n > 1
    )
    reach = 0
    for stride, size in dims:
        if stride <= reach:
            return False
        reach += stride * (size - 1)
    return True


def variables(node: Node) -> list[int]:
    """The variables that a node reads, each as often as it reads it."""
    found: list[int] = []
    pending: list[Any] = [*node.args, *node.kwargs.values()]
    while pending:
        value = pending.pop()
        if isinstance(value, Var):
            found.append(value.index)
        elif isinstance(value, (tuple, list)):
            pending.extend(value)
    return found


def lowered(record: Record, loss: int) -> tuple[str, dict[str, Any]]:
    """Source and scope of the code for a record.

    Raises
    ------
    NoRuleError
        If an operation has no rule.
    """
    first = Lowering(record, {})
    _lay_out(first, [loss])
    same = {index: _last(first.found_same, index) for index in first.found_same}
    code = Lowering(record, same)
    _lay_out(code, [loss])
    source = code.source(loss)
    reuse_memory(source[source.index("def both") :].splitlines(), code.scope)
    return source, code.scope


def lowered_values(record: Record, outputs: list[int]) -> tuple[str, dict[str, Any]]:
    """Source and scope of code that computes several outputs, without derivatives.

    Raises
    ------
    NoRuleError
        If an operation has no rule.
    """
    code = Lowering(record, {})
    _lay_out(code, outputs)
    return code.values_source(outputs), code.scope


def _last(same: dict[int, int], index: int) -> int:
    while index in same:
        index = same[index]
    return index


def _lay_out(code: Lowering, outputs: list[int]) -> None:
    from gradsheet.formula.derivatives import lower

    for index in outputs:  # elements of a tensor are registered before they are read
        if code.is_scalar(index):
            code.scalar_slope(index)
    guards = {guard.var: guard for guard in code.record.guards}
    nodes = _needed(code.record, {*outputs, *guards}, code)
    code.count_uses([node for node in nodes if not code_is_view(code, node)])
    for node in nodes:
        code.backward.append([])
        if not code_is_view(code, node):
            lower(code, node)
            if not code.is_scalar(node.out):
                code.buffer(node.out)
        guard = guards.get(node.out)
        if guard is not None:
            code.forward.append(f"if bool({code.scalar(node.out)}) is not {guard.seen}:")
            code.forward.append("    return None")
    _read_elements(code, nodes)


def code_is_view(code: Lowering, node: Node) -> bool:
    """Whether a node only looks at memory in another way."""
    if code.tensor(node.out).numel() == 0:
        return True  # the tuple that split gave
    if code.root(node.out) == node.out:
        return False
    return code.root(node.out) < node.out


def _needed(record: Record, outputs: set[int], code: Lowering) -> list[Node]:
    wanted = set(outputs)
    kept = []
    for node in reversed(record.nodes):
        if node.out in wanted:
            kept.append(node)
            if code_is_view(code, node):
                if code.tensor(node.out).numel():
                    wanted.add(code.root(node.out))
                continue
            for index in variables(node):
                wanted.add(index)
                wanted.add(code.root(index))
    kept.reverse()
    return kept


def _read_elements(code: Lowering, nodes: list[Node]) -> None:
    """Read floats out of tensors once computed; give their derivatives back before.

    The code of the forward pass is already laid out, so the reads go right behind the line that
    fills the tensor, which ends with the mark `# N`.
    """
    for root, reads in code._element_reads.items():
        names = sorted(reads.items())
        flat = code.flat_buffer(root)
        if len(names) > 3:
            lines = [f"e{root} = {flat}.tolist()"]
            lines += [f"s{n} = e{root}[{offset}]" for offset, n in names]
        else:
            lines = [f"s{n} = {flat}[{offset}].item()" for offset, n in names]
        touched = [(o, n) for o, n in names if n in code._scalars]
        if root == 0:
            code.forward[0:0] = lines
        else:
            at = code.forward.index(f"# {root}")
            code.forward[at + 1 : at + 1] = lines
        if not touched:
            continue
        code.need_zero(root)
        places = code.constant(torch.tensor([o for o, _ in touched]))
        slopes = ", ".join(f"g{n}" for _, n in touched)
        give = (
            f"{code.flat_slope(root)}.index_add_(0, {places}, "
            f"torch.tensor([{slopes}], dtype=torch.float64))"
        )
        if root == 0:
            code.backward.insert(0, [give])
        else:
            number = next(i for i, node in enumerate(nodes) if node.out == root)
            code.backward[number].insert(0, give)
