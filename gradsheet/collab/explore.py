"""Looking into what was learned: bias ranking, map of the items, neighbours.

Owns the arithmetic behind those views. Must not know windows or how the model was learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from gradsheet.ratings.table import RatingTable

Doubles: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.int64]

Measure = Literal["dot", "cosine"]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Items by their bias, the highest first.

    Attributes
    ----------
    items : ndarray (n,) int64
        Codes.
    biases : ndarray (n,) float64
    means : ndarray (n,) float64
        Mean rating of each; what the bias would be if everybody rated alike.
    counts : ndarray (n,) int64
    """

    items: Codes
    biases: Doubles
    means: Doubles
    counts: Codes


def bias_ranking(
    item_bias: npt.ArrayLike, table: RatingTable, at_least: int = 1, most_rated: int | None = None
) -> Ranking:
    """Rank items by bias; of equal ones the more often rated comes first.

    Parameters
    ----------
    item_bias : array_like (n_items,)
    table : RatingTable
        Gives mean and count beside the bias.
    at_least : int
        Ratings that an item must have.
    most_rated : int, optional
        Only so many of the most often rated; the lesson takes 3,000.
    """
    counts = table.item_counts()
    sums = np.bincount(table.items, weights=table.ratings, minlength=table.n_items)
    biases = np.asarray(item_bias, dtype=np.float64)
    chosen = np.flatnonzero(counts >= max(at_least, 1))
    if most_rated is not None:
        busiest = np.argsort(-counts[chosen], kind="stable")[:most_rated]
        chosen = chosen[busiest]
    order = chosen[np.lexsort((chosen, -counts[chosen], -biases[chosen]))]
    return Ranking(order, biases[order], sums[order] / counts[order], counts[order])


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Principal components of rows of factors.

    Attributes
    ----------
    axes : ndarray (c, k) float64
        Orthonormal; the largest entry of each is positive, so that the same factors always give
        the same map.
    centre : ndarray (k,) float64
        Mean of the rows.
    coordinates : ndarray (n, c) float64
        (rows - centre) @ axes.T, nothing scaled.
    shares : ndarray (c,) float64
        Share of the whole variance that lies along each axis.
    """

    axes: Doubles
    centre: Doubles
    coordinates: Doubles
    shares: Doubles

    def moved(self, row: npt.ArrayLike, coordinates: npt.ArrayLike) -> Doubles:
        """Return the factors (k,) that a row gets when its dot is dragged to a place.

        What the map does not show of the row stays as it was.

        Parameters
        ----------
        row : array_like (k,)
        coordinates : array_like (c,)
        """
        factors = np.asarray(row, dtype=np.float64)
        here = self.axes @ (factors - self.centre)
        moved: Doubles = factors + (np.asarray(coordinates, dtype=np.float64) - here) @ self.axes
        return moved


def principal_components(rows: npt.ArrayLike, count: int = 3) -> Components:
    """Return the principal components of rows.

    Parameters
    ----------
    rows : array_like (n, k)
    count : int
        Fewer come back where there are fewer rows or columns.

    Notes
    -----
    Singular value decomposition of the centred rows (Jolliffe 2002, section 3.5), in float64.
    """
    data = np.asarray(rows, dtype=np.float64)
    centre = data.mean(axis=0)
    centred = data - centre
    # The k x k matrix is small where there are many rows; its square root of precision is ample
    # for a map, and ten times faster than the decomposition of the tall matrix.
    values, vectors = np.linalg.eigh(centred.T @ centred)
    count = min(count, *data.shape)
    axes = vectors[:, ::-1][:, :count].T
    largest = np.argmax(np.abs(axes), axis=1)
    axes = axes * np.sign(axes[np.arange(count), largest])[:, None]
    total = max(float(values.sum()), np.finfo(float).tiny)
    shares = np.maximum(values[::-1][:count], 0.0) / total
    return Components(axes, centre, centred @ axes.T, shares)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The rows nearest to one, the nearest first.

    Attributes
    ----------
    codes : ndarray (n,) int64
    values : ndarray (n,) float64
        Dot products or cosines.
    """

    codes: Codes
    values: Doubles


def neighbours(
    factors: npt.NDArray[Any],
    code: int,
    count: int = 10,
    measure: Measure = "cosine",
    among: npt.NDArray[np.bool_] | None = None,
) -> Neighbours:
    """Return the rows with the largest dot product or cosine with one.

    Parameters
    ----------
    factors : ndarray (n, k)
    code : int
        The row asked about; it is not its own neighbour.
    measure : {"cosine", "dot"}
        The cosine compares directions; the dot product also rewards long rows, which belong to
        items with many ratings.
    among : ndarray (n,) bool, optional
        Which rows may come back, such as those with enough ratings.
    """
    row = factors[code].astype(np.float64)
    values: Doubles = factors @ row
    if measure == "cosine":
        lengths = np.linalg.norm(factors, axis=1) * np.linalg.norm(row)
        values = np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 0)
    allowed = np.ones(len(factors), dtype=bool) if among is None else among.copy()
    allowed[code] = False
    codes = np.flatnonzero(allowed)
    best = codes[np.argsort(-values[codes], kind="stable")[:count]]
    return Neighbours(best, values[best])
