"""Roles of ranges, and the problem they state: what is trained and what is made small.

Owns giving roles, locks and rates to ranges as edits that can be undone, and reading the problem
from them, with a message that says what is missing. Knows no window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind, UserError
from gradsheet.learn.problem import Goal, Parameter, Problem
from gradsheet.sheet.edits import Composite, Edit, SetRoles, SetValues
from gradsheet.sheet.roles import Role, RoleRegion
from gradsheet.sheet.workbook import Sheet, Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document

TRAINED = (Role.PARAMETER, Role.ITEM, Role.USER)
"""The roles whose cells training changes."""
START_DEVIATION = 0.1
"""Of new random parameters: small and normal, as the lessons start."""
_NAMES = {
    Role.PARAMETER: "Parameter",
    Role.DATA: "Data",
    Role.PREDICTION: "Prediction",
    Role.LOSS: "Loss",
    Role.ITEM: "Item embedding",
    Role.USER: "User embedding",
}


# ---------------------------------------------------------------------- reading the problem


def problem_from_roles(
    workbook: Workbook, goal: Goal = "minimise", target: float = 0.0
) -> Problem:
    """Return the problem that the roles of a workbook state.

    Raises
    ------
    UserError
        If there is no loss or no parameter, or they cannot be what they are called.
    """
    losses = [(s.id, r.region) for s in workbook.sheets for r in s.roles if r.role is Role.LOSS]
    parameters = tuple(
        Parameter(sheet.id, role.region, role.rate_scale, role.locked)
        for sheet in workbook.sheets
        for role in sheet.roles
        if role.role in TRAINED and not role.region.is_empty
    )
    if not losses:
        raise UserError(
            "No cell is the loss yet.",
            "Select the cell to be made small and choose Sheet > Role > Loss.",
        )
    if len(losses) > 1 or losses[0][1].size != 1:
        raise UserError("The loss is one cell.", "Give the role Loss to a single cell.")
    if not parameters:
        raise UserError(
            "No cells are parameters yet.",
            "Select the numbers that training may change and choose Sheet > Role > Parameter.",
        )
    for parameter in parameters:
        _check_numbers(workbook.sheet(parameter.sheet), parameter.region)
    sheet, region = losses[0]
    return Problem((sheet, region.first), parameters, goal, target)


def _check_numbers(sheet: Sheet, region: Region) -> None:
    kinds = sheet.cells.read(region)[1]
    bad = np.argwhere((kinds == Kind.TEXT) | (kinds == Kind.ERROR) | (kinds == Kind.BOOLEAN))
    if len(bad):
        cell = Cell(region.top + int(bad[0][0]), region.left + int(bad[0][1]))
        raise UserError(
            f"The parameter {sheet.name}!{cell} is no number.",
            "Type a number there, or leave the cell out of the parameters.",
        )


def roles_of(workbook: Workbook) -> tuple[tuple[int, tuple[RoleRegion, ...]], ...]:
    """Return the roles of every sheet; equal as long as nothing changed."""
    return tuple((sheet.id, sheet.roles) for sheet in workbook.sheets)


# ---------------------------------------------------------------------- giving roles


def without(roles: Iterable[RoleRegion], region: Region) -> tuple[RoleRegion, ...]:
    """Return roles with a region cut out of each; what is left of one keeps its name."""
    kept: list[RoleRegion] = []
    for role in roles:
        parts = role.region.subtract(region) if role.region.intersect(region) else [role.region]
        kept += [replace(role, region=part) for part in parts]
    return tuple(kept)


def set_role(
    document: Document, sheet: int, regions: Sequence[Region], role: Role | None
) -> None:
    """Give a range a role, or take every role from it; one entry to undo.

    Raises
    ------
    UserError
        If a loss is asked for more than one cell.
    """
    workbook = document.workbook
    area = " and ".join(str(region) for region in regions)
    if role is Role.LOSS and (len(regions) != 1 or regions[0].size != 1):
        raise UserError("The loss is one cell.", "Select the one cell that is to be made small.")
    edits: list[Edit] = []
    if role is Role.LOSS:
        edits += _without_loss(workbook, sheet)
    roles = workbook.sheet(sheet).roles
    if role is Role.LOSS:
        roles = tuple(known for known in roles if known.role is not Role.LOSS)
    for region in regions:
        roles = without(roles, region)
        if role is not None:
            roles = (*roles, RoleRegion(region, role, ""))
    edits.append(SetRoles(sheet, roles))
    name = _NAMES[role] if role is not None else "nothing"
    document.apply(Composite(tuple(edits)), f"Make {area} {name.casefold()}")


def _without_loss(workbook: Workbook, but: int) -> list[Edit]:
    """Take the loss from other sheets: there is one in a workbook."""
    edits: list[Edit] = []
    for sheet in workbook.sheets:
        kept = tuple(role for role in sheet.roles if role.role is not Role.LOSS)
        if sheet.id != but and kept != sheet.roles:
            edits.append(SetRoles(sheet.id, kept))
    return edits


def _changed(
    document: Document,
    sheet: int,
    regions: Sequence[Region],
    change: Callable[[RoleRegion], RoleRegion],
    label: str,
) -> None:
    """Change the parameters within a range; what lies outside of it stays as it is.

    Raises
    ------
    UserError
        If the range holds no parameters.
    """
    roles = document.workbook.sheet(sheet).roles
    result: list[RoleRegion] = []
    hit = False
    for role in roles:
        if role.role not in TRAINED:
            result.append(role)
            continue
        rest = [role.region]
        for region in regions:
            inner = role.region.intersect(region)
            if inner is None or inner.is_empty:
                continue
            hit = True
            result.append(change(replace(role, region=inner)))
            rest = [part for old in rest for part in old.subtract(inner)]
        result += [replace(role, region=part) for part in rest]
    if not hit:
        raise UserError(
            "No parameters are selected.", "Select cells that training changes, then try again."
        )
    document.apply(SetRoles(sheet, tuple(result)), label)


def set_locked(document: Document, sheet: int, regions: Sequence[Region], locked: bool) -> None:
    """Freeze the parameters of a range, or let them go; training leaves frozen cells alone.

    Raises
    ------
    UserError
        If the range holds no parameters.
    """
    _changed(
        document, sheet, regions, lambda role: replace(role, locked=locked),
        f"{'Lock' if locked else 'Unlock'} {regions[0]}",
    )  # fmt: skip


def is_locked(workbook: Workbook, sheet: int, regions: Sequence[Region]) -> bool:
    """Whether every parameter in a range is locked, and there is one."""
    hit = [
        role.locked
        for role in workbook.sheet(sheet).roles
        if role.role in TRAINED and any(role.region.intersect(region) for region in regions)
    ]
    return bool(hit) and all(hit)


def set_rate(document: Document, sheet: int, regions: Sequence[Region], scale: float) -> None:
    """Multiply the learning rate of the parameters of a range (a discriminative rate).

    Raises
    ------
    UserError
        If the factor is negative or no number, or the range holds no parameters.
    """
    if not 0 <= scale < float("inf"):
        raise UserError(f"A rate cannot be {scale:g} times as large.", "Enter 0 or more.")
    _changed(
        document, sheet, regions, lambda role: replace(role, rate_scale=scale),
        f"Rate of {regions[0]} times {scale:g}",
    )  # fmt: skip


def role_of(workbook: Workbook, sheet: int, cell: Cell) -> RoleRegion | None:
    """Return the role of a cell, of the smallest region if several hold it."""
    found = [role for role in workbook.sheet(sheet).roles if role.region.contains(cell)]
    return min(found, key=lambda role: role.region.size, default=None)


def random_start(workbook: Workbook, problem: Problem, seed: int) -> Edit:
    """Return the edit that gives every parameter that is not locked a new random number."""
    generator = np.random.default_rng(seed)
    edits: list[Edit] = []
    for parameter in problem.parameters:
        values = generator.normal(0.0, START_DEVIATION, parameter.region.shape)
        kinds = np.full(parameter.region.shape, Kind.NUMBER, np.uint8)
        if not parameter.locked:
            edits.append(SetValues(parameter.sheet, parameter.region, values, kinds))
    return Composite(tuple(edits))


def _made_parameters(document: Document, sheet: int, region: Region) -> None:
    """Give cells that have none the role of parameters, so that they can be locked and rated."""
    roles = document.workbook.sheet(sheet).roles
    rest = [region]
    for role in roles:
        if role.role in TRAINED:
            rest = [part for old in rest for part in old.subtract(role.region)]
    if rest:
        set_role(document, sheet, rest, Role.PARAMETER)


def lock_cells(document: Document, sheet: int, region: Region, locked: bool) -> None:
    """Freeze changing cells or let them go; those without a role become parameters.

    Raises
    ------
    UserError
        If they cannot be parameters.
    """
    _made_parameters(document, sheet, region)
    set_locked(document, sheet, [region], locked)


def spread_rates(
    document: Document, places: Sequence[tuple[int, Region]], low: float, high: float
) -> None:
    """Give ranges rates from `low` to `high` times the learning rate, in equal ratios.

    This is fast.ai's slice(lo, hi) over groups of layers.

    Raises
    ------
    UserError
        If a factor is not above 0, or there are no ranges.
    """
    if not places:
        raise UserError("There are no ranges to give rates to.", "Name the changing cells first.")
    if not (low > 0 and high > 0):
        raise UserError("The factors of slice(lo, hi) are above 0.", "Lock a range to freeze it.")
    for (sheet, region), factor in zip(
        places, np.geomspace(low, high, len(places)) if len(places) > 1 else [high], strict=True
    ):
        _made_parameters(document, sheet, region)
        set_rate(document, sheet, [region], float(f"{factor:.12g}"))
