"""On which device a loss is computed: the rule, and the moving of generated code to a device.

Cells live in the memory of the CPU, and so do parameters and optimizer; what may move is the
generated code of a loss with its fixed memory. Knows no formulas and no optimizer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

CPU = torch.device("cpu")

WORTH_A_GPU = 65_536
"""Numbers in the mean operation from which a GPU wins. Starting an operation on it takes 5 to
10 us, in which one CPU core computes about as many thousand; eight times that, because consumer
cards have a 32nd or 64th of their speed in float64 and the parameters travel in every step."""


def accelerator() -> torch.device | None:
    """The device beside the CPU that computes in float64, None if there is none.

    Apple's MPS has no float64, in which half of a sheet's digits would be lost: never there.
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        properties = torch.xpu.get_device_properties(0)
        if getattr(properties, "has_fp64", False):
            return torch.device("xpu")
    return None


def device_for(sizes: Iterable[int], source: str) -> torch.device:
    """Choose where a loss is computed.

    Parameters
    ----------
    sizes : how many numbers each of its operations gives
    source : its generated code

    Returns
    -------
    device, the CPU unless there is another, operations give `WORTH_A_GPU` numbers in the mean,
    and no sum is scattered: a GPU adds these in any order, and a run could not be replayed to
    the last bit.
    """
    counts = list(sizes)
    if not counts or sum(counts) < WORTH_A_GPU * len(counts) or "index_add_(" in source:
        return CPU
    return accelerator() or CPU


def moved(source: str, scope: dict[str, Any], device: torch.device) -> tuple[str, dict[str, Any]]:
    """Generated code and its scope on another device.

    Parameters
    ----------
    source : code that makes every tensor with `dtype=torch.float64` as its last argument
    scope : constants and fixed memory; tensors that share memory share it afterwards

    Returns
    -------
    the code, and a scope of its own
    """
    memory: dict[int, Tensor] = {}
    there: dict[str, Any] = {"device": device}
    for name, value in scope.items():
        if not isinstance(value, Tensor):
            there[name] = value
            continue
        storage = value.untyped_storage()
        if storage.data_ptr() not in memory:
            raw = torch.empty(0, dtype=torch.uint8).set_(storage)
            memory[storage.data_ptr()] = raw.clone().to(device)
        base = memory[storage.data_ptr()].untyped_storage()
        twin = torch.empty(0, dtype=value.dtype, device=device)
        there[name] = twin.set_(base, value.storage_offset(), value.size(), value.stride())
    return source.replace("dtype=torch.float64)", "dtype=torch.float64, device=device)"), there
