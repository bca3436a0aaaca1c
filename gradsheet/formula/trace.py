"""Recording which tensor operations depend on the parameters, while a formula is evaluated.

Owns the Tracer, a torch function mode that writes down every operation on a tensor that came
from the parameters, and the questions function code may ask about such tensors. Knows nothing
of formulas, blocks or sheets, and does not run what it recorded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True, slots=True)
class Var:
    """A recorded tensor by its number."""

    index: int


@dataclass(slots=True)
class Node:
    """One recorded call: `out = function(*args, **kwargs)`, recorded tensors given as `Var`."""

    out: int
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Guard:
    """What was seen while recording: `bool(var)` was `seen`; else the record does not hold."""

    var: int
    seen: bool


@dataclass(slots=True)
class Record:
    """Everything recorded: nodes in order, guards, and the tensors by number."""

    nodes: list[Node] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    broken: str = ""  # why this record cannot stand for the evaluation, if it cannot


_LOOKS = frozenset(
    {"__get__", "dim", "size", "numel", "is_contiguous", "stride", "storage_offset", "__len__",
     "is_floating_point", "ndimension", "element_size", "__repr__", "is_complex", "get_device",
     "data_ptr", "untyped_storage"}
)  # fmt: skip
_READS = frozenset(
    {"item", "tolist", "numpy", "__float__", "__int__", "__index__", "__array__", "__iter__",
     "__contains__", "nonzero", "unique", "masked_select"}
)  # fmt: skip
_active = threading.local()


class Tracer(TorchFunctionMode):
    """Records operations that depend on a root tensor while active (a context manager)."""

    def __init__(self, root: Tensor) -> None:
        super().__init__()
        self.record = Record()
        self._index: dict[int, int] = {}
        self.mark(root)

    def __enter__(self) -> Tracer:
        self._outer = getattr(_active, "tracer", None)
        _active.tracer = self
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *exc: Any) -> None:
        _active.tracer = self._outer
        super().__exit__(*exc)  # type: ignore[no-untyped-call]

    def depends(self, tensor: Tensor) -> bool:
        """Whether a tensor was computed from the root."""
        return id(tensor) in self._index

    def var(self, tensor: Tensor) -> int | None:
        """The number of a recorded tensor."""
        return self._index.get(id(tensor))

    def mark(self, tensor: Tensor) -> int:
        """Give a tensor a number; it then counts as depending on the root."""
        index = len(self.record.tensors)
        self.record.tensors.append(tensor)  # kept alive, so that its id stays its own
        self._index[id(tensor)] = index
        return index

    def give_up(self, reason: str) -> None:
        """Say that the record cannot stand for the evaluation; the first reason is kept."""
        if not self.record.broken:
            self.record.broken = reason

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if name == "__get__" and isinstance(out, Tensor) and self._uses(args):
            self.give_up("an attribute of a value that depends on the parameters, such as .T")
            self.mark(out)
        if name in _LOOKS or not (self._uses(args) or (kwargs and self._uses(kwargs.values()))):
            return out
        if name == "__bool__":
            self.record.guards.append(Guard(self._index[id(args[0])], bool(out)))
        elif name in _READS:
            self.give_up(f"{name} of a value that depends on the parameters")
            if isinstance(out, Tensor):
                self.mark(out)
        elif isinstance(out, Tensor):
            self._note(func, args, kwargs, out)
        elif isinstance(out, tuple):
            self._note_all(func, args, kwargs, out)
        return out

    def _uses(self, values: Any) -> bool:
        for value in values:
            if isinstance(value, Tensor):
                if id(value) in self._index:
                    return True
            elif isinstance(value, (tuple, list)) and self._uses(value):
                return True
        return False

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            index = self._index.get(id(value))
            return value if index is None else Var(index)
        if isinstance(value, tuple):
            return tuple(self._plain(v) for v in value)
        if isinstance(value, list):
            return [self._plain(v) for v in value]
        return value

    def _note(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Tensor
    ) -> None:
        if id(out) in self._index and any(out is a for a in args):
            if getattr(func, "__name__", "").endswith("_"):
                self.give_up("a recorded value was changed in place")
            return  # contiguous(), reshape() and the like gave back what they were given
        plain = self._plain(args)
        named = {key: self._plain(value) for key, value in kwargs.items()}
        self.record.nodes.append(Node(self.mark(out), func, plain, named))

    def _note_all(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> None:
        whole = len(self.record.tensors)
        self.record.tensors.append(torch.empty(0))
        plain = self._plain(args)
        named = {key: self._plain(value) for key, value in kwargs.items()}
        self.record.nodes.append(Node(whole, func, plain, named))
        for i, part in enumerate(out):
            if isinstance(part, Tensor):
                node = Node(self.mark(part), _part, (Var(whole), i), {})
                self.record.nodes.append(node)


def _part(whole: Sequence[Tensor], i: int) -> Tensor:
    return whole[i]


def active() -> Tracer | None:
    """The tracer of this thread, if an evaluation is being recorded."""
    tracer: Tracer | None = getattr(_active, "tracer", None)
    return tracer


def depends(tensor: Tensor) -> bool:
    """Whether a tensor depends on the parameters of the evaluation being recorded."""
    tracer = active()
    return tracer is not None and tracer.depends(tensor)


def surely_all(mask: Tensor) -> bool:
    """Whether a mask is true everywhere whatever the parameters are.

    False while recording if the mask depends on the parameters.
    """
    return not depends(mask) and bool(mask.all())


def surely_none(mask: Tensor) -> bool:
    """Whether a mask is false everywhere whatever the parameters are."""
    return not depends(mask) and not bool(mask.any())


def seen_any(mask: Tensor) -> bool:
    """Whether a mask is true anywhere, without a guard when it is not.

    Only for masks of inputs on which the plain operation gives a value or gradient that is not
    finite: an objective whose loss or gradient is not finite is evaluated again in full.
    """
    tracer = active()
    if tracer is None or not tracer.depends(mask):
        return bool(mask.any())
    with torch._C.DisableTorchFunction():
        return bool(mask.any())


def fixed_number(tensor: Tensor) -> float | None:
    """The value of a tensor of one number that no parameter changes, else None."""
    if tensor.numel() != 1 or tensor.requires_grad or depends(tensor):
        return None
    return tensor.item()
