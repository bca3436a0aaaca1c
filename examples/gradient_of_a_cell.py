"""Type formulas into a workbook and ask for the derivative of one cell by others.

Run: python examples/gradient_of_a_cell.py
"""

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import SetCells
from gradsheet.sheet.workbook import Workbook

workbook = Workbook.with_sheet("line fit")
sheet = workbook.sheets[0]
xs, ys = [1.0, 2.0, 3.0, 4.0], [3.1, 4.9, 7.2, 8.8]

cells = [(Cell.parse("E1"), 1.0), (Cell.parse("E2"), 1.0)]  # slope, intercept
for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
    host = Cell(i, 2)
    cells += [(Cell(i, 0), x), (Cell(i, 1), y)]
    cells += [(host, Formula(parse(f"=(E$1*A{i + 1}+E$2-B{i + 1})^2", host)))]
loss = Cell.parse("C6")
cells += [(loss, Formula(parse("=SUM(C1:C4)", loss)))]
workbook.apply(SetCells(sheet.id, tuple(cells)))

program = compile_program(workbook)
for result in program.recalculate():
    sheet.cells.write(result.region, result.values, result.kinds)
print("loss", sheet.cells.get(loss)[0])

objective = program.objective((sheet.id, loss), [(sheet.id, Region.parse("E1:E2"))])
value, gradient = objective.loss_and_gradient(objective.theta0)
print("d loss / d slope, d loss / d intercept:", [round(float(g), 6) for g in gradient])
