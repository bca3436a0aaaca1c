"""The lesson's `bias` sheet as one writes it who gives every cell a tensor of its own.

The yardstick for blocks: the same arithmetic, the same loss and gradient, the same optimizer,
but 0-d tensors and one torch operation for each operation of a formula. Nothing is wasted in
it: blanks cost nothing, sums are Python sums, and the optimizer is torch's own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class CellByCell:
    """Ratings predicted from biases and factors, a tensor for each cell.

    Parameters
    ----------
    ratings : array (users, items)
        NaN where there is none.
    items : array (1 + factors, items)
        The bias first.
    users : array (users, 1 + factors)
        The bias first.
    """

    def __init__(
        self,
        ratings: npt.NDArray[np.float64],
        items: npt.NDArray[np.float64],
        users: npt.NDArray[np.float64],
    ) -> None:
        self.items = [[_cell(x).requires_grad_() for x in column] for column in items.T]
        self.users = [[_cell(x).requires_grad_() for x in row] for row in users]
        self._ratings = [
            [None if np.isnan(x) else _cell(x) for x in row] for row in ratings
        ]
        self._count = _cell(float(np.isfinite(ratings).sum()))
        by_row = [[column[k] for column in self.items] for k in range(len(items))]
        self.cells = [cell for row in (*by_row, *self.users) for cell in row]
        self._adam = torch.optim.Adam(self.cells, lr=0.05)

    def loss(self) -> Tensor:
        """The root of the mean squared error over the ratings there are."""
        squares = []
        for user, row in zip(self.users, self._ratings, strict=True):
            for item, rating in zip(self.items, row, strict=True):
                if rating is None:
                    continue  # IF(H2="",0,...): SUMXMY2 drops the pair
                predicted = user[1] * item[1]
                for k in range(2, len(user)):
                    predicted = predicted + user[k] * item[k]
                difference = rating - (predicted + item[0] + user[0])
                squares.append(difference * difference)
        total = squares[0]
        for square in squares[1:]:
            total = total + square
        return torch.sqrt(total / self._count)

    def both(self) -> tuple[Tensor, list[Tensor]]:
        """Loss, and its derivative by every cell: items row by row, then users."""
        loss = self.loss()
        return loss.detach(), list(torch.autograd.grad(loss, self.cells))

    def step(self) -> float:
        """One step of Adam; the loss before it."""
        self._adam.zero_grad()
        loss = self.loss()
        loss.backward()
        self._adam.step()
        return loss.item()


def _cell(number: float) -> Tensor:
    return torch.tensor(float(number), dtype=torch.float64)
