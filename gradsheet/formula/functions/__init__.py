"""The functions of formulas: `FUNCTIONS`, one table by Excel name.

Owns the joining of the families into the table; each family is a module of its own.
"""

from __future__ import annotations

from gradsheet.formula.functions import (
    addresses,
    arrays,
    calendar,
    chance,
    criteria,
    finance,
    joining,
    learning,
    linear,
    logic,
    lookup,
    math,
    moments,
    notation,
    pieces,
    quantiles,
    regression,
    special,
    spread,
    stats,
    text,
    totals,
    workdays,
)
from gradsheet.formula.functions.table import TABLE, Function

FUNCTIONS: dict[str, Function] = TABLE
"""Every function that can be computed, by its name in capitals."""

FAMILIES = (
    math, stats, spread, moments, criteria, logic, lookup, addresses, arrays, linear, text,
    joining, calendar, chance, learning, finance, special, quantiles, regression, totals, pieces,
    notation, workdays,
)  # fmt: skip
"""The modules that fill the table."""
