"""The session file: what is saved comes back to the last bit; bad files are refused by name."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradsheet.files.session import Session, load_session, save_session
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import ErrorCode, UserError
from gradsheet.lessons import catalogue
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import (
    AddSheet,
    DefineName,
    FormatChange,
    ResizeColumns,
    SetCells,
    SetFormat,
    SetNote,
)
from gradsheet.sheet.workbook import Workbook


def facts_of(workbook: Workbook) -> list[Any]:
    """Return everything that a workbook holds, comparable."""
    found: list[Any] = [workbook.names, workbook.tables, workbook.date_1904]
    for sheet in workbook.sheets:
        store = sheet.cells
        values, kinds = store.read(store.used())
        texts = [workbook.strings.text(int(v)) for v in values[kinds == 2]]
        facts = sheet.facts()
        looks = [(region, facts.formats.palette.format(i)) for region, i in facts.formats.rules]
        others = [getattr(facts, n) for n in facts.__dataclass_fields__ if n != "formats"]
        numbers = np.where(kinds == 2, 0.0, values).tobytes()
        formulas = sorted((c, repr(f)) for c, f in store.formulas().items())
        found += [sheet.id, sheet.name, numbers, kinds.tobytes(), texts, formulas, looks, others]
    return found


def through_a_file(session: Session, folder: Path) -> Session:
    path = folder / "book.gradsheet"
    save_session(session, path)
    return load_session(path)


@pytest.mark.parametrize("lesson", ["dotprod", "bias"])
def test_a_lesson_comes_back_as_it_was(lesson: str, tmp_path: Path) -> None:
    book = catalogue.find(lesson).build(3, None)
    arrays = {"trace/losses": np.array([3.0, np.nan, 1e-300]), "empty": np.empty(0)}
    session = Session(book.workbook, book.problem, {"step": 12, "lr": 0.1}, arrays)
    back = through_a_file(session, tmp_path)
    assert facts_of(back.workbook) == facts_of(book.workbook)
    assert back.problem == book.problem
    assert back.facts == {"step": 12, "lr": 0.1}
    assert back.arrays["trace/losses"].tobytes() == arrays["trace/losses"].tobytes()
    assert back.arrays["empty"].shape == (0,)


CONTENTS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20).filter(lambda text: "\0" not in text),
    st.booleans(),
    st.sampled_from([ErrorCode.NA, ErrorCode.DIV0]),
    st.sampled_from(["=A1+1", "=SUM($A$1:B2)*2", '="a"&A1', "=IF(A1>0,1,#N/A)"]).map(
        lambda text: Formula(parse(text, Cell(5, 5)))
    ),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cells=st.dictionaries(
        st.tuples(st.integers(6, 300), st.integers(6, 90)), CONTENTS, max_size=25
    ),
    width=st.integers(20, 300),
)
def test_any_workbook_comes_back_as_it_was(
    cells: dict[tuple[int, int], Any], width: int, tmp_path: Path
) -> None:
    workbook = Workbook.with_sheet("first one")
    workbook.apply(AddSheet("it's 2"))
    first, second = workbook.sheets
    entries = tuple((Cell(*at), content) for at, content in cells.items())
    workbook.apply(SetCells(second.id, entries))
    workbook.apply(SetFormat(first.id, Region(0, 0, 5, 5), FormatChange(number="0.00", bold=True)))
    workbook.apply(ResizeColumns(second.id, ((3, width),)))
    workbook.apply(SetNote(first.id, Cell(1, 1), "look\nhere"))
    workbook.apply(DefineName("rate", parse("='first one'!$A$1*2", Cell(0, 0))))
    back = through_a_file(Session(workbook, None), tmp_path)
    assert facts_of(back.workbook) == facts_of(workbook)
    once_more = through_a_file(back, tmp_path)
    assert facts_of(once_more.workbook) == facts_of(workbook)
    assert back.workbook.make_sheet("new").id not in (first.id, second.id)


def test_saving_over_a_file_never_leaves_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = catalogue.find("dotprod").build(0, None)
    path = tmp_path / "book.gradsheet"
    save_session(Session(book.workbook, book.problem), path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        save_session(Session(book.workbook, book.problem, {"step": 5}), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_damaged_files_are_refused_by_name(tmp_path: Path) -> None:
    book = catalogue.find("dotprod").build(0, None)
    path = tmp_path / "book.gradsheet"
    save_session(Session(book.workbook, book.problem), path)
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(150):
        data = bytearray(whole)
        if generator.random() < 0.5:
            del data[int(generator.integers(len(data))) :]
        else:
            for at in generator.integers(len(data), size=5):
                data[at] ^= int(generator.integers(1, 256))
        path.write_bytes(bytes(data))
        try:
            load_session(path)
        except UserError as error:
            assert path.name in error.text or "session" in error.text  # noqa: PT017


def test_a_newer_version_and_another_zip_are_refused(tmp_path: Path) -> None:
    book = catalogue.find("dotprod").build(0, None)
    path = tmp_path / "book.gradsheet"
    save_session(Session(book.workbook, book.problem), path)
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    manifest = json.loads(parts["manifest.json"])
    parts["manifest.json"] = json.dumps({**manifest, "version": 99}).encode()
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)
    with pytest.raises(UserError, match="newer than this"):
        load_session(path)
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("other.txt", "hello")
    with pytest.raises(UserError, match="no gradsheet session"):
        load_session(path)
    with pytest.raises(UserError, match=r"gone\.gradsheet"):
        load_session(tmp_path / "gone.gradsheet")
