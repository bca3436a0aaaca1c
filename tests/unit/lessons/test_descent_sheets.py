"""The gradient-descent sheets: the lecture's addresses, live formulas, edits, end states."""

from __future__ import annotations

import pytest

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import unparse
from gradsheet.formula.values import Kind, UserError
from gradsheet.learn.epoch_step import epoch_step_of
from gradsheet.learn.epochs import EpochTrainer
from gradsheet.learn.line_fit import RECIPES, LineFit
from gradsheet.lessons import descent_edits as edits
from gradsheet.lessons.descent_book import build
from gradsheet.lessons.descent_data import LineData, drawn, given, lecture, parsed
from gradsheet.lessons.descent_layout import KINDS
from gradsheet.sheet.edits import SetCells
from gradsheet.sheet.workbook import Sheet, Workbook

FORMULAS = {
    "data": {"C5": "=$C$1+B5*$C$2", "C33": "=$C$1+B33*$C$2"},
    "basic": {
        "C4": "=C1", "D4": "=C2", "C5": "=N4", "D32": "=M31", "E4": "=C4+D4*A4",
        "F4": "=(B4-E4)^2", "G4": "=(((C4+0.01)+A4*D4)-B4)^2", "H4": "=(G4-F4)/0.01",
        "I32": "=(((D32+0.01)*A32+C32)-B32)^2", "J4": "=(I4-F4)/0.01", "K4": "=2*(E4-B4)",
        "L4": "=K4*A4", "M4": "=D4-L4*$F$1", "N4": "=C4-K4*$F$1", "F33": "=SQRT(SUM(F4:F32))",
        "K33": "=SQRT(SUMSQ(K4:K32))",
    },
    "momentum": {
        "J3": "=J33", "F4": "=2*(D4*A4+C4-B4)", "G4": "=F4*A4", "H4": "=C4-J4*$D$2",
        "I32": "=D32-K32*$D$2", "J4": "=J3*$J$1+$K$1*F4", "K1": "=1-J1",
        "L33": "=SQRT(SUM(L4:L32))",
    },
    "adagrad": {
        "F2": "=$D$2/F1", "H4": "=C4-F4*F$2", "I4": "=D4-G4*G$2",
        "F33": "=SQRT(SUMSQ(F4:F32))/COUNT(F4:F32)",
    },
    "rmsprop": {"H4": "=C4-F4*$D$2/SQRT(J3)", "J32": "=J31*$J$1+$K$1*F32^2"},
    "adam": {"H4": "=C4-J4*$D$2/SQRT(L4)", "M4": "=M3*$L$1+$M$1*G4^2"},
    "eve": {
        "I4": "=C4-K4*$D$2/SQRT(M4)/$F$38", "F36": "=ABS(ft_1-ft_2)/MIN(ft_1,ft_2)",
        "F38": "=dt_1*H38+(1-H38)*rtee",
    },
    "adagrad_ann": {"H4": "=D4-G4*$G$2", "H33": "=SUMPRODUCT(histgrad,F2:G2)"},
    "adam_ann": {"N33": "=SQRT(L33)+SQRT(M33)", "N34": "=avg_grad2/prev_grad2"},
}  # fmt: skip


@pytest.fixture(scope="module")
def workbook() -> Workbook:
    return calculated(build("basic").workbook)


@pytest.fixture
def fresh() -> Workbook:
    return book_of("momentum", "adam")


def book_of(*names: str) -> Workbook:
    return calculated(build(names[0], only=names).workbook)


def calculated(workbook: Workbook) -> Workbook:
    for found in compile_program(workbook).recalculate():
        workbook.sheet(found.sheet).cells.write(found.region, found.values, found.kinds)
    return workbook


def sheet_of(workbook: Workbook, name: str) -> Sheet:
    sheet = workbook.by_name(name)
    assert sheet is not None
    return sheet


def run(workbook: Workbook, name: str, epochs: int) -> EpochTrainer:
    epoch = epoch_step_of(workbook, sheet_of(workbook, name).id)
    assert epoch is not None
    trainer = EpochTrainer(workbook, epoch)
    assert trainer.advance(epochs) == epochs, trainer.failure
    return trainer


def weights(trainer: EpochTrainer) -> tuple[float, float]:
    return trainer.number(Cell(1, 2)), trainer.number(Cell(0, 2))


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_stand_where_the_lecture_has_them(workbook: Workbook, name: str) -> None:
    cells = sheet_of(workbook, name).cells
    for address, text in FORMULAS[name].items():
        cell = Cell.parse(address)
        formula = cells.formula(cell)
        assert formula is not None, address
        assert unparse(formula.expr, cell).replace("(", "").replace(")", "") == text.replace(
            "(", ""
        ).replace(")", "")


def test_no_cell_of_the_workbook_shows_an_error(workbook: Workbook) -> None:
    for sheet in workbook.sheets:
        _, kinds = sheet.cells.read(sheet.cells.used())
        assert not (kinds == Kind.ERROR).any(), sheet.name


def test_the_lecture_has_29_points_of_one_line(workbook: Workbook) -> None:
    x, y = edits.points_of(workbook)
    assert len(x) == 29
    assert y == [2 * v + 30 for v in x]
    assert sheet_of(workbook, "adam").cells.get(Cell.parse("B4"))[0] == 58


def test_reset_warms_the_squared_averages_up_as_the_lectures_files_show(workbook: Workbook) -> None:
    """rmsprop!J33:K33 and adagrad!F1:G1 of graddesc_2017.xlsx, which stand at a = b = 1."""
    state, _ = sheet_of(workbook, "rmsprop").cells.read(Region.parse("J33:K33"))
    assert state[0].tolist() == pytest.approx([9309.63147497951, 38847505.04948409], rel=1e-12)
    state, _ = sheet_of(workbook, "adagrad").cells.read(Region.parse("F1:G1"))
    assert state[0].tolist() == pytest.approx([28.092710228958623, 1918.710769527765], rel=1e-12)


@pytest.mark.parametrize("batch", [1, 4, 29])
@pytest.mark.parametrize("name", KINDS)
def test_the_step_functions_give_the_sheets_numbers(name: str, batch: int) -> None:
    book = book_of(name)
    if batch > 1:
        book.apply(edits.set_batch(book, sheet_of(book, name), batch))
    fit = LineFit(*lecture().values(), RECIPES["sgd" if name == "basic" else name], batch=batch)
    trainer = run(book, name, 0)
    for _ in range(5):
        found = fit.epoch()
        assert trainer.loss == pytest.approx(found.error, rel=1e-12)
        trainer.advance(1)
        assert weights(trainer) == pytest.approx((found.a, found.b), rel=1e-12)


def test_the_right_half_of_adamw_is_adam_with_l2(workbook: Workbook) -> None:
    fit = LineFit(*lecture().values(), RECIPES["adam_l2"])
    trainer = run(workbook, "adamw", 5)
    epochs = [fit.epoch() for _ in range(5)]
    assert trainer.number(Cell.parse("T2")) == pytest.approx(epochs[-1].a, rel=1e-12)
    assert trainer.number(Cell.parse("T1")) == pytest.approx(epochs[-1].b, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "epochs"),
    [("adam", 23), ("adamw", 42), ("adagrad_ann", 24), ("adam_ann", 15), ("rmsprop", 85),
     ("adagrad", 330), ("eve", 15), ("nesterov", 1881), ("momentum", 1899), ("basic", 1712)],
)  # fmt: skip
def test_every_sheet_reaches_the_line(workbook: Workbook, name: str, epochs: int) -> None:
    a, b = weights(run(workbook, name, epochs))
    assert abs(a - 2) < 0.05
    assert abs(b - 30) < 1


def test_the_fast_way_is_used_on_every_sheet(workbook: Workbook) -> None:
    for name in KINDS:
        assert run(workbook, name, 0).is_fast, name


def test_finite_differences_stand_beside_the_derivatives(workbook: Workbook) -> None:
    values, _ = sheet_of(workbook, "basic").cells.read(Region.parse("H4:L32"))
    estimate_b, estimate_a, de_db, de_da = values[:, 0], values[:, 2], values[:, 3], values[:, 4]
    x, _ = sheet_of(workbook, "basic").cells.read(Region.parse("A4:A32"))
    assert estimate_b == pytest.approx(de_db + 0.01, abs=1e-6)
    assert estimate_a == pytest.approx(de_da + 0.01 * x[:, 0] ** 2, abs=1e-5)


def test_bias_correction_stands_in_columns_of_its_own(fresh: Workbook) -> None:
    sheet = sheet_of(fresh, "adam")
    inverse, _ = fresh.apply(edits.set_correction(fresh, sheet, True))
    formula = sheet.cells.formula(Cell.parse("Q4"))
    assert formula is not None
    assert unparse(formula.expr, Cell.parse("Q4")) == "=J4/(1-$J$1^$P4)"
    trainer = run(fresh, "adam", 2)
    assert trainer.number(Cell.parse("P32")) == 87
    fresh.apply(inverse)
    assert sheet.cells.formula(Cell.parse("Q4")) is None


def test_corrected_adam_is_the_step_functions_adam(fresh: Workbook) -> None:
    from dataclasses import replace

    from gradsheet.learn.line_fit import Recipe

    fresh.apply(edits.set_correction(fresh, sheet_of(fresh, "adam"), True))
    hyper = replace(RECIPES["adam"].hyper, bias_correction=True)
    fit = LineFit(*lecture().values(), Recipe("lesson_adam", hyper))
    trainer = run(fresh, "adam", 3)
    found = [fit.epoch() for _ in range(3)][-1]
    assert weights(trainer) == pytest.approx((found.a, found.b), rel=1e-11)


def test_a_mini_batch_holds_the_weights_and_updates_in_its_last_row(fresh: Workbook) -> None:
    sheet = sheet_of(fresh, "momentum")
    fresh.apply(edits.set_batch(fresh, sheet, 4))
    texts = {
        a: unparse(f.expr, Cell.parse(a)) if (f := sheet.cells.formula(Cell.parse(a))) else None
        for a in ("C5", "C8", "H6", "H7", "J7", "J11", "V7", "A2")
    }
    assert texts == {
        "C5": "=C4", "C8": "=H7", "H6": None, "H7": "=C7-J7*$D$2", "J7": "=J3*$J$1+$K$1*V7",
        "J11": "=J7*$J$1+$K$1*V11", "V7": "=AVERAGE(F4:F7)", "A2": "=ROWS(A4:A7)",
    }  # fmt: skip
    assert edits.plan_of(fresh, sheet).batch == 4
    fresh.apply(edits.set_batch(fresh, sheet, 1))
    assert sheet.cells.formula(Cell.parse("V7")) is None


def test_a_change_of_batch_keeps_the_rate(fresh: Workbook) -> None:
    sheet = sheet_of(fresh, "adam")
    fresh.apply(SetCells(sheet.id, ((Cell.parse("D2"), 0.25),)))
    fresh.apply(edits.set_batch(fresh, sheet, 7))
    assert sheet.cells.get(Cell.parse("D2"))[0] == 0.25


def test_reset_puts_the_start_back_and_empties_the_log(fresh: Workbook) -> None:
    sheet = sheet_of(fresh, "adam")
    before = sheet.cells.read(Region.parse("J33:M33"))[0]
    trainer = run(fresh, "adam", 3)
    for found in trainer.snapshot().computed:
        sheet.cells.write(found.region, found.values, found.kinds)
    assert sheet.cells.get(Cell.parse("C40"))[1] == Kind.NUMBER
    fresh.apply(edits.reset(fresh, sheet))
    assert sheet.cells.get(Cell.parse("C1"))[0] == 1
    assert sheet.cells.get(Cell.parse("C38"))[1] == Kind.BLANK
    assert sheet.cells.read(Region.parse("J33:M33"))[0].tolist() == before.tolist()


def test_other_points_reach_every_sheet_and_can_be_taken_back() -> None:
    fresh = calculated(build("basic").workbook)
    data = drawn(3, points=50, slope=-1.0, intercept=5.0, spread=2.0)
    inverse, _ = fresh.apply(edits.set_points(fresh, data))
    calculated(fresh)
    x, y = data.values()
    assert sheet_of(fresh, "data").cells.get(Cell.parse("C54"))[0] == pytest.approx(y[-1])
    for name in KINDS:
        cells = sheet_of(fresh, name).cells
        assert cells.get(Cell.parse("B53"))[0] == pytest.approx(y[-1])
        assert cells.get(Cell.parse("A53"))[0] == x[-1]
    run(fresh, "momentum", 2)
    fresh.apply(inverse)
    calculated(fresh)
    assert edits.points_of(fresh)[0] == list(lecture().x)
    assert sheet_of(fresh, "adam").cells.formula(Cell.parse("C33")) is None


def test_pasted_points_show_their_least_squares_line(fresh: Workbook) -> None:
    fresh.apply(edits.set_points(fresh, given([1.0, 2.0, 3.0], [3.0, 5.0, 7.5])))
    cells = sheet_of(calculated(fresh), "data").cells
    assert cells.get(Cell.parse("C2"))[0] == pytest.approx(2.25)
    assert cells.get(Cell.parse("C5"))[0] == 3.0


def test_a_change_of_the_slope_changes_every_y(fresh: Workbook) -> None:
    fresh.apply(SetCells(sheet_of(fresh, "data").id, ((Cell.parse("C2"), 3.0),)))
    assert sheet_of(calculated(fresh), "adam").cells.get(Cell.parse("B4"))[0] == 14 * 3 + 30


def test_the_same_seed_draws_the_same_points() -> None:
    assert drawn(5, spread=1.0) == drawn(5, spread=1.0)
    assert drawn(5) != drawn(6)
    assert drawn(5).x != lecture().x


@pytest.mark.parametrize(
    "text",
    ["x,y\n1,2\n3,4.5\n", "1\t2\n3\t4.5", "x;y\n1;2\n3;4,5\n", "1 2\n\n3 4.5\n", "1,2,9\n3,4.5,9"],
)
def test_two_columns_are_read_from_text(text: str) -> None:
    data = parsed(text)
    assert (data.x, data.y) == ((1.0, 3.0), (2.0, 4.5))


def test_a_bad_line_is_named() -> None:
    with pytest.raises(UserError, match="Line 3"):
        parsed("1,2\n3,4\n5,oops\n")


@pytest.mark.parametrize("text", ["", "x,y\n", "1,2\n"])
def test_one_point_is_too_few(text: str) -> None:
    with pytest.raises(UserError):
        parsed(text)


def test_more_points_than_can_be_drawn_are_refused() -> None:
    with pytest.raises(UserError):
        drawn(1, points=1)
    with pytest.raises(UserError):
        drawn(1, spread=-1.0)


def test_data_without_noise_has_no_noise_column() -> None:
    assert LineData((1.0, 2.0)).values() == ([1.0, 2.0], [32.0, 34.0])
