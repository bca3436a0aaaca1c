"""The colours of roles in files: a light fill for the cells of each role.

Owns the tints and their way back: what a role explains is no format of the cells. The solid
colours are those of Okabe and Ito, as in the window.
"""

from __future__ import annotations

from dataclasses import replace

from gradsheet.files.colours import tinted
from gradsheet.formula.address import Region
from gradsheet.sheet.formats import FormatRules
from gradsheet.sheet.roles import Role
from gradsheet.sheet.workbook import Sheet

_LIGHTER = 0.7
ROLE_FILLS = {
    role: tinted(solid, _LIGHTER)
    for role, solid in {
        Role.DATA: "#0072B2",
        Role.PREDICTION: "#CC79A7",
        Role.LOSS: "#D55E00",
        Role.ITEM: "#009E73",
        Role.USER: "#E69F00",
        Role.PARAMETER: "#56B4E9",
    }.items()
}
"""`#RRGGBB` by role: the solid colour with 70 % of white."""


def with_role_fills(sheet: Sheet) -> FormatRules:
    """The sheet's formats with the fill of each role where cells have none of their own."""
    rules = sheet.formats
    for role in sheet.roles:
        rules = _refilled(rules, role.region, "", ROLE_FILLS[role.role])
    return rules


def without_role_fills(sheet: Sheet) -> None:
    """Take the fills that the sheet's roles explain out of its formats."""
    for role in reversed(sheet.roles):
        sheet.formats = _refilled(sheet.formats, role.region, ROLE_FILLS[role.role], "")


def _refilled(rules: FormatRules, region: Region, old: str, new: str) -> FormatRules:
    """Rules with one fill replaced by another inside a region."""
    palette = rules.palette
    added: list[tuple[Region, int]] = []
    if not old:
        added.append((region, palette.id_of(replace(palette.format(0), fill=new))))
    for where, format_id in rules.rules:
        part = where.intersect(region)
        if part is not None:
            look = palette.format(format_id)
            look = replace(look, fill=new) if look.fill == old else look
            added.append((part, palette.id_of(look)))
    kept = tuple(rule for rule in rules.rules if not region.contains(rule[0]))
    if old and not any(palette.format(i).fill == old for _, i in rules.rules):
        return rules
    return FormatRules(palette, (*kept, *added))
