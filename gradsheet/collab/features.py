"""Features beside the ids for the net: genres of items, the moment of a rating.

Owns their encoding. Must not know models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradsheet.ratings.table import UNKNOWN_TIME

_DAY = 86_400.0
_WEEK = 7 * _DAY


class Genres(NamedTuple):
    """Genres of items, one column a genre.

    Attributes
    ----------
    names : tuple of str
        Alphabetically.
    flags : Tensor (n_items, n_genres) float32
        1 where the item has the genre.
    """

    names: tuple[str, ...]
    flags: Tensor


def genre_flags(genres: Sequence[str], separator: str = "|") -> Genres:
    """Encode genres written as "Adventure|Comedy"; "(no genres listed)" and "" are none."""
    split = [
        {part.strip() for part in text.split(separator) if part.strip()} - {"(no genres listed)"}
        for text in genres
    ]
    names = tuple(sorted(set().union(*split)))
    column = {name: j for j, name in enumerate(names)}
    flags = torch.zeros(len(split), len(names))
    for i, found in enumerate(split):
        for name in found:
            flags[i, column[name]] = 1.0
    return Genres(names, flags)


def time_features(
    timestamps: npt.NDArray[np.int64], reference: npt.NDArray[np.int64] | None = None
) -> Tensor:
    """Encode moments as (date, sine and cosine of the day, sine and cosine of the week).

    Parameters
    ----------
    timestamps : ndarray (n,) int64
        Seconds since 1970; unknown ones get zeros.
    reference : ndarray (m,) int64, optional
        The training part, whose mean and standard deviation make dates comparable; the
        timestamps themselves if not given.

    Returns
    -------
    Tensor (n, 5) float32
    """
    base = timestamps if reference is None else reference
    base = base[base != UNKNOWN_TIME]
    known = timestamps != UNKNOWN_TIME
    seconds = np.where(known, timestamps, 0).astype(np.float64)
    mean = float(base.mean()) if len(base) else 0.0
    spread = float(base.std()) if len(base) else 0.0
    columns = [(seconds - mean) / (spread or 1.0)]
    for period in (_DAY, _WEEK):
        angle = 2 * np.pi * (seconds % period) / period
        columns += [np.sin(angle), np.cos(angle)]
    found = np.where(known[:, None], np.stack(columns, 1), 0.0)
    return torch.from_numpy(found.astype(np.float32))
