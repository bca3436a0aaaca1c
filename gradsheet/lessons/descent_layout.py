"""Where everything lies on the gradient-descent sheets: columns, formulas, names, start values.

Addresses and formulas are those of the lecture's graddesc workbook for its 29 rows; other
numbers of rows move the cells below them. Knows no workbook: `descent_book` writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gradsheet.formula.address import Cell, column_index

# LONG: one table of ten sheets, read as a whole; nothing in it can be moved apart sensibly.

FIRST_ROW = 4
"""Row number (as on the sheet) of the first x and y."""
LECTURE_ROWS = 29
WARM_START = 10_000.0
"""What the lecture's Reset puts into the squared averages before it warms them up."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table.

    Attributes
    ----------
    letter, title : str
        A title that begins with ``=`` is the formula of row 3, where the state of the epoch
        before enters.
    formula : str
        For any row. ``{r}`` is the row, ``{p}`` the row of the update before (3 for the first),
        ``{gb}`` and ``{ga}`` the gradients that the update uses.
    first : str
        Formula of the first row, where that is another one.
    held : str
        Formula of the rows of a mini-batch but its first, where the weights stay as they are.
    is_update : bool
        Whether only the last row of a mini-batch has it.
    """

    letter: str
    title: str
    formula: str
    first: str = ""
    held: str = ""
    is_update: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the lecture's sheets.

    Attributes
    ----------
    name, title : str
        Name of the sheet, and of the optimizer in running text.
    fixed : mapping of address to content
        Labels, settings and formulas above the table.
    below : mapping of (letter, rows below the last) to content
        Under the table: ``("F", 1)`` is F33 for 29 rows. ``{a}`` and ``{z}`` are the first and
        last row, ``{s}`` the row below the last.
    names : mapping of name to (letter, rows below the last) or address
        Defined names of the sheet; those of a pair (`lastslope`, `slope`) say what an epoch
        carries.
    error : str
        Letter of the column of squared errors; its root of the sum stands below it.
    gradient : (str, str)
        Letters of de/db and de/da.
    mean : (str, str)
        Letters of the mean gradients of a mini-batch.
    is_function : bool
        Whether a row is a step on a function of two numbers, rather than a point of a line.
    total : str
        Formula of the loss cell below the column of errors; "" where `below` has it.
    rate : str
        Address of the learning rate.
    rule : str
        Name in `gradsheet.learn.optimizers.OPTIMIZERS`.
    hyper : mapping
        Which setting of the rule stands in which cell, by its name in Hyper.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    fixed: Mapping[str, str | float]
    below: Mapping[tuple[str, int], str | float]
    names: Mapping[str, str | tuple[str, int]]
    error: str
    gradient: tuple[str, str]
    rate: str
    rule: str
    hyper: Mapping[str, str] = field(default_factory=dict)
    mean: tuple[str, str] = ("V", "W")
    is_function: bool = False
    total: str = "=SQRT(SUM({e}{a}:{e}{z}))"


_WEIGHTS = (
    Column("C", "b", "=H{p}", "=C1", "=C{u}"),
    Column("D", "a", "=I{p}", "=C2", "=D{u}"),
    Column("E", "pred", "=C{r}+D{r}*A{r}"),
)
_GRADIENT = (
    Column("F", "de/db", "=2*(D{r}*A{r}+C{r}-B{r})"),
    Column("G", "de/da", "=F{r}*A{r}"),
)
_START: dict[str, str | float] = {"B1": "b", "C1": 1.0, "B2": "a", "C2": 1.0, "D1": "learn"}
_BETA: dict[str, str | float] = {"I1": "beta", "J1": 0.9, "K1": "=1-J1"}
_CARRY_HI: dict[str, str | tuple[str, int]] = {
    "const": "C1", "slope": "C2", "lastconst": ("H", 0), "lastslope": ("I", 0), "lr": "D2",
}  # fmt: skip
_ERROR = "=(B{r}-E{r})^2"


def _update(b: str, a: str) -> tuple[Column, ...]:
    """The columns of the new weights, H and I."""
    return (Column("H", "new b", b, is_update=True), Column("I", "new a", a, is_update=True))


def _average(letter: str, keep: str, new: str, what: str) -> Column:
    """A running average of `what`, whose row 3 is last epoch's, kept below the table."""
    return Column(
        letter, f"={letter}{{s}}", f"={letter}{{p}}*{keep}+{new}*{what}", is_update=True
    )


_MOMENTUM = (_average("J", "$J$1", "$K$1", "{gb}"), _average("K", "$J$1", "$K$1", "{ga}"))
_SQUARES = (_average("L", "$L$1", "$M$1", "{gb}^2"), _average("M", "$L$1", "$M$1", "{ga}^2"))
_MOMENTS: dict[str, str | tuple[str, int]] = {"momlast": ("JK", 0), "momtarget": ("JK", 1)}
_SQUARED: dict[str, str | tuple[str, int]] = {"ms_last": ("LM", 0), "gradtarget": ("LM", 1)}
_ADAM_UPDATE = _update("=C{r}-J{r}*$D$2/SQRT(L{r})", "=D{r}-K{r}*$D$2/SQRT(M{r})")
_ADAM_SETTINGS: dict[str, str | float] = {**_BETA, "J1": 0.7, "L1": 0.9, "M1": "=1-L1"}
# The 2017 workbook's betas: with the 2019 one's J1 of 0.9 Adam circles round the goal for ever.
_ADAM_HYPER = {"lr": "D2", "beta1": "J1", "beta2": "L1"}
_ADAM_BELOW: dict[tuple[str, int], str | float] = {
    ("J", 1): 0.0, ("K", 1): 0.0, ("L", 1): WARM_START, ("M", 1): WARM_START,
}  # fmt: skip
_STATISTIC: dict[tuple[str, int], str | float] = {
    ("F", 1): "=SQRT(SUMSQ({gb}))/COUNT({gb})",
    ("G", 1): "=SQRT(SUMSQ({ga}))/COUNT({ga})",
}

BASIC = Kind(
    "basic",
    "SGD",
    (
        Column("C", "intercept", "=N{p}", "=C1", "=C{u}"),
        Column("D", "slope", "=M{p}", "=C2", "=D{u}"),
        Column("E", "y_pred", "=C{r}+D{r}*A{r}"),
        Column("F", "err^2", _ERROR),
        Column("G", "errb1", "=(((C{r}+0.01)+A{r}*D{r})-B{r})^2"),
        Column("H", "est de/db", "=(G{r}-F{r})/0.01"),
        Column("I", "erra1", "=(((D{r}+0.01)*A{r}+C{r})-B{r})^2"),
        Column("J", "est de/da", "=(I{r}-F{r})/0.01"),
        Column("K", "de/db", "=2*(E{r}-B{r})"),
        Column("L", "de/da", "=K{r}*A{r}"),
        Column("M", "new a", "=D{r}-{ga}*$F$1", is_update=True),
        Column("N", "new b", "=C{r}-{gb}*$F$1", is_update=True),
    ),
    {
        "B1": "intercept", "C1": 1.0, "B2": "slope", "C2": 1.0, "E1": "learn", "F1": 0.0001,
        "I1": "de/db=2(ax+b-y)", "H2": "e=(ax+b-y)^2", "I2": "de/da=x*2(ax+b-y)",
    },
    {("E", 1): "rmse", ("K", 1): "=SQRT(SUMSQ(K{a}:K{z}))", ("L", 1): "=SQRT(SUMSQ(L{a}:L{z}))"},
    {"const": "C1", "slope": "C2", "lastconst": ("N", 0), "lastslope": ("M", 0), "lr": "F1"},
    error="F",
    gradient=("K", "L"),
    rate="F1",
    rule="sgd",
    hyper={"lr": "F1"},
)  # fmt: skip

MOMENTUM = Kind(
    "momentum",
    "Momentum",
    (
        *_WEIGHTS, *_GRADIENT,
        *_update("=C{r}-J{r}*$D$2", "=D{r}-K{r}*$D$2"),
        *_MOMENTUM,
        Column("L", "err^2", _ERROR),
    ),
    {**_START, "D2": 0.0001, **_BETA},
    {("J", 1): 0.0, ("K", 1): 0.0},
    {**_CARRY_HI, **_MOMENTS},
    error="L",
    gradient=("F", "G"),
    rate="D2",
    rule="lesson_momentum",
    hyper={"lr": "D2", "beta1": "J1"},
)  # fmt: skip

NESTEROV = Kind(
    "nesterov",
    "Nesterov",
    (
        *_WEIGHTS, *_GRADIENT,
        *_update("=C{r}-(J{r}*$J$1+$K$1*{gb})*$D$2", "=D{r}-(K{r}*$J$1+$K$1*{ga})*$D$2"),
        *_MOMENTUM,
        Column("L", "err^2", _ERROR),
    ),
    {**_START, "D2": 0.0001, **_BETA},
    {("J", 1): 0.0, ("K", 1): 0.0},
    {**_CARRY_HI, **_MOMENTS},
    error="L",
    gradient=("F", "G"),
    rate="D2",
    rule="lesson_nesterov",
    hyper={"lr": "D2", "beta1": "J1"},
)  # fmt: skip

ADAGRAD = Kind(
    "adagrad",
    "Adagrad",
    (
        *_WEIGHTS, *_GRADIENT,
        *_update("=C{r}-{gb}*F$2", "=D{r}-{ga}*G$2"),
        Column("J", "err^2", _ERROR),
    ),
    {**_START, "D2": 0.001, "F1": WARM_START, "G1": WARM_START, "F2": "=$D$2/F1", "G2": "=$D$2/G1"},
    _STATISTIC,
    {**_CARRY_HI, "histgrad": ("FG", 1), "gradtarget": "F1:G1"},
    error="J",
    gradient=("F", "G"),
    rate="D2",
    rule="lesson_adagrad",
    hyper={"lr": "D2"},
)  # fmt: skip

RMSPROP = Kind(
    "rmsprop",
    "RMSprop",
    (
        *_WEIGHTS, *_GRADIENT,
        *_update("=C{r}-{gb}*$D$2/SQRT(J{p})", "=D{r}-{ga}*$D$2/SQRT(K{p})"),
        _average("J", "$J$1", "$K$1", "{gb}^2"),
        _average("K", "$J$1", "$K$1", "{ga}^2"),
        Column("L", "err^2", _ERROR),
    ),
    {**_START, "D2": 0.02, "J1": 0.9, "K1": "=1-J1"},
    {("J", 1): WARM_START, ("K", 1): WARM_START},
    {**_CARRY_HI, "ms_last": ("JK", 0), "gradtarget": ("JK", 1)},
    error="L",
    gradient=("F", "G"),
    rate="D2",
    rule="lesson_rmsprop",
    hyper={"lr": "D2", "beta2": "J1"},
)  # fmt: skip

ADAM = Kind(
    "adam",
    "Adam",
    (*_WEIGHTS, *_GRADIENT, *_ADAM_UPDATE, *_MOMENTUM, *_SQUARES, Column("N", "err^2", _ERROR)),
    {**_START, "D2": 0.1, **_ADAM_SETTINGS},
    _ADAM_BELOW,
    {**_CARRY_HI, **_MOMENTS, **_SQUARED},
    error="N",
    gradient=("F", "G"),
    rate="D2",
    rule="lesson_adam",
    hyper=_ADAM_HYPER,
)

_CORRECTED = _update("=C{r}-Q{r}*$D$2/SQRT(S{r})", "=D{r}-R{r}*$D$2/SQRT(T{r})")

ADAM_CORRECTED = Kind(
    "adam",
    "Adam with bias correction",
    (
        *_WEIGHTS, *_GRADIENT, *_CORRECTED, *_MOMENTUM, *_SQUARES,
        Column("N", "err^2", _ERROR),
        Column("P", "=P{s}", "=P{p}+1", is_update=True),
        Column("Q", "J corrected", "=J{r}/(1-$J$1^$P{r})", is_update=True),
        Column("R", "K corrected", "=K{r}/(1-$J$1^$P{r})", is_update=True),
        Column("S", "L corrected", "=L{r}/(1-$L$1^$P{r})", is_update=True),
        Column("T", "M corrected", "=M{r}/(1-$L$1^$P{r})", is_update=True),
    ),
    {**_START, "D2": 0.1, **_ADAM_SETTINGS, "P2": "step"},
    {("J", 1): 0.0, ("K", 1): 0.0, ("L", 1): 0.0, ("M", 1): 0.0, ("P", 1): 0.0},
    {**_CARRY_HI, **_MOMENTS, **_SQUARED, "laststep": ("P", 0), "steptarget": ("P", 1)},
    error="N",
    gradient=("F", "G"),
    rate="D2",
    rule="lesson_adam",
    hyper=_ADAM_HYPER,
)  # fmt: skip

_DECAYED = _update(
    "=C{r}*(1-$D$2*$O$1)-J{r}*$D$2/SQRT(L{r})", "=D{r}*(1-$D$2*$O$1)-K{r}*$D$2/SQRT(M{r})"
)
ADAMW = Kind(
    "adamw",
    "AdamW",
    (
        *_WEIGHTS, *_GRADIENT, *_DECAYED, *_MOMENTUM, *_SQUARES,
        Column("N", "err^2", _ERROR),
        Column("T", "b", "=Y{p}", "=T1", "=T{u}"),
        Column("U", "a", "=Z{p}", "=T2", "=U{u}"),
        Column("V", "pred", "=T{r}+U{r}*A{r}"),
        Column("W", "de/db+wd*b", "=2*(U{r}*A{r}+T{r}-B{r})+$O$1*T{r}"),
        Column("X", "de/da+wd*a", "=2*(U{r}*A{r}+T{r}-B{r})*A{r}+$O$1*U{r}"),
        Column("Y", "new b", "=T{r}-AA{r}*$D$2/SQRT(AC{r})", is_update=True),
        Column("Z", "new a", "=U{r}-AB{r}*$D$2/SQRT(AD{r})", is_update=True),
        Column("AA", "=AA{s}", "=AA{p}*$J$1+$K$1*{g2b}", is_update=True),
        Column("AB", "=AB{s}", "=AB{p}*$J$1+$K$1*{g2a}", is_update=True),
        Column("AC", "=AC{s}", "=AC{p}*$L$1+$M$1*{g2b}^2", is_update=True),
        Column("AD", "=AD{s}", "=AD{p}*$L$1+$M$1*{g2a}^2", is_update=True),
        Column("AE", "err^2", "=(B{r}-V{r})^2"),
    ),
    {
        **_START, "D2": 0.1, **_ADAM_SETTINGS, "N1": "wd", "O1": 0.01,
        "F1": "AdamW: decay beside the gradient", "S1": "b", "T1": 1.0, "S2": "a", "T2": 1.0,
        "W1": "Adam with L2: decay in the gradient",
    },
    {
        **_ADAM_BELOW, ("AA", 1): 0.0, ("AB", 1): 0.0, ("AC", 1): WARM_START,
        ("AD", 1): WARM_START, ("AE", 1): "=SQRT(SUM(AE{a}:AE{z}))",
    },
    {
        **_CARRY_HI, **_MOMENTS, **_SQUARED,
        "l2const": "T1", "l2slope": "T2", "l2lastconst": ("Y", 0), "l2lastslope": ("Z", 0),
        "l2momlast": (("AA:AB"), 0), "l2momtarget": ("AA:AB", 1),
        "l2ms_last": ("AC:AD", 0), "l2gradtarget": ("AC:AD", 1),
    },
    error="N",
    gradient=("F", "G"),
    rate="D2",
    rule="lesson_adam",
    hyper={**_ADAM_HYPER, "weight_decay": "O1"},
    mean=("P", "Q"),
)  # fmt: skip
MEAN_L2 = ("AG", "AH")
"""Mean gradients of the right half of `adamw`."""

_EVE_SQUARES = (_average("M", "$M$1", "$N$1", "{gb}^2"), _average("N", "$M$1", "$N$1", "{ga}^2"))

EVE = Kind(
    "eve",
    "Eve",
    (
        Column("C", "b", "=I{p}", "=C1", "=C{u}"),
        Column("D", "a", "=J{p}", "=C2", "=D{u}"),
        Column("E", "pred", "=C{r}+D{r}*A{r}"),
        Column("F", "err^2", "=(E{r}-B{r})^2"),
        Column("G", "de/db", "=2*(D{r}*A{r}+C{r}-B{r})"),
        Column("H", "de/da", "=G{r}*A{r}"),
        Column("I", "new b", "=C{r}-K{r}*$D$2/SQRT(M{r})/$F${d}", is_update=True),
        Column("J", "new a", "=D{r}-L{r}*$D$2/SQRT(N{r})/$F${d}", is_update=True),
        _average("K", "$K$1", "$L$1", "{gb}"),
        _average("L", "$K$1", "$L$1", "{ga}"),
        *_EVE_SQUARES,
    ),
    {**_START, "D2": 0.1, "J1": "beta", "K1": 0.7, "L1": "=1-K1", "M1": 0.9, "N1": "=1-M1"},
    {
        ("E", 1): "loss", ("K", 1): 0.0, ("L", 1): 0.0, ("M", 1): WARM_START, ("N", 1): WARM_START,
        ("E", 2): "ft-1", ("F", 2): 0.0, ("E", 3): "ft-2", ("F", 3): 0.0, ("E", 4): "r_t",
        ("F", 4): "=ABS(ft_1-ft_2)/MIN(ft_1,ft_2)", ("E", 5): "dt-1", ("F", 5): 1.0,
        ("H", 5): "beta", ("E", 6): "dt", ("F", 6): "=dt_1*H{d}+(1-H{d})*rtee", ("H", 6): 0.9,
    },
    {
        "const": "C1", "slope": "C2", "lastconst": ("I", 0), "lastslope": ("J", 0), "lr": "D2",
        "momlast": ("KL", 0), "momtarget": ("KL", 1), "ms_last": ("MN", 0),
        "gradtarget": ("MN", 1), "loss": ("F", 1), "ft_1": ("F", 2), "ft_2": ("F", 3),
        "rtee": ("F", 4), "dt_1": ("F", 5), "dtee": ("F", 6),
    },
    error="F",
    gradient=("G", "H"),
    rate="D2",
    rule="eve",
    hyper={"lr": "D2", "beta1": "K1", "beta2": "M1", "beta3": "H{d}"},
)  # fmt: skip

ADAGRAD_ANN = Kind(
    "adagrad_ann",
    "Adagrad, annealed",
    (
        Column("C", "b", "=I{p}", "=C1", "=C{u}"),
        Column("D", "a", "=H{p}", "=C2", "=D{u}"),
        _WEIGHTS[2], *_GRADIENT,
        Column("H", "new a", "=D{r}-{ga}*$G$2", is_update=True),
        Column("I", "new b", "=C{r}-{gb}*$F$2", is_update=True),
        Column("K", "err^2", _ERROR),
    ),
    {
        **_START, "D2": 0.1, "F1": WARM_START, "G1": WARM_START, "H1": 100.0, "J1": 100.0,
        "F2": "=$D$2/F1", "G2": "=$D$2/G1", "I1": "smallest",
    },
    {
        **_STATISTIC, ("H", 1): "=SUMPRODUCT(histgrad,F2:G2)",
        ("G", 2): "ratio to the smallest", ("H", 2): "=H{s}/prev_grad2",
        ("G", 3): "next learn: a quarter once the ratio exceeds 2",
        ("H", 3): "=IF(H{s1}>2,lr/4,lr)",
        ("G", 4): "next smallest", ("H", 4): "=MIN(prev_grad2,H{s})",
    },
    {
        "const": "C1", "slope": "C2", "lastconst": ("I", 0), "lastslope": ("H", 0), "lr": "D2",
        "histgrad": ("FG", 1), "gradtarget": "F1:G1", "prev_grad2": "J1",
        "gradrat": ("H", 2), "nextlr": ("H", 3), "nextsmallest": ("H", 4),
    },
    error="K",
    gradient=("F", "G"),
    rate="D2",
    rule="lesson_adagrad",
    hyper={"lr": "D2"},
)  # fmt: skip

ADAM_ANN = Kind(
    "adam_ann",
    "Adam, annealed",
    (*_WEIGHTS, *_GRADIENT, *_ADAM_UPDATE, *_MOMENTUM, *_SQUARES, Column("O", "err^2", _ERROR)),
    {**_START, "D2": 1.0, **_ADAM_SETTINGS, "J1": 0.9, "L1": 0.95, "N2": "smallest", "N3": 1e9},
    {
        **_ADAM_BELOW, **_STATISTIC, ("N", 1): "=SQRT(L{s})+SQRT(M{s})",
        ("N", 2): "=avg_grad2/prev_grad2",
        ("M", 3): "after this epoch", ("N", 3): "=SQRT(L{z})+SQRT(M{z})",
        ("M", 4): "ratio to the smallest", ("N", 4): "=N{s2}/prev_grad2",
        ("M", 5): "next learn: a quarter once the ratio exceeds 2",
        ("N", 5): "=IF(N{s3}>2,lr/4,lr)",
        ("M", 6): "next smallest", ("N", 6): "=MIN(prev_grad2,N{s2})",
    },
    {
        **_CARRY_HI, **_MOMENTS, **_SQUARED, "avg_grad2": ("N", 1), "gradrat": ("N", 2),
        "prev_grad2": "N3", "nextlr": ("N", 5), "nextsmallest": ("N", 6),
    },
    error="O",
    gradient=("F", "G"),
    rate="D2",
    rule="lesson_adam",
    hyper=_ADAM_HYPER,
)  # fmt: skip

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        BASIC, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW, EVE, ADAGRAD_ANN, ADAM_ANN,
    )
}  # fmt: skip
"""The sheets by name, in the order of the tabs."""


def columns_of(span: str) -> tuple[int, int]:
    """First and last zero-based column of ``"JK"`` or ``"AA:AB"`` or one letter."""
    first, colon, last = span.partition(":")
    if colon:
        return column_index(first), column_index(last)
    return column_index(span[0]), column_index(span[-1])


def below(letter: str, offset: int, rows: int) -> Cell:
    """The cell `offset` rows below the last row of data."""
    return Cell(FIRST_ROW + rows - 2 + offset, column_index(letter))
