"""Ask other spreadsheet engines for every conformance case and print where they disagree.

A script, not a test: `python oracle.py [topic ...]` from an environment with `ironcalc`,
`formulon` and `openpyxl`, and LibreOffice's `soffice` on the path (each may be absent).
`--sources` rewrites the column `source` of the tables by what the engines say, `--all` also
prints the cases in which everybody agrees. Knows the engines; gradsheet is not asked here.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cases as tables
from cases import Case, Error, Grid, Value

FORMULON_ERRORS = (
    "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA",
    "#SPILL!", "#CALC!",
)  # fmt: skip
PREFIXED = re.compile(
    r"(?<![A-Za-z0-9_.])(?=(?:IFS|SWITCH|CONCAT|TEXTJOIN|MINIFS|MAXIFS|IFNA|XOR|MUNIT|SEQUENCE|"
    r"RANDARRAY|XMATCH|XLOOKUP|LET|FILTER|SORT|SORTBY|UNIQUE|UNICHAR|UNICODE|NUMBERVALUE|DAYS|"
    r"SEC|CSC|COT|ACOT|BITAND|BITOR|BITXOR|ARABIC|BASE|DECIMAL|COMBINA|PERMUTATIONA|SHEET|SHEETS|"
    r"FORMULATEXT|ISOWEEKNUM|VSTACK|HSTACK|TOCOL|TOROW|TAKE|DROP|CHOOSECOLS|CHOOSEROWS|EXPAND|"
    r"WRAPROWS|WRAPCOLS|TEXTBEFORE|TEXTAFTER|TEXTSPLIT|GAMMA|GAUSS|PHI|"
    r"(?:[A-Z]+\.)+(?:DIST|INV|EXC|INC|EQ|AVG|MATH|PRECISE|P|S|SNGL|MULT|RT|2T))\()"
)


def prefixed(formula: str) -> str:
    """The formula as a file holds it, with `_xlfn.` before functions younger than Excel 2007."""
    parts = formula.split('"')
    parts[::2] = [PREFIXED.sub("_xlfn.", part) for part in parts[::2]]
    return '"'.join(parts)


def write_xlsx(cases: list[Case], path: Path, *, dynamic_as_array: bool) -> None:
    """One sheet a case; a dynamic formula becomes an array formula over the expected block."""
    import openpyxl
    from openpyxl.worksheet.formula import ArrayFormula
    from openpyxl.worksheet.table import Table

    book = openpyxl.Workbook()
    book.remove(book.active)
    for case in cases:
        name = sheet_of(case)
        sheet = book.create_sheet(name)
        for cell in case.cells:
            if cell.sheet and cell.sheet not in book.sheetnames:
                book.create_sheet(cell.sheet)
            target = (book[cell.sheet] if cell.sheet else sheet).cell(cell.row + 1, cell.col + 1)
            if isinstance(cell.value, str) and not cell.is_formula:
                target.value = str(cell.value)
                target.data_type = "e" if isinstance(cell.value, Error) else "s"
            else:
                target.value = prefixed(cell.value) if cell.is_formula else cell.value
        for entry in case.names:
            scope = book if entry.is_global else sheet
            text = tables.qualified(entry.text, name)
            scope.defined_names[entry.name] = openpyxl.workbook.defined_name.DefinedName(
                entry.name, attr_text=text
            )
        for table in case.tables:
            made = Table(displayName=table.name, ref=str(table.area))
            made.totalsRowCount = 1 if table.totals else 0
            sheet.add_table(made)
        formula = prefixed(case.formula)
        host = sheet.cell(case.area.top + 1, case.area.left + 1)
        if case.mode == "plain" or (case.mode == "dynamic" and not dynamic_as_array):
            host.value = formula
        else:
            host.value = ArrayFormula(str(case.area), formula)
    book.save(path)


def sheet_of(case: Case) -> str:
    """Name of the sheet that holds a case."""
    return case.id


def shape(case: Case) -> tuple[range, range]:
    """Rows and columns of the block to compare."""
    return (
        range(case.area.top, case.area.top + len(case.expected)),
        range(case.area.left, case.area.left + len(case.expected[0])),
    )


def ask_ironcalc(case: Case) -> Grid:
    """IronCalc's values."""
    import ironcalc

    if case.mode == "dynamic" and not case.tables:
        model = ironcalc.create("book")
        model.rename_sheet(0, sheet_of(case))
        indexes = {"": 0}
        for cell in case.cells:
            if cell.sheet not in indexes:
                indexes[cell.sheet] = len(indexes)
                model.add_sheet(cell.sheet)
            where = indexes[cell.sheet], cell.row + 1, cell.col + 1
            if isinstance(cell.value, str) and not cell.is_formula:
                if isinstance(cell.value, Error):
                    model.set_user_input(*where, str(cell.value))
                else:
                    model.update_cell_with_text(*where, cell.value)
            elif isinstance(cell.value, bool):
                model.update_cell_with_bool(*where, cell.value)
            elif cell.is_formula:
                model.set_user_input(*where, cell.value)
            else:
                model.update_cell_with_number(*where, cell.value)
        for entry in case.names:
            text = tables.qualified(entry.text, sheet_of(case))
            model.new_defined_name(entry.name, None if entry.is_global else 0, text)
        model.set_user_input(0, case.area.top + 1, case.area.left + 1, case.formula)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "case.xlsx"
            write_xlsx([case], path, dynamic_as_array=True)
            model = ironcalc.load_from_xlsx(str(path))
    model.evaluate()
    sheet = [p["name"] for p in model.get_worksheets_properties()].index(sheet_of(case))
    rows, cols = shape(case)

    def value(r: int, c: int) -> Value:
        got = model.get_cell_value(sheet, r + 1, c + 1)
        is_error = model.get_cell_type(sheet, r + 1, c + 1) == ironcalc.CellType.ErrorValue
        return Error(got) if is_error else got

    if any(model.get_cell_value(sheet, r + 1, c + 1) not in (None, "") for r, c in case.beyond):
        return ((Error(tables.SPILLS_BEYOND),),)
    return tuple(tuple(value(r, c) for c in cols) for r in rows)


def ask_formulon(case: Case) -> Grid:
    """Formulon's values."""
    import formulon

    if case.mode == "dynamic":
        book = formulon.Workbook.create_default()
        book.rename_sheet(0, sheet_of(case))
        indexes = {"": 0}
        for cell in case.cells:
            if cell.sheet not in indexes:
                indexes[cell.sheet] = len(indexes)
                book.add_sheet(cell.sheet)
            where = indexes[cell.sheet], cell.row, cell.col
            if cell.is_formula:
                book.set_formula(*where, cell.value)
            elif isinstance(cell.value, Error):
                book.set_error(*where, FORMULON_ERRORS.index(cell.value))
            elif isinstance(cell.value, str):
                book.set_text(*where, cell.value)
            elif isinstance(cell.value, bool):
                book.set_bool(*where, cell.value)
            else:
                book.set_number(*where, cell.value)
        for entry in case.names:
            text = tables.qualified(entry.text, sheet_of(case))
            if len(tables.split(text, ",")) > 1:
                text = f"({text})"
            if entry.is_global:
                book.set_defined_name(entry.name, "=" + text)
            else:
                book.set_defined_name_scoped(entry.name, "=" + text, 0)
        for table in case.tables:
            at = {(c.row, c.col): str(c.value) for c in case.cells if not c.sheet}
            row = table.area.top
            heads = [at[row, c] for c in range(table.area.left, table.area.right + 1)]
            book.table_create(
                0, str(table.area), table.name, table.name, heads, totals_row=table.totals
            )
        book.set_formula(0, case.area.top, case.area.left, case.formula)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "case.xlsx"
            write_xlsx([case], path, dynamic_as_array=False)
            book = formulon.Workbook.load(path.read_bytes())
    with book:
        book.recalc()
        sheet = [book.sheet_name(i) for i in range(book.sheet_count())].index(sheet_of(case))
        rows, cols = shape(case)

        def value(r: int, c: int) -> Value:
            got = book.get_value(sheet, r, c)
            if got.error_code is not None:
                return Error(FORMULON_ERRORS[got.error_code])
            return got.to_python()

        if any(value(r, c) is not None for r, c in case.beyond):
            return ((Error(tables.SPILLS_BEYOND),),)
        return tuple(tuple(value(r, c) for c in cols) for r in rows)


def ask_libreoffice(wanted: list[Case]) -> dict[str, Grid]:
    """LibreOffice's values of many cases, in one run."""
    import openpyxl

    answers: dict[str, Grid] = {}
    groups: dict[str, list[Case]] = {}
    for case in wanted:
        groups.setdefault(case.id if case.needs_own_workbook else case.topic, []).append(case)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, members in groups.items():
            paths.append(Path(folder) / f"{name}.xlsx")
            write_xlsx(members, paths[-1], dynamic_as_array=True)
        out = Path(folder) / "out"
        command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile",
                   "--convert-to", "xlsx", "--outdir", str(out), *map(str, paths)]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=550)
        for name, members in groups.items():
            path = out / f"{name}.xlsx"
            if not path.exists():
                print(f"LibreOffice did not write {name}", file=sys.stderr)
                continue
            book = openpyxl.load_workbook(path, data_only=True)
            for case in members:
                sheet = book[sheet_of(case)]
                rows, cols = shape(case)

                def value(r: int, c: int, sheet: object = sheet) -> Value:
                    cell = sheet.cell(r + 1, c + 1)  # type: ignore[attr-defined]
                    if cell.data_type == "e":
                        return Error(cell.value)
                    if hasattr(cell.value, "year") or hasattr(cell.value, "hour"):
                        from openpyxl.utils.datetime import to_excel

                        return float(to_excel(cell.value))
                    return "" if cell.value is None else cell.value

                answers[case.id] = tuple(tuple(value(r, c) for c in cols) for r in rows)
    return answers


def ask_everybody(wanted: list[Case]) -> dict[str, dict[str, Grid]]:
    """Answers by case id and engine; an engine that fails on a case has none."""
    answers: dict[str, dict[str, Grid]] = {case.id: {} for case in wanted}
    for engine, ask in (("formulon", ask_formulon), ("ironcalc", ask_ironcalc)):
        if importlib.util.find_spec(engine) is None:
            print(f"{engine} is not installed", file=sys.stderr)
            continue
        for case in wanted:
            try:
                answers[case.id][engine] = ask(case)
            except Exception as error:  # a panic in Rust is a BaseException, and ends the script
                answers[case.id][engine] = ((Error(f"! {type(error).__name__}"),),)
                if os.environ.get("ORACLE_DEBUG"):
                    print(case.id, engine, error, file=sys.stderr)
    if shutil.which("soffice"):
        for case_id, grid in ask_libreoffice(wanted).items():
            answers[case_id]["lo"] = grid
    else:
        print("soffice is not on the path", file=sys.stderr)
    return answers


def agreeing(case: Case, answers: dict[str, Grid]) -> list[str]:
    """The engines that give what is expected."""
    return [
        engine
        for engine, got in answers.items()
        if tables.same_grid(_with_booleans(got, case) if engine == "lo" else got, case.expected)
    ]


def _with_booleans(got: Grid, case: Case) -> Grid:
    """LibreOffice's values with 0 and 1 as booleans where one is expected: it has no such type."""
    if len(got) != len(case.expected) or len(got[0]) != len(case.expected[0]):
        return got
    return tuple(
        tuple(
            bool(value) if isinstance(wanted, bool) and value in (0, 1) else value
            for value, wanted in zip(values, wanteds, strict=True)
        )
        for values, wanteds in zip(got, case.expected, strict=True)
    )


def rewrite_sources(topic: str, answers: dict[str, dict[str, Grid]]) -> None:
    """Fill the column `source` of one table."""
    path = tables.FOLDER / f"{topic}.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    for at, line in enumerate(lines[1:], start=1):
        fields = line.split("\t")
        if fields[0] in answers:
            case = tables.read_case(topic, fields)
            engines = agreeing(case, answers[case.id])
            words = [] if len(engines) > 1 and not case.note else ["excel-doc"]
            if engines:
                words.append(("engines:" if len(engines) > 1 else "engine:") + "+".join(engines))
            lines[at] = "\t".join([*fields[:4], " ".join(words), *fields[5:]])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topics", nargs="*", help="tables to run, all by default")
    parser.add_argument("--sources", action="store_true", help="rewrite the column `source`")
    parser.add_argument("--all", action="store_true", help="print agreement too")
    options = parser.parse_args()
    chosen = options.topics or tables.topics()
    wanted = [case for topic in chosen for case in tables.load(topic)]
    answers = ask_everybody(wanted)
    disputed = unsupported = 0
    for case in wanted:
        engines = agreeing(case, answers[case.id])
        unsupported += len(engines) < 2 and not case.note
        if len(engines) < len(answers[case.id]) or options.all:
            disputed += 1
            print(f"{case.id}  {case.formula}  expected {case.shown_expected}  [{case.note}]")
            for engine, got in answers[case.id].items():
                if engine not in engines:
                    print(f"    {engine}: {tables.show_grid(got)}")
    if options.sources:
        for topic in chosen:
            rewrite_sources(topic, answers)
    print(f"{len(wanted)} cases, {disputed} disputed, {unsupported} with fewer than two engines "
          "and no note")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
