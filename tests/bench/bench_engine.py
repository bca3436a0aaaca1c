"""How fast the engine is: ratios to hand-written torch, recalculation, compilation.

Run `python tests/bench/bench_engine.py`; prints a table. Ratios compare medians of one run.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "formula"))

from sheets import Book, PlainFormula

from gradsheet.formula.syntax import parse


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


def main() -> None:
    """Print the table."""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for items, users, factors, share in ((15, 15, 5, 0.92), (500, 500, 20, 0.3)):
        ours, theirs = objective_ratio(items, users, factors, share)
        print(f"loss and gradient, {users} x {items} x {factors}: {ours:9.1f} us, "
              f"hand-written torch {theirs:9.1f} us, ratio {ours / theirs:.2f}")  # fmt: skip
    book = large_book(2500)
    start = time.perf_counter()
    program = compile_program(book)
    compiled = time.perf_counter()
    program.recalculate()
    first = time.perf_counter() - compiled
    full = median_us(program.recalculate, rounds=5, repeats=1) / 1e3
    print(f"25,000 formulas: compile {(compiled - start) * 1e3:.0f} ms, first "
          f"{first * 1e3:.0f} ms, full recalculation {full:.1f} ms")  # fmt: skip
    one = median_us(lambda: program.recalculate([(0, Region.parse("B7"))]), 5, 1) / 1e3
    print(f"25,000 formulas: recalculation after one cell {one:.1f} ms")
    program = compile_program(recurrence_book())
    program.recalculate()
    changed = [(0, Region.parse("A4"))]
    program.recalculate(changed)
    start = time.perf_counter()
    for _ in range(1000):
        program.recalculate(changed)
    print(f"recurrence of 29 x 10 cells, 1,000 recalculations: {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
