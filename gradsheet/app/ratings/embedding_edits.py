"""Embeddings and biases that are changed by hand.

Owns how numbers are written into what is learned, and when that can be undone. Must not know
cells or windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradsheet.formula.values import UserError

if TYPE_CHECKING:
    from gradsheet.app.ratings.learned import Side
    from gradsheet.app.ratings.session import RatingsSession


def write_learned(
    session: RatingsSession,
    side: Side,
    rows: Sequence[int],
    columns: Sequence[int],
    values: Sequence[float],
) -> None:
    """Set embeddings (columns 0 ...) and biases (column -1); not undoable by itself.

    Raises
    ------
    UserError
        If the model has no such number, or is not made yet.
    """
    with session.at_rest():
        session.settle()
        if session.learner is None:
            raise UserError("The model is still being made.", "Wait a moment, then edit again.")
        session.learner.write(side, rows, columns, values)
        session.learned = session.copy_of(session.learner)
        session.tell("learned")


def edit_row(session: RatingsSession, side: Side, row: int, numbers: Mapping[int, float]) -> None:
    """Set several numbers of one user or item, by column (-1: the bias), as one undoable edit.

    Raises
    ------
    UserError
        See `write_learned`; also if a value is not a finite number.
    """
    if not all(np.isfinite(value) for value in numbers.values()):
        raise UserError("An embedding is a finite number.", "Enter a number such as 0.5.")
    if session.editor is not None:
        session.editor(side, row, numbers)
        return
    session.stop()
    session.settle()
    mark = session.mark(with_state=True)
    write_learned(session, side, [row] * len(numbers), list(numbers), list(numbers.values()))
    session.note_mark(f"Edit the {side}", mark)
