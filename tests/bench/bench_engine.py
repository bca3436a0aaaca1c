"""How fast the engine is: ratios to hand-written torch, recalculation, reading, compilation.

Run `python tests/bench/bench_engine.py [--write docs/engine.md]`; prints one table of all that
the engine has to hold. Ratios compare medians of one run, taken by turns. One thread, so that
what else the machine does falls on both sides alike.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from gradsheet.files.xlsx_read import read_xlsx
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula import devices
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.learn.optimizers import make_optimizer
from gradsheet.learn.trainer import Trainer
from gradsheet.learn.trajectory import Recording
from gradsheet.lessons import bias
from gradsheet.lessons.ratings_sheet import Layout
from gradsheet.tasks import Control

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "formula"))

from bench_xlsx import book_of_formulas
from cell_by_cell import CellByCell
from sheets import Book, PlainFormula

Row = tuple[str, str, float, float, bool]
"""What was measured, its figures, the number that counts, its bound, whether more is better."""


def median_us(work: Callable[[], object], rounds: int = 15, repeats: int = 50) -> float:
    """Median time of a call in microseconds."""
    for _ in range(repeats):
        work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        times.append((time.perf_counter() - start) / repeats)
    return statistics.median(times) * 1e6


def matrix_book(items: int, users: int, factors: int, share: float) -> tuple[Book, list[Region]]:
    """The sheet of the lesson (biases, embeddings, predictions, RMSE) at any size."""
    generator = np.random.default_rng(0)
    book = Book()
    top, left = 1, factors + 2
    params_top = users + 2
    first = params_top + 1 + factors + 2
    cells = book.cells.setdefault(0, {})
    formulas = book.expressions.setdefault(0, {})
    for r in range(users):
        for c in range(items):
            if generator.random() < share:
                cells[Cell(top + r, left + c)] = (float(generator.integers(1, 11)) / 2, 1)
    for r in range(factors + 1):
        for c in range(items):
            cells[Cell(params_top + r, left + c)] = (generator.normal() * 0.3, 1)
    for r in range(users):
        for c in range(factors + 1):
            cells[Cell(first + r, 1 + c)] = (generator.normal() * 0.3, 1)
    host = Cell(first, left)
    item = [str(Cell(params_top + k, left)) for k in range(factors + 1)]
    column, bias_row = item[0].rstrip("0123456789"), params_top + 1
    user_first, user_last = Cell(first, 2), Cell(first, 1 + factors)
    text = (
        f'=IF({Cell(top, left)}="",0,MMULT(${user_first}:${user_last},'
        f"{column}${bias_row + 1}:{column}${bias_row + factors}))"
        f"+{column}${bias_row}+$B{first + 1}"
    )
    expr = parse(text, host)
    for r in range(users):
        for c in range(items):
            formulas[Cell(first + r, left + c)] = PlainFormula(expr)
    data = Region(top, left, top + users, left + items)
    predicted = Region(first, left, first + users, left + items)
    loss = Cell(first + users + 1, left + items)
    formulas[loss] = PlainFormula(parse(f"=SQRT(SUMXMY2({data},{predicted})/COUNT({data}))", loss))
    parameters = [
        Region(params_top, left, params_top + factors + 1, left + items),
        Region(first, 1, first + users, 2 + factors),
    ]
    return book, [data, *parameters, Region.of(loss)]


def objective_ratio(items: int, users: int, factors: int, share: float) -> tuple[float, float]:
    """Microseconds of a step: ours, and the model as one writes it in torch."""
    book, (data, item_region, user_region, loss) = matrix_book(items, users, factors, share)
    program = compile_program(book)
    program.recalculate()
    objective = program.objective((0, loss.first), [(0, item_region), (0, user_region)])
    theta = objective.theta0
    values, kinds = book.read(0, data)
    actual = torch.from_numpy(values)
    mask = torch.from_numpy((kinds == 1).astype(np.float64))
    held = mask.sum()
    item, user = theta.split([item_region.size, user_region.size])
    item, user = item.view(factors + 1, items), user.view(users, factors + 1)
    mb, m = item[:1].clone().requires_grad_(), item[1:].clone().requires_grad_()
    ub, u = user[:, :1].clone().requires_grad_(), user[:, 1:].clone().requires_grad_()

    def by_hand() -> tuple[torch.Tensor, ...]:
        predicted = u @ m + mb + ub
        rmse = torch.sqrt((((predicted - actual) * mask) ** 2).sum() / held)
        return (rmse, *torch.autograd.grad(rmse, [mb, m, ub, u]))

    ours, theirs = objective.loss_and_gradient(theta), by_hand()
    expected = torch.cat([torch.cat([theirs[1], theirs[2]]).reshape(-1),
                          torch.cat([theirs[3], theirs[4]], 1).reshape(-1)])  # fmt: skip
    # a user or item without a rating counts as predicted 0 in the sheet, so compare the loss
    assert torch.allclose(ours[0], theirs[0].detach(), rtol=1e-9)
    assert torch.allclose(ours[1], expected, rtol=1e-7, atol=1e-12)
    repeats = 50 if items < 100 else 3
    pairs = [  # by turns, so that what else the machine does slows both alike
        (
            median_us(lambda: objective.loss_and_gradient(theta), 1, repeats),
            median_us(by_hand, 1, repeats),
        )
        for _ in range(25)
    ]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def large_book(rows: int) -> Book:
    """Ten columns of formulas over `rows` rows: arithmetic, look-ups, sums, conditions."""
    book = Book()
    for r in range(1, rows + 1):
        book.put(f"A{r}", float(r % 97))
        book.put(f"B{r}", float(r % 13) / 7)
    texts = ("=A1*B1+1", "=IF(A1>50,C1,-C1)", "=SQRT(ABS(D1))", "=SUM(A1:E1)", "=F1/(1+B1)",
             "=MATCH(A1,$A$1:$A$97,0)", "=INDEX($B$1:$B$97,H1)", "=I1^2", "=MAX(C1:J1)",
             "=ROUND(K1,2)")  # fmt: skip
    for c, text in enumerate(texts):
        expr = parse(text, Cell(0, c + 2))
        for r in range(rows):
            book.expressions.setdefault(0, {})[Cell(r, c + 2)] = PlainFormula(expr)
    return book


def recurrence_book() -> Book:
    """The lesson's Adam sheet in shape: 29 rows of 10 columns, each row reads the one before."""
    book = Book()
    for r in range(4, 33):
        book.put(f"A{r}", float(10 + 7 * r % 90))
        book.put(f"B{r}", 30.0 + 2.0 * (10 + 7 * r % 90))
    book.put("C3:L3", 1.0)
    texts = ("=C3-0.0001*G3", "=D3-0.0001*H3", "=C4+D4*A4", "=(E4-B4)^2", "=2*(E4-B4)",
             "=G4*A4", "=I3*0.9+0.1*G4", "=J3*0.9+0.1*H4", "=K3*0.9+0.1*G4^2",
             "=L3*0.9+0.1*H4^2")  # fmt: skip
    for c, text in enumerate(texts):
        expr = parse(text, Cell(3, c + 2))
        for r in range(29):
            book.expressions.setdefault(0, {})[Cell(3 + r, c + 2)] = PlainFormula(expr)
    return book


def objective_rows() -> list[Row]:
    """Loss and gradient beside the same model written by hand in torch, in two sizes."""
    rows: list[Row] = []
    for size, share, bound in (((15, 15, 5), 0.92, 2.0), ((500, 500, 20), 0.3, 1.3)):
        ours, theirs = objective_ratio(*size, share)
        name = "loss and gradient of `bias`, " + " x ".join(str(n) for n in size)
        figures = f"{ours:,.0f} us, hand-written torch {theirs:,.0f} us"
        rows.append((name, figures, ours / theirs, bound, False))
    return rows


def run_against_cells(steps: int = 2_000, rounds: int = 5) -> list[Row]:
    """The lesson `bias` trained by Adam as Run does it, and with a tensor for each cell.

    Run means all of it: the trace of losses, the record for going back in time, and the values
    of every cell sixty times a second. Measured by turns.
    """
    book = bias.build()
    problem, layout = book.problem, Layout(15, 15, 5, bias_rows=1)
    assert problem is not None
    program = compile_program(book.workbook)
    program.recalculate()
    objective = program.objective(problem.loss, [(p.sheet, p.region) for p in problem.parameters])
    trainer = Trainer(objective, make_optimizer("adam", lr=0.05), problem=problem)
    trainer.recording = Recording()
    trainer.recording.begin(trainer)

    def block(region: Region, theta: torch.Tensor | None = None) -> np.ndarray:
        if theta is None:
            values, kinds = book.workbook.sheets[0].cells.read(region)
            return np.where(kinds == 1, values, np.nan)
        sizes = [p.region.size for p in problem.parameters]
        at = [p.region for p in problem.parameters].index(region)
        return theta.split(sizes)[at].view(region.shape).numpy()

    def tables(theta: torch.Tensor | None = None) -> tuple[np.ndarray, np.ndarray]:
        items = [block(layout.item_bias, theta), block(layout.item_factors, theta)]
        users = [block(layout.user_bias, theta), block(layout.user_factors, theta)]
        return np.vstack(items), np.hstack(users)

    cells = CellByCell(block(layout.ratings), *tables())
    ours, (loss, gradient) = objective.loss_and_gradient(objective.theta0), cells.both()
    expected = np.concatenate([table.reshape(-1) for table in tables(ours[1])])
    assert torch.allclose(ours[0], loss, rtol=1e-9)
    assert torch.allclose(torch.from_numpy(expected), torch.stack(gradient), rtol=1e-7, atol=1e-12)
    run, whole, bare = [], [], []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in trainer.frames(Control(), max_steps=steps):
            pass
        run.append((time.perf_counter() - began) / steps)
        whole.append(median_us(cells.step, 1, 5) / 1e6)
        bare.append(median_us(cells.both, 1, 5) / 1e6)
    ours_s, whole_s, bare_s = (statistics.median(times) for times in (run, whole, bare))
    return [
        ("steps a second of Run on `bias`, Adam, against one tensor a cell",
         f"{1 / ours_s:,.0f}, cell by cell {1 / whole_s:,.1f}", whole_s / ours_s, 100.0, True),
        ("the same against its loss and gradient alone, without an optimizer",
         f"{1 / ours_s:,.0f}, cell by cell {1 / bare_s:,.1f}", bare_s / ours_s, 100.0, True),
    ]  # fmt: skip


def large_rows() -> list[Row]:
    """25,000 formulas: calculated anew, and read and compiled from an .xlsx file."""
    program = compile_program(large_book(2500))
    program.recalculate()
    program.recalculate()
    full = median_us(program.recalculate, rounds=7, repeats=1) / 1e3
    one = median_us(lambda: program.recalculate([(0, Region.parse("B7"))]), 7, 1) / 1e3
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "formulas.xlsx"
        write_xlsx(book_of_formulas(), path)
        times = []
        for _ in range(3):
            began = time.perf_counter()
            workbook = read_xlsx(path).workbook
            read = time.perf_counter()
            compile_program(workbook)
            times.append((time.perf_counter() - began, read - began))
    both, read_s = sorted(times)[1]
    return [
        ("25,000 formulas recalculated, ms", f"{full:.0f} ms; after one cell {one:.0f} ms",
         full, 80.0, False),
        ("25,000 formulas read from .xlsx and compiled, s",
         f"read {read_s:.2f} s, compile {both - read_s:.2f} s", both, 2.0, False),
    ]  # fmt: skip


def recurrence_row() -> Row:
    """Rows that each read the one before, recalculated a thousand times."""
    program = compile_program(recurrence_book())
    changed = [(0, Region.parse("A4"))]
    program.recalculate()
    program.recalculate(changed)
    began = time.perf_counter()
    for _ in range(1000):
        program.recalculate(changed)
    taken = time.perf_counter() - began
    return ("a recurrence of 29 x 10 cells recalculated 1,000 times, s",
            f"{taken:.2f} s", taken, 3.0, False)  # fmt: skip


def shown(rows: list[Row]) -> str:
    """The table, with the machine it was made on."""
    threads = f"threads of torch: {torch.get_num_threads()}; cores: {os.cpu_count()}"
    lines = [f"torch {torch.__version__}, {threads}, float64.", "",
             "| what | measured | counts | bound | holds |", "|---|---|---|---|---|"]  # fmt: skip
    for row in rows:
        name, figures, value, bound, more = row
        limit = f"{'at least' if more else 'at most'} {bound:g}"
        holds = "yes" if _holds(row) else "**no**"
        lines.append(f"| {name} | {figures} | {value:.3g} | {limit} | {holds} |")
    return "\n".join(lines)


def _holds(row: Row) -> bool:
    _, _, value, bound, more = row
    return value >= bound if more else value <= bound


def device_lines() -> list[str]:
    """Loss and gradient on the CPU and on the GPU, around the size where the rule changes over."""
    gpu = devices.accelerator()
    if gpu is None:
        return ["", "No GPU on this machine: the rule for devices was not measured here."]
    lines = ["", f"| `bias` at | cpu, us | {gpu.type}, us | the rule takes |", "|---|---|---|---|"]
    for side in (15, 60, 125, 250, 500, 1000):
        book, (_, item_region, user_region, loss) = matrix_book(side, side, 20, 0.3)
        program, times = compile_program(book), []
        program.recalculate()
        rule, chosen = devices.WORTH_A_GPU, ""
        for worth in (rule, 1 << 60, 1):
            devices.WORTH_A_GPU = worth
            objective = program.objective(
                (0, loss.first), [(0, item_region), (0, user_region)]
            )
            chosen = chosen or objective.device
            theta = objective.theta0
            times.append(median_us(lambda o=objective, t=theta: o.loss_and_gradient(t), 9, 5))
            devices.WORTH_A_GPU = rule
        lines.append(f"| {side} x {side} x 20 | {times[1]:,.0f} | {times[2]:,.0f} | {chosen} |")
    return lines


def main() -> int:
    """Print the table; 1 if something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="put the table into this page")
    parser.add_argument("--threads", type=int, default=1, help="of torch; 1 if not given")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = [*objective_rows(), *run_against_cells(), *large_rows(), recurrence_row()]
    table = "\n".join([shown(rows), *device_lines()])
    print(table)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        before, mark, rest = page.partition("<!-- bench -->")
        _, end, after = rest.partition("<!-- /bench -->")
        if not (mark and end):
            parser.error(f"{options.write} has no place for the table")
        options.write.write_text(f"{before}{mark}\n{table}\n{end}{after}", encoding="utf-8")
    return 0 if all(_holds(row) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
