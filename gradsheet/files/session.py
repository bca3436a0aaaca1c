"""The session file `.gradsheet`: a workbook, its problem and its runs, to go on where one left.

A zip of a manifest and workbooks as JSON and of all arrays as safetensors; nothing in it is
ever run. The same session always makes the same bytes. Owns the layout of the file; its versions
are `session_versions`'. Knows no window and no trainer.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays

from gradsheet.files.atomic import DRAFT, write_atomically
from gradsheet.files.records import decode, encode
from gradsheet.files.session_parts import Part, PartFiles, read_parts
from gradsheet.files.session_versions import VERSION, migrated
from gradsheet.files.tensor_file import save_arrays
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Problem
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.formats import FormatRules
from gradsheet.sheet.names import DefinedName
from gradsheet.sheet.workbook import Sheet, SheetFacts, Workbook

SUFFIX = ".gradsheet"
MOST_BYTES = 2 << 30
"""What a session may unpack to; more is taken for a damaged or hostile file."""

COPY_BYTES = 1 << 20
LARGE = 1 << 30
"""Bytes of an entry from which on its sizes take 64 bits."""

Arrays = dict[str, npt.NDArray[Any]]
_DAMAGE = (
    KeyError, TypeError, ValueError, IndexError, AttributeError, OSError, SafetensorError
)  # fmt: skip

TIMESTAMP = (1980, 1, 1, 0, 0, 0)
"""Of every entry in the zip, so that the same session makes the same bytes; zipfile's own."""


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
        Optimizer state, loss traces, keyframes, start values, ratings.
    books : tuple of Workbook
        Other states of the workbook, from which parts of a run were made.
    parts : tuple of Part
        Arrays that do not change while it is open; those of an autosave lie beside it.
    """

    workbook: Workbook
    problem: Problem | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    books: tuple[Workbook, ...] = ()
    parts: tuple[Part, ...] = ()


def save_session(session: Session, path: Path, beside: PartFiles | None = None) -> None:
    """Write a session; the file holds either its old bytes or all of the new ones.

    Its parts go into the file, or into files `beside` it, where those have not got them yet.

    Raises
    ------
    UserError
        If the folder is missing, read-only or full.
    """
    arrays: Arrays = {f"run/{name}": np.asarray(a) for name, a in session.arrays.items()}
    parts = {"workbook.json": _workbook_out(session.workbook, arrays, "")}
    for number, book in enumerate(session.books):
        parts[f"book{number}.json"] = _workbook_out(book, arrays, f"book{number}/")
    manifest = {
        "format": "gradsheet session",
        "version": VERSION,
        "problem": encode(session.problem),
        "facts": dict(session.facts),
        "books": len(session.books),
    }
    names: list[str] = []
    if session.parts and beside is not None:
        names = beside.write(session.parts)
        manifest["parts"] = names
    elif session.parts:
        manifest["parts"] = len(session.parts)
        for number, part in enumerate(session.parts):
            arrays |= {f"part{number}/{name}": array for name, array in part.arrays.items()}
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}

    def write(draft: Path) -> None:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
            _put(package, "manifest.json", json.dumps(manifest, indent=1))
            for name, part in parts.items():
                _put(package, name, json.dumps(part))
            _put_arrays(package, whole, draft.with_name(f"{draft.stem}.arrays{DRAFT}"))

    write_atomically(path, write)
    if beside is not None:
        beside.keep_only(names)


def _put(package: zipfile.ZipFile, name: str, content: str) -> None:
    entry = zipfile.ZipInfo(name, TIMESTAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    package.writestr(entry, content, compresslevel=1)


def _put_arrays(package: zipfile.ZipFile, arrays: Arrays, beside: Path) -> None:
    """Write the arrays by way of a file beside the draft: as bytes they would be held twice."""
    try:
        save_arrays(arrays, beside)
        is_large = beside.stat().st_size > LARGE
        with (
            beside.open("rb") as source,
            package.open("arrays.safetensors", "w", force_zip64=is_large) as target,
        ):
            shutil.copyfileobj(source, target, COPY_BYTES)
    finally:
        beside.unlink(missing_ok=True)


def load_session(path: Path) -> Session:
    """Read a session, also one of an older version.

    Raises
    ------
    UserError
        If the file cannot be read, is no session, is damaged or from a newer gradsheet.
    """
    try:
        manifest, parts, arrays = _unpack(path)
    except OSError as fault:
        raise UserError(
            f"{path.name} could not be read: {fault.strerror or fault}.", "Check the path."
        ) from fault
    except UserError:
        raise
    except Exception as fault:  # whatever a damaged zip, JSON or tensor file raises
        raise _damaged(path, type(fault).__name__) from fault
    if manifest.get("format") != "gradsheet session":
        raise UserError(f"{path.name} is no gradsheet session.", "Choose a .gradsheet file.")
    if not 1 <= int(manifest.get("version", 0)) <= VERSION:
        raise UserError(
            f"{path.name} is of version {manifest.get('version')}, newer than this gradsheet.",
            "Install a newer gradsheet.",
        )
    try:
        manifest, arrays = migrated(manifest, arrays)
        workbook = _workbook_in(parts["workbook.json"], arrays, "")
        books = tuple(
            _workbook_in(parts[f"book{number}.json"], arrays, f"book{number}/")
            for number in range(int(manifest["books"]))
        )
        problem = decode(manifest["problem"])
        facts = dict(manifest["facts"])
        kept = _parts_in(path, manifest.get("parts", 0), arrays)
    except _DAMAGE as fault:
        raise _damaged(path, f"{type(fault).__name__} in its contents") from fault
    return Session(workbook, problem, facts, _within(arrays, "run/"), books, kept)


def _parts_in(path: Path, told: Any, arrays: Arrays) -> tuple[Part, ...]:
    """Return the parts of a session, from the file itself or from those beside it."""
    if isinstance(told, int):
        return tuple(Part(_within(arrays, f"part{number}/")) for number in range(told))
    return read_parts(path, told)


def _within(arrays: Arrays, at: str) -> Arrays:
    return {name.removeprefix(at): array for name, array in arrays.items() if name.startswith(at)}


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        f"{path.name} is damaged: {why}.", "Open an autosave or an older copy of it."
    )


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
        parts = {
            name: json.loads(package.read(name)) for name in names if name.endswith(".json")
        }
        manifest = parts.pop("manifest.json")
        return manifest, parts, load_arrays(package.read("arrays.safetensors"))


# ------------------------------------------------------------------ the workbook


def _workbook_out(workbook: Workbook, arrays: Arrays, at: str) -> dict[str, Any]:
    strings = [workbook.strings.text(i) for i in range(len(workbook.strings))]
    return {
        "strings": strings,
        "date_1904": workbook.date_1904,
        "names": [
            [name.name, unparse(name.expr, Cell(0, 0)), name.sheet, name.hidden]
            for name in workbook.names
        ],
        "tables": encode(workbook.tables),
        "sheets": [_sheet_out(sheet, arrays, at) for sheet in workbook.sheets],
    }


def _sheet_out(sheet: Sheet, arrays: Arrays, at: str) -> dict[str, Any]:
    regions = []
    for number, (region, values, kinds) in enumerate(sheet.cells.contents(sheet.cells.used())):
        arrays[f"{at}sheet{sheet.id}/{number}/values"] = values
        arrays[f"{at}sheet{sheet.id}/{number}/kinds"] = kinds
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


def _workbook_in(book: dict[str, Any], arrays: Arrays, at: str) -> Workbook:
    workbook = Workbook()
    for text in book["strings"]:
        workbook.strings.id_of(text)
    workbook.date_1904 = bool(book["date_1904"])
    highest = 0
    for entry in book["sheets"]:
        sheet = Sheet(int(entry["id"]), str(entry["name"]), workbook.palette)
        workbook.sheets.append(sheet)
        _sheet_in(sheet, entry, arrays, at)
        highest = max(highest, sheet.id)
    workbook.reserve_ids(highest)
    workbook.names = tuple(
        DefinedName(name, parse(text, Cell(0, 0)), sheet, hidden)
        for name, text, sheet, hidden in book["names"]
    )
    workbook.tables = decode(book["tables"])
    return workbook


def _sheet_in(sheet: Sheet, entry: dict[str, Any], arrays: Arrays, at: str) -> None:
    for number, encoded in enumerate(entry["regions"]):
        region: Region = decode(encoded)
        values = arrays[f"{at}sheet{sheet.id}/{number}/values"]
        sheet.cells.write(region, values, arrays[f"{at}sheet{sheet.id}/{number}/kinds"])
    for text, array, dynamic, cells in entry["formulas"]:
        first = Cell(*cells[0])
        formula = Formula(parse(text, first), decode(array), bool(dynamic))
        for cell in cells:
            sheet.cells.set_formula(Cell(*cell), formula)
    palette = sheet.formats.palette
    rules = tuple((decode(r), palette.id_of(decode(look))) for r, look in entry["formats"])
    facts = {name: decode(value) for name, value in entry["facts"].items()}
    sheet.put_facts(SheetFacts(formats=FormatRules(palette, rules), **facts))
