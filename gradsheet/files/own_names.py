"""What gradsheet knows of a sheet and Excel does not, as hidden defined names: roles and labels.

Owns their spelling. A hidden name lives through Excel and LibreOffice, and its reference follows
inserted rows; a part of our own in the package would be dropped by both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import (
    Array,
    Boolean,
    Call,
    Expr,
    Number,
    Range,
    Ref,
    Text,
    region_of,
)
from gradsheet.sheet.names import DefinedName
from gradsheet.sheet.roles import Role, RoleRegion
from gradsheet.sheet.workbook import Sheet

PREFIX = "gradsheet_"
_ROLE = f"{PREFIX}role_"
_LABELS = {"row": f"{PREFIX}row_labels_", "column": f"{PREFIX}column_labels_"}
_LABEL_CHARS = 2_000
"""Of all labels in one name: a formula of Excel ends at 8,192 characters."""
_LONGEST_TEXT = 255
"""Of a text inside a formula, in Excel."""


def own_names(sheet: Sheet) -> Iterator[DefinedName]:
    """The names that keep a sheet's roles and labels: `CHOOSE(1,H2:V16,"data","rating",FALSE)`.

    Labels longer than a formula of Excel can hold are cut.
    """
    for number, role in enumerate(sheet.roles, 1):
        label = Text(role.label[:_LONGEST_TEXT])
        told = (Text(role.role.value), label, Boolean(role.locked))
        expr = Call("CHOOSE", (Number(1.0), area(sheet.name, role.region), *told))
        yield DefinedName(f"{_ROLE}{number}", expr, sheet.id, hidden=True)
    for axis, labels in (("row", sheet.row_labels), ("column", sheet.column_labels)):
        for number, chunk in enumerate(_chunks(labels), 1):
            rows = tuple((Number(float(i)), Text(text)) for i, text in chunk)
            yield DefinedName(f"{_LABELS[axis]}{number}", Array(rows), sheet.id, hidden=True)


def _chunks(labels: Mapping[int, str]) -> Iterator[list[tuple[int, str]]]:
    chunk: list[tuple[int, str]] = []
    size = 0
    for index, text in sorted(labels.items()):
        short = text[:_LONGEST_TEXT]
        if chunk and size + len(short) > _LABEL_CHARS:
            yield chunk
            chunk, size = [], 0
        chunk.append((index, short))
        size += len(short) + 12
    if chunk:
        yield chunk


def is_own(name: DefinedName) -> bool:
    """Whether a name is one of ours."""
    return name.hidden and name.name.startswith(PREFIX)


def restore(sheet: Sheet, names: Iterable[DefinedName]) -> None:
    """Give a sheet the roles and labels that its names keep; what does not fit is left out."""
    roles = []
    for name in names:
        if name.sheet != sheet.id:
            continue
        if name.name.startswith(_ROLE):
            role = _role(name.expr)
            if role is not None:
                roles.append((name.name.removeprefix(_ROLE).rjust(9, "0"), role))
        elif name.name.startswith(_LABELS["row"]):
            sheet.row_labels.update(_labels(name.expr))
        elif name.name.startswith(_LABELS["column"]):
            sheet.column_labels.update(_labels(name.expr))
    sheet.roles = tuple(role for _, role in sorted(roles, key=lambda pair: pair[0]))


def _role(expr: Expr) -> RoleRegion | None:
    match expr:
        case Call("CHOOSE", (Number(_), (Ref() | Range()) as where, Text(kind), Text(label),
                             Boolean(locked))):  # fmt: skip
            region = region_of(where, Cell(0, 0))
            if region is not None and kind in {role.value for role in Role}:
                return RoleRegion(region, Role(kind), label, locked)
    return None


def _labels(expr: Expr) -> dict[int, str]:
    found = {}
    if isinstance(expr, Array):
        for row in expr.rows:
            match row:
                case (Number(index), Text(text)) if 0 <= index < 1 << 20:
                    found[int(index)] = text
    return found


def area(sheet: str | None, region: Region) -> Expr:
    """An absolute reference to a region."""
    first = Ref(sheet, region.top, region.left, True, True)
    if region.size == 1:
        return first
    return Range(first, Ref(None, region.bottom - 1, region.right - 1, True, True))
