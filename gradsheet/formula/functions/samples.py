"""The numbers among the arguments of SUM and its kin, by Excel's rules.

Owns which values count: in cells and arrays only numbers, written directly in the formula also
booleans and texts that spell numbers. Knows no particular function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula.areas import Areas
from gradsheet.formula.batch import (
    NUMBER,
    Batch,
    Errors,
    earlier,
    errors_of,
    numbers,
)

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator, Value


@dataclass(slots=True)
class Sample:
    """Numbers of one argument.

    Parameters
    ----------
    num : Tensor (R|1, C|1, h, w); 0 where `mask` is false
    mask : which of them count, None for all
    """

    num: Tensor
    mask: Tensor | None

    @property
    def count(self) -> Tensor:
        """How many count, (R|1, C|1, 1, 1) float64."""
        if self.mask is None:
            size = self.num.shape[2] * self.num.shape[3]
            return torch.full((1, 1, 1, 1), float(size), dtype=torch.float64)
        mask = self.mask.expand(self.num.shape)
        return mask.sum((2, 3), keepdim=True, dtype=torch.float64)


def batches_of(evaluator: Evaluator, values: Sequence[Value]) -> Iterator[Batch]:
    """Every argument with all its values, unions taken apart."""
    for value in values:
        if isinstance(value, Areas):
            for part in value.parts:
                yield evaluator.whole(part)
        else:
            yield evaluator.whole(value)


def sampled(evaluator: Evaluator, values: Sequence[Value]) -> tuple[list[Sample], Errors]:
    """The numbers of all arguments, and for each cell of the block the first error."""
    samples: list[Sample] = []
    errors: Errors = None
    for batch in batches_of(evaluator, values):
        if batch.direct and not batch.is_array:
            num, found = numbers(batch, evaluator.strings)
            samples.append(Sample(num, None))
        else:
            found = first_error(errors_of(batch))
            samples.append(_counted(batch))
        errors = earlier(errors, found)
    return samples, errors


def _counted(batch: Batch) -> Sample:
    if isinstance(batch.kind, int):
        if batch.is_only(NUMBER):
            return Sample(batch.num, None)
        nothing = torch.zeros((1, 1, 1, 1), dtype=torch.bool)
        return Sample(torch.zeros_like(batch.num), nothing)
    mask = batch.kind == NUMBER
    return Sample(torch.where(mask, batch.num, 0.0), mask)


def first_error(errors: Errors) -> Errors:
    """The first error of each array, row by row, as (R|1, C|1, 1, 1)."""
    if errors is None:
        return None
    flat = errors.flatten(2)
    if flat.shape[2] == 1:
        return flat[..., None]
    place = (flat > 0).to(torch.uint8).argmax(2, keepdim=True)
    return flat.gather(2, place)[..., None]


def pooled(samples: Sequence[Sample]) -> tuple[Tensor, Tensor | None]:
    """All numbers in one row: (R|1, C|1, n), and which count (None for all)."""
    if len(samples) == 1:
        sample = samples[0]
        mask = sample.mask
        if mask is not None:
            mask = mask.expand(sample.num.shape).flatten(2)
        return sample.num.flatten(2), mask
    rows = max(s.num.shape[0] for s in samples)
    cols = max(s.num.shape[1] for s in samples)
    nums = [s.num.expand(rows, cols, -1, -1).flatten(2) for s in samples]
    if all(s.mask is None for s in samples):
        return torch.cat(nums, 2), None
    masks = [
        torch.ones_like(s.num, dtype=torch.bool) if s.mask is None else s.mask for s in samples
    ]
    shaped = [
        mask.expand(rows, cols, s.num.shape[2], s.num.shape[3]).flatten(2)
        for mask, s in zip(masks, samples, strict=True)
    ]
    return torch.cat(nums, 2), torch.cat(shaped, 2)


def cell(total: Tensor) -> Tensor:
    """(R, C) as a value of every cell, (R, C, 1, 1)."""
    return total[:, :, None, None]
