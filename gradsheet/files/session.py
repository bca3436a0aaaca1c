"""The session file `.gradsheet`: a workbook, its problem and its run, to go on where one left.

A zip of a manifest and the workbook as JSON and of all arrays as safetensors; nothing in it is
ever run. Owns the layout of the file and its versions. Knows no window and no trainer.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from gradsheet.files.atomic import write_atomically
from gradsheet.files.records import decode, encode
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Problem
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.formats import FormatRules
from gradsheet.sheet.names import DefinedName
from gradsheet.sheet.workbook import Sheet, SheetFacts, Workbook

SUFFIX = ".gradsheet"
VERSION = 1
MOST_BYTES = 2 << 30
"""What a session may unpack to; more is taken for a damaged or hostile file."""

Arrays = dict[str, npt.NDArray[Any]]

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""By version: makes a manifest of that version into one of the next."""


@dataclass(frozen=True, slots=True)
class Session:
    """What is open, as a file keeps it.

    Attributes
    ----------
    workbook : Workbook
    problem : Problem or None
    facts : mapping of str to JSON values
        What the application wants to find again: lesson, seed, optimizer, rates, step, names.
    arrays : mapping of str to ndarray
        Optimizer state, loss trace, start values, ratings.
    """

    workbook: Workbook
    problem: Problem | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


def save_session(session: Session, path: Path) -> None:
    """Write a session; the file holds either its old bytes or all of the new ones.

    Raises
    ------
    UserError
        If the folder is missing, read-only or full.
    """
    arrays: Arrays = {f"run/{name}": np.asarray(a) for name, a in session.arrays.items()}
    book = _workbook_out(session.workbook, arrays)
    manifest = {
        "format": "gradsheet session",
        "version": VERSION,
        "problem": encode(session.problem),
        "facts": dict(session.facts),
    }
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}

    def write(draft: Path) -> None:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
            package.writestr("manifest.json", json.dumps(manifest, indent=1))
            package.writestr("workbook.json", json.dumps(book))
            package.writestr("arrays.safetensors", save_arrays(whole))

    write_atomically(path, write)


def load_session(path: Path) -> Session:
    """Read a session, also one of an older version.

    Raises
    ------
    UserError
        If the file cannot be read, is no session, is damaged or from a newer gradsheet.
    """
    try:
        manifest, book, arrays = _unpack(path)
    except OSError as fault:
        raise UserError(
            f"{path.name} could not be read: {fault.strerror or fault}.", "Check the path."
        ) from fault
    except UserError:
        raise
    except Exception as fault:  # whatever a damaged zip, JSON or tensor file raises
        raise UserError(
            f"{path.name} is damaged: {type(fault).__name__}.",
            "Open an autosave or an older copy of it.",
        ) from fault
    while manifest.get("version") in MIGRATIONS:
        manifest = MIGRATIONS[manifest["version"]](manifest)
    if manifest.get("format") != "gradsheet session":
        raise UserError(f"{path.name} is no gradsheet session.", "Choose a .gradsheet file.")
    if manifest.get("version") != VERSION:
        raise UserError(
            f"{path.name} is of version {manifest.get('version')}, newer than this gradsheet.",
            "Install a newer gradsheet.",
        )
    try:
        workbook = _workbook_in(book, arrays)
        problem = decode(manifest["problem"])
        facts = dict(manifest["facts"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as fault:
        raise UserError(
            f"{path.name} is damaged: {type(fault).__name__} in its contents.",
            "Open an autosave or an older copy of it.",
        ) from fault
    run = {name.removeprefix("run/"): a for name, a in arrays.items() if name.startswith("run/")}
    return Session(workbook, problem, facts, run)


def _unpack(path: Path) -> tuple[dict[str, Any], dict[str, Any], Arrays]:
    with zipfile.ZipFile(path) as package:
        if sum(entry.file_size for entry in package.infolist()) > MOST_BYTES:
            raise UserError(
                f"{path.name} would unpack to more than {MOST_BYTES >> 30} GiB.",
                "It is damaged or not a session.",
            )
        names = set(package.namelist())
        if not {"manifest.json", "workbook.json", "arrays.safetensors"} <= names:
            raise UserError(f"{path.name} is no gradsheet session.", "Choose a .gradsheet file.")
        manifest = json.loads(package.read("manifest.json"))
        book = json.loads(package.read("workbook.json"))
        return manifest, book, load_arrays(package.read("arrays.safetensors"))


# ------------------------------------------------------------------ the workbook


def _workbook_out(workbook: Workbook, arrays: Arrays) -> dict[str, Any]:
    strings = [workbook.strings.text(i) for i in range(len(workbook.strings))]
    return {
        "strings": strings,
        "date_1904": workbook.date_1904,
        "names": [
            [name.name, unparse(name.expr, Cell(0, 0)), name.sheet, name.hidden]
            for name in workbook.names
        ],
        "tables": encode(workbook.tables),
        "sheets": [_sheet_out(sheet, arrays) for sheet in workbook.sheets],
    }


def _sheet_out(sheet: Sheet, arrays: Arrays) -> dict[str, Any]:
    regions = []
    for number, (region, values, kinds) in enumerate(sheet.cells.contents(sheet.cells.used())):
        arrays[f"sheet{sheet.id}/{number}/values"] = values
        arrays[f"sheet{sheet.id}/{number}/kinds"] = kinds
        regions.append(encode(region))
    facts = sheet.facts()
    rules = facts.formats
    entries = {
        name: encode(getattr(facts, name))
        for name in SheetFacts.__dataclass_fields__
        if name != "formats"
    }
    looks = [[encode(r), encode(rules.palette.format(i))] for r, i in rules.rules]
    return {
        "id": sheet.id,
        "name": sheet.name,
        "regions": regions,
        "formulas": _formulas_out(sheet),
        "formats": looks,
        "facts": entries,
    }


def _formulas_out(sheet: Sheet) -> list[list[Any]]:
    """Return each distinct formula once: its text at its first cell, then all its cells."""
    groups: dict[Formula, list[Cell]] = {}
    for cell, formula in sorted(sheet.cells.formulas().items()):
        groups.setdefault(formula, []).append(cell)
    return [
        [
            unparse(formula.expr, cells[0]),
            encode(formula.array),
            formula.dynamic,
            [list(cell) for cell in cells],
        ]
        for formula, cells in groups.items()
    ]


def _workbook_in(book: dict[str, Any], arrays: Arrays) -> Workbook:
    workbook = Workbook()
    for text in book["strings"]:
        workbook.strings.id_of(text)
    workbook.date_1904 = bool(book["date_1904"])
    highest = 0
    for entry in book["sheets"]:
        sheet = Sheet(int(entry["id"]), str(entry["name"]), workbook.palette)
        workbook.sheets.append(sheet)
        _sheet_in(sheet, entry, arrays)
        highest = max(highest, sheet.id)
    workbook.reserve_ids(highest)
    workbook.names = tuple(
        DefinedName(name, parse(text, Cell(0, 0)), sheet, hidden)
        for name, text, sheet, hidden in book["names"]
    )
    workbook.tables = decode(book["tables"])
    return workbook


def _sheet_in(sheet: Sheet, entry: dict[str, Any], arrays: Arrays) -> None:
    for number, encoded in enumerate(entry["regions"]):
        region: Region = decode(encoded)
        values = arrays[f"sheet{sheet.id}/{number}/values"]
        sheet.cells.write(region, values, arrays[f"sheet{sheet.id}/{number}/kinds"])
    for text, array, dynamic, cells in entry["formulas"]:
        first = Cell(*cells[0])
        formula = Formula(parse(text, first), decode(array), bool(dynamic))
        for cell in cells:
            sheet.cells.set_formula(Cell(*cell), formula)
    palette = sheet.formats.palette
    rules = tuple((decode(r), palette.id_of(decode(look))) for r, look in entry["formats"])
    facts = {name: decode(value) for name, value in entry["facts"].items()}
    sheet.put_facts(SheetFacts(formats=FormatRules(palette, rules), **facts))
