"""A plane through a loss of many parameters: its directions, its values, and what falls on it.

Owns the geometry. A slice is honest about being one: it knows how much of a path lies in it.
numpy only; the loss is a callable of a parameter vector.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Loss = Callable[[Floats], float]


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane in the space of n parameters.

    Attributes
    ----------
    centre : ndarray (n,)
    u, v : ndarray (n,)
        Orthogonal directions of length 1.
    share : float
        How much of the path's movement about the centre lies in the plane, 0 to 1.
    words : str
        Which directions these are, for people.
    """

    centre: Floats
    u: Floats
    v: Floats
    share: float
    words: str

    def project(self, points: Floats) -> Floats:
        """Return where points (m, n) fall on the plane, as coordinates (m, 2)."""
        moved = points - self.centre
        return np.stack([moved @ self.u, moved @ self.v], 1)

    def lift(self, x: float, y: float) -> Floats:
        """Return the parameters (n,) of a place on the plane."""
        return self.centre + x * self.u + y * self.v


def principal_plane(path: Floats) -> Plane:
    """Return the plane through the path's newest point along which the path moved most.

    Parameters
    ----------
    path : ndarray (m, n)
        At least two points and two parameters.

    Notes
    -----
    The directions are the two first right singular vectors of the path about its newest point, as
    in Li and others 2018, section 7.2.
    """
    centre = path[-1]
    moved = path - centre
    _, sizes, directions = np.linalg.svd(moved, full_matrices=False)
    total = float((sizes**2).sum())
    u = directions[0] if total > 0 else _axis(path.shape[1], 0)
    has_second = len(sizes) > 1 and sizes[1] > 1e-12 * sizes[0]
    v = directions[1] if has_second else _orthogonal(u)
    if moved[0] @ u > 0:  # the path comes from the left
        u = -u
    share = float(((moved @ u) ** 2 + (moved @ v) ** 2).sum() / total) if total > 0 else 1.0
    return Plane(centre, u, v, min(share, 1.0), "the two directions in which the run moved most")


def coordinate_plane(path: Floats, first: int, second: int, words: str) -> Plane:
    """Return the plane of two chosen parameters through the path's newest point."""
    count = path.shape[1]
    moved = path - path[-1]
    u, v = _axis(count, first), _axis(count, second)
    total = float((moved**2).sum())
    inside = float((moved[:, [first, second]] ** 2).sum())
    return Plane(path[-1], u, v, inside / total if total > 0 else 1.0, words)


@dataclass(frozen=True, slots=True)
class Slice:
    """The loss on a part of a plane.

    Attributes
    ----------
    plane : Plane
    xs, ys : ndarray (c,), (r,)
    values : ndarray (r, c)
    path : ndarray (m, 2)
        The path, projected.
    loss_on_slice, true_loss : float
        At the path's oldest point shown: where it falls on the plane, and where it really was.
        At the newest both are the same, for the plane goes through it.
    loss_now : float
    """

    plane: Plane
    xs: Floats
    ys: Floats
    values: Floats
    path: Floats
    loss_on_slice: float
    true_loss: float
    loss_now: float

    def at(self, points: Floats) -> Floats:
        """Return the loss at places (m, 2) between the grid's points, the edge's outside."""
        column = np.clip(np.interp(points[:, 0], self.xs, np.arange(len(self.xs))), 0, None)
        row = np.clip(np.interp(points[:, 1], self.ys, np.arange(len(self.ys))), 0, None)
        c0 = np.minimum(column.astype(int), len(self.xs) - 2)
        r0 = np.minimum(row.astype(int), len(self.ys) - 2)
        fc, fr = column - c0, row - r0
        v = self.values
        low = v[r0, c0] * (1 - fc) + v[r0, c0 + 1] * fc
        high = v[r0 + 1, c0] * (1 - fc) + v[r0 + 1, c0 + 1] * fc
        return np.asarray(low * (1 - fr) + high * fr)


def cut(loss: Loss, plane: Plane, path: Floats, size: int = 33, margin: float = 0.4) -> Slice:
    """Work the loss out on the part of a plane that holds the projected path.

    Parameters
    ----------
    loss : callable
    path : ndarray (m, n)
    size : int
        Points along each side.
    margin : float
        Room round the path, as a share of its extent.
    """
    points = plane.project(path)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = max(float((high - low).max()), 1e-6)
    room = np.maximum((high - low) * margin, 0.25 * extent)
    xs = np.linspace(low[0] - room[0], high[0] + room[0], size)
    ys = np.linspace(low[1] - room[1], high[1] + room[1], size)
    values = np.array([[loss(plane.lift(x, y)) for x in xs] for y in ys])
    first = plane.lift(*points[0])
    return Slice(plane, xs, ys, values, points, loss(first), loss(path[0]), loss(path[-1]))


def _axis(count: int, index: int) -> Floats:
    axis = np.zeros(count)
    axis[index] = 1.0
    return axis


def _orthogonal(u: Floats) -> Floats:
    """Return some direction at right angles to u: the axis least along it, made orthogonal."""
    v = _axis(len(u), int(np.argmin(np.abs(u))))
    v = v - (v @ u) * u
    return np.asarray(v / np.linalg.norm(v))
