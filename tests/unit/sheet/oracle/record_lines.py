"""Ask LibreOffice what becomes of formulas when lines move, and write `lines.json`.

A script, not a test: `python record_lines.py`, with `soffice` on the path. gradsheet is not
asked here.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

SEQUENCES, EDITS, FORMULAS = 50, 10, 6
ROWS, COLUMNS = 56, 41
LETTERS = "ABCDEFGHIJKLMNOP"
SHEETS = ("Data", "Other")
Edit = list[str | int]

MACRO = """
Sub MoveLines(sheet, isRow, at, n, target)
  Dim src As New com.sun.star.table.CellRangeAddress
  Dim dst As New com.sun.star.table.CellAddress
  Dim begin
  If isRow Then
    sheet.Rows.insertByIndex(target, n)
  Else
    sheet.Columns.insertByIndex(target, n)
  End If
  begin = at
  If target <= at Then begin = at + n
  src.Sheet = sheet.RangeAddress.Sheet
  dst.Sheet = src.Sheet
  If isRow Then
    src.StartRow = begin : src.EndRow = begin + n - 1 : src.StartColumn = 0 : src.EndColumn = 1023
    dst.Row = target : dst.Column = 0
  Else
    src.StartColumn = begin : src.EndColumn = begin + n - 1
    src.StartRow = 0 : src.EndRow = 1048575
    dst.Column = target : dst.Row = 0
  End If
  sheet.moveRange(dst, src)
  If isRow Then
    sheet.Rows.removeByIndex(begin, n)
  Else
    sheet.Columns.removeByIndex(begin, n)
  End If
End Sub

Sub Main
  Dim args(0) As New com.sun.star.beans.PropertyValue
  Dim doc, sheet, p, txt, s, r, c, cell, i, o, has
  args(0).Name = "Hidden" : args(0).Value = True
  has = False
  i = FreeFile
  Open "%(todo)s" For Input As #i
  o = FreeFile
  Open "%(done)s" For Output As #o
  Do While Not Eof(i)
    Line Input #i, txt
    p = Split(txt, Chr(9))
    If p(0) = "N" Then
      If has Then doc.close(True)
      has = True
      doc = StarDesktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, args())
      doc.Sheets.getByIndex(0).Name = "Data"
      doc.Sheets.insertNewByName("Other", 1)
    ElseIf p(0) = "F" Then
      sheet = doc.Sheets.getByIndex(CInt(p(1)))
      sheet.getCellByPosition(CInt(p(3)), CInt(p(2))).Formula = p(4)
    ElseIf p(0) = "D" Then
      Print #o, "STEP"
      For s = 0 To 1
        sheet = doc.Sheets.getByIndex(s)
        For r = 0 To %(rows)d - 1
          For c = 0 To %(columns)d - 1
            cell = sheet.getCellByPosition(c, r)
            If cell.Type = 3 Then
              Print #o, s & Chr(9) & r & Chr(9) & c & Chr(9) & cell.Formula
            End If
          Next c
        Next r
      Next s
    Else
      sheet = doc.Sheets.getByIndex(CInt(p(1)))
      If p(0) = "InsertRows" Then sheet.Rows.insertByIndex(CLng(p(2)), CLng(p(3)))
      If p(0) = "DeleteRows" Then sheet.Rows.removeByIndex(CLng(p(2)), CLng(p(3)))
      If p(0) = "InsertColumns" Then sheet.Columns.insertByIndex(CLng(p(2)), CLng(p(3)))
      If p(0) = "DeleteColumns" Then sheet.Columns.removeByIndex(CLng(p(2)), CLng(p(3)))
      If p(0) = "MoveRows" Then MoveLines(sheet, True, CLng(p(2)), CLng(p(3)), CLng(p(4)))
      If p(0) = "MoveColumns" Then MoveLines(sheet, False, CLng(p(2)), CLng(p(3)), CLng(p(4)))
    End If
  Loop
  Close #i
  Close #o
  doc.close(True)
End Sub
"""
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE {0} PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "{1}.dtd">\n'
)
_LIBRARY = 'xmlns:library="http://openoffice.org/2000/library" library:name="Standard"'
PROFILE = {
    "{0}.xlc": _HEAD.format("library:libraries", "libraries")
    + '<library:libraries xmlns:library="http://openoffice.org/2000/library"'
    ' xmlns:xlink="http://www.w3.org/1999/xlink"><library:library library:name="Standard"'
    ' xlink:href="$(USER)/basic/Standard/{0}.xlb/" xlink:type="simple" library:link="false"/>'
    "</library:libraries>",
    "Standard/{0}.xlb": _HEAD.format("library:library", "library")
    + f"<library:library {_LIBRARY}"
    ' library:readonly="false" library:passwordprotected="false">{1}</library:library>',
}


# ------------------------------------------------------------------------------- random edits


def _reference(row: int, col: int, dice: random.Random) -> str:
    return f"{dice.choice(['', '$'])}{LETTERS[col]}{dice.choice(['', '$'])}{row + 1}"


def _term(dice: random.Random) -> str:
    sheet = dice.choice(["", "", "", "Data!", "Other!"])
    row, col = dice.randrange(24), dice.randrange(14)
    first = _reference(row, col, dice)
    if dice.random() < 0.4:
        return sheet + first
    last = _reference(
        min(row + dice.randrange(8), 29), min(col + dice.randrange(4), 15), dice
    )
    return f"SUM({sheet}{first}:{last})"


def sequence(seed: int) -> tuple[dict[tuple[int, int, int], str], list[Edit]]:
    """Formulas of two sheets by (sheet, row, column), and edits to be done one after another."""
    dice = random.Random(seed)
    start = {}
    for sheet in (0, 1):
        for _ in range(FORMULAS):
            text = "=" + "+".join(_term(dice) for _ in range(dice.randrange(1, 4)))
            start[sheet, dice.randrange(20), dice.randrange(12)] = text
    edits: list[Edit] = []
    for _ in range(EDITS):
        kind = dice.choice(["Insert", "Delete", "Move"]) + dice.choice(["Rows", "Columns"])
        at, count = dice.randrange(20 if "Rows" in kind else 12), dice.randrange(1, 4)
        edit: Edit = [kind, dice.randrange(2), at, count]
        if kind.startswith("Move"):
            edit.append(dice.choice([to for to in range(22) if not at <= to <= at + count]))
        edits.append(edit)
    return start, edits


# -------------------------------------------------------------------------------- LibreOffice


def ask(todo: list[str]) -> list[dict[str, str]]:
    """Let LibreOffice do it; the formulas after each edit by `Sheet!A1`."""
    soffice = shutil.which("soffice")
    if soffice is None:
        sys.exit("soffice is not on the path")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        office = [soffice, f"-env:UserInstallation=file://{home}/profile", "--headless",
                  "--norestore"]  # fmt: skip
        # The first start fills the profile, and would write over a macro that is there already.
        subprocess.run([*office, "--terminate_after_init"], check=True, timeout=120,
                       capture_output=True)  # fmt: skip
        basic = home / "profile/user/basic"
        (basic / "Standard").mkdir(parents=True, exist_ok=True)
        for kind, parts in (
            ("script", '<library:element library:name="Module1"/>'),
            ("dialog", ""),
        ):
            for name, text in PROFILE.items():
                (basic / name.format(kind)).write_text(text.format(kind, parts))
        places = {"todo": home / "todo.txt", "done": home / "done.txt"}
        code = MACRO % {**places, "rows": ROWS, "columns": COLUMNS}
        module = (
            _HEAD.format("script:module", "module")
            + '<script:module xmlns:script="http://openoffice.org/2000/script"'
            ' script:name="Module1" script:language="StarBasic">'
            f"{escape(code, quote=False)}</script:module>"
        )
        (basic / "Standard/Module1.xba").write_text(module)
        places["todo"].write_text("\n".join(todo) + "\n")
        command = [*office, "macro:///Standard.Module1.Main()"]
        subprocess.run(command, check=True, timeout=900, capture_output=True)
        return _states(places["done"].read_text().splitlines())


def _states(lines: list[str]) -> list[dict[str, str]]:
    states: list[dict[str, str]] = []
    for line in lines:
        if line == "STEP":
            states.append({})
            continue
        sheet, row, col, formula = line.split("\t")
        column = "" if int(col) < 26 else chr(64 + int(col) // 26)
        cell = f"{column}{chr(65 + int(col) % 26)}{int(row) + 1}"
        states[-1][f"{SHEETS[int(sheet)]}!{cell}"] = excel_text(formula)
    return states


_PART = r"\$?(?:[A-Z]{1,3}|#REF!)\$?(?:[0-9]+|#REF!)"
_TOKEN = re.compile(
    rf"(?:\$?(Data|Other)\.)?({_PART})(?::(?:\$?(?:Data|Other)\.)?({_PART}))?"
)


def excel_text(formula: str) -> str:
    """Calc's formula as Excel writes it; a reference that is lost in part is #REF!."""

    def change(match: re.Match[str]) -> str:
        if "#REF!" in match[0]:
            return "#REF!"
        sheet = f"{match[1]}!" if match[1] else ""
        return sheet + match[2] + (f":{match[3]}" if match[3] else "")

    return _TOKEN.sub(change, formula)


def main() -> None:
    todo: list[str] = []
    for seed in range(SEQUENCES):
        start, edits = sequence(seed)
        todo.append("N")
        for (sheet, row, col), text in start.items():
            text = text.replace("Data!", "$Data.").replace("Other!", "$Other.")
            todo.append(f"F\t{sheet}\t{row}\t{col}\t{text}")
        todo.append("D")
        for edit in edits:
            todo += ["\t".join(map(str, edit)), "D"]
    states = ask(todo)
    recorded = [
        {
            "edits": sequence(seed)[1],
            "states": states[seed * (EDITS + 1) : (seed + 1) * (EDITS + 1)],
        }
        for seed in range(SEQUENCES)
    ]
    target = Path(__file__).with_name("lines.json")
    body = ",\n".join(json.dumps(one, separators=(",", ":")) for one in recorded)
    target.write_text(f"[\n{body}\n]\n")
    print(f"{len(states) - SEQUENCES} edits, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
