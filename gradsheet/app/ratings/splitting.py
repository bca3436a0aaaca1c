"""Setting the validation part aside, by the user's choice, and where a rating is then.

Owns the way from a SplitChoice to a Split, and from a row of the table to its part. Must not know
models; reading a validation file is the reader's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gradsheet.app.ratings.choices import SplitChoice
from gradsheet.collab import splits
from gradsheet.collab.splits import Split
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control


def split_of(table: RatingTable, choice: SplitChoice, control: Control | None = None) -> Split:
    """Return training and validation tables.

    Raises
    ------
    UserError
        If nothing would be left to learn from, or the file does not fit.
    """
    choice.check()
    control = control or Control()
    if choice.kind == "last":
        return splits.last_of_each_user(table, choice.last, None, control.checkpoint)
    if choice.kind == "random":
        return splits.random_share(table, choice.share, choice.seed, control.checkpoint)
    assert choice.path is not None
    from gradsheet.ratings import reader

    frames = reader.read(choice.path, None, control)
    while True:
        try:
            next(frames)
        except StopIteration as end:
            return splits.given(table, end.value.table)


def write_through(split: Split, rows: npt.NDArray[Any], values: npt.NDArray[np.float32]) -> None:
    """Change the ratings that a split has of these rows of the whole table."""
    held = split.held
    assert held is not None  # only a split by a file has none, and shares the table
    for row, value in zip(np.asarray(rows).tolist(), values.tolist(), strict=True):
        is_held = bool(held[row])
        before = int(np.count_nonzero(held[:row]))
        part, at = (split.valid, before) if is_held else (split.train, row - before)
        part.ratings[at] = value
