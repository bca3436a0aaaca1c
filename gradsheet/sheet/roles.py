"""What a region of a sheet stands for in a model.

Owns the roles; their colours live with the theme. Knows no cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gradsheet.formula.address import Region


class Role(Enum):
    """The part that a region plays."""

    DATA = "data"
    PREDICTION = "prediction"
    LOSS = "loss"
    ITEM = "item"
    USER = "user"
    PARAMETER = "parameter"


@dataclass(frozen=True, slots=True)
class RoleRegion:
    """A region with its role, a label for people, and whether training leaves it alone.

    `rate_scale` multiplies the learning rate of its cells (a discriminative rate).
    """

    region: Region
    role: Role
    label: str
    locked: bool = False
    rate_scale: float = 1.0
