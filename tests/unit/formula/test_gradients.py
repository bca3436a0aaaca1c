"""Every numeric function's gradient against central differences, in float64."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from sheets import Book, calculate

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.functions import FUNCTIONS
from gradsheet.formula.objective import Objective
from gradsheet.formula.values import FormulaError

# name: a formula of A1:C3, which hold the numbers 0.3 1.7 2.2 / 0.9 1.1 0.6 / 2.5 1.4 0.8
FORMULAS = {
    "SUM": "=SUM(A1:C3,A1)", "SUMSQ": "=SUMSQ(A1:C3)", "PRODUCT": "=PRODUCT(A1:C3)",
    "AVERAGE": "=AVERAGE(A1:C3,5)", "MAX": "=MAX(A1:C3)", "MIN": "=MIN(A1:C3)",
    "SUMPRODUCT": "=SUMPRODUCT(A1:A3,B1:B3,C1:C3)", "SUMXMY2": "=SUMXMY2(A1:A3,B1:B3)",
    "SUMX2MY2": "=SUMX2MY2(A1:A3,B1:B3)", "SUMX2PY2": "=SUMX2PY2(A1:A3,B1:B3)",
    "MEDIAN": "=MEDIAN(A1:C3)", "LARGE": "=LARGE(A1:C3,2)", "SMALL": "=SMALL(A1:C3,3)",
    "PERCENTILE.INC": "=PERCENTILE.INC(A1:C3,0.3)", "PERCENTILE": "=PERCENTILE(A1:C3,0.3)",
    "QUARTILE.INC": "=QUARTILE.INC(A1:C3,1)", "QUARTILE": "=QUARTILE(A1:C3,3)",
    "VAR.P": "=VAR.P(A1:C3)", "VARP": "=VARP(A1:C3)", "VAR.S": "=VAR.S(A1:C3)",
    "VAR": "=VAR(A1:C3)", "STDEV.P": "=STDEV.P(A1:C3)", "STDEVP": "=STDEVP(A1:C3)",
    "STDEV.S": "=STDEV.S(A1:C3)", "STDEV": "=STDEV(A1:C3)", "DEVSQ": "=DEVSQ(A1:C3)",
    "CORREL": "=CORREL(A1:A3,B1:B3)", "PEARSON": "=PEARSON(A1:A3,B1:B3)",
    "RSQ": "=RSQ(A1:A3,B1:B3)", "SLOPE": "=SLOPE(A1:A3,B1:B3)",
    "INTERCEPT": "=INTERCEPT(A1:A3,B1:B3)", "COVARIANCE.P": "=COVARIANCE.P(A1:A3,B1:B3)",
    "COVAR": "=COVAR(A1:A3,B1:B3)", "COVARIANCE.S": "=COVARIANCE.S(A1:A3,B1:B3)",
    "SUMIF": '=SUMIF(E1:E3,">1",A1:A3)', "SUMIFS": '=SUMIFS(A1:A3,E1:E3,"<3")',
    "AVERAGEIF": '=AVERAGEIF(E1:E3,">1",A1:A3)', "AVERAGEIFS": '=AVERAGEIFS(A1:A3,E1:E3,">1")',
    "MINIFS": '=MINIFS(A1:A3,E1:E3,">1")', "MAXIFS": '=MAXIFS(A1:A3,E1:E3,">1")',
    "ABS": "=ABS(A1-1)", "SQRT": "=SQRT(A1)", "EXP": "=EXP(A1)", "LN": "=LN(A1)",
    "LOG": "=LOG(A1,B1)", "LOG10": "=LOG10(A1)", "POWER": "=POWER(A1,B1)",
    "MOD": "=MOD(A1*10,B1)", "SIN": "=SIN(A1)", "COS": "=COS(A1)", "TAN": "=TAN(A1)",
    "SINH": "=SINH(A1)", "COSH": "=COSH(A1)", "TANH": "=TANH(A1)", "ATAN": "=ATAN(A1)",
    "ASINH": "=ASINH(A1)", "DEGREES": "=DEGREES(A1)", "RADIANS": "=RADIANS(A1)",
    "ASIN": "=ASIN(A1)", "ACOS": "=ACOS(A1)", "ATANH": "=ATANH(A1)", "ACOSH": "=ACOSH(B1)",
    "ATAN2": "=ATAN2(A1,B1)", "MMULT": "=SUM(MMULT(A1:C3,A1:C3))",
    "TRANSPOSE": "=SUMPRODUCT(TRANSPOSE(A1:C1),A1:A3)", "MDETERM": "=MDETERM(A1:C3)",
    "MINVERSE": "=SUMSQ(MINVERSE(A1:C3))", "IF": "=IF(A1>0.2,A1*B1,A1)",
    "IFS": "=IFS(A1>9,1,A1>0,A1*B1)", "SWITCH": "=SWITCH(E1,1,A1*B1,2,B1)",
    "CHOOSE": "=CHOOSE(E2,A1,A1*B1)", "IFERROR": "=IFERROR(A1/E4,A1*B1)",
    "IFNA": "=IFNA(NA(),A1*B1)", "N": "=N(A1)*B1", "LET": "=LET(x,A1*2,y,x+B1,x*y)",
    "INDEX": "=INDEX(A1:C3,2,3)*A1", "VLOOKUP": "=VLOOKUP(2,E1:F3,2,FALSE)*A1",
    "HLOOKUP": "=HLOOKUP(1,E1:F3,2,FALSE)*A1", "LOOKUP": "=LOOKUP(2,E1:E3,A1:A3)",
    "XLOOKUP": "=XLOOKUP(2,E1:E3,A1:A3)*B1", "OFFSET": "=SUM(OFFSET(A1,1,1,2,2))*A1",
    "INDIRECT": '=INDIRECT("B2")*A1', "SEQUENCE": "=SUM(SEQUENCE(3,1,A1,B1))",
    "NORM.DIST": "=NORM.DIST(A1,B1,C1,TRUE)", "NORMDIST": "=NORMDIST(A1,B1,C1,FALSE)",
    "NORM.S.DIST": "=NORM.S.DIST(A1,TRUE)", "NORMSDIST": "=NORMSDIST(A1)",
    "NORM.S.INV": "=NORM.S.INV(A1)", "NORMSINV": "=NORMSINV(A1)",
    "NORM.INV": "=NORM.INV(A1,B1,C1)", "NORMINV": "=NORMINV(A1,B1,C1)",
    "VSTACK": "=SUMSQ(VSTACK(A1:B1,B2:C2))", "HSTACK": "=SUMSQ(HSTACK(A1,C2))",
    "TAKE": "=SUMSQ(TAKE(A1:C3,2))", "DROP": "=SUMSQ(DROP(A1:C3,1))",
    "TOCOL": "=SUMSQ(TOCOL(A1:C3))", "TOROW": "=SUMSQ(TOROW(A1:C3))",
    "FILTER": "=SUMSQ(FILTER(A1:A3,E1:E3>1))",
    "SORTBY": "=SUMPRODUCT(SORTBY(A1:A3,E1:E3,-1),E1:E3)",
    "LEARN.SIGMOID": "=LEARN.SIGMOID(A1)", "LEARN.RELU": "=LEARN.RELU(A1-1)+LEARN.RELU(B1)",
    "LEARN.LEAKYRELU": "=LEARN.LEAKYRELU(A1-1)", "LEARN.SOFTPLUS": "=LEARN.SOFTPLUS(A1)",
    "LEARN.SOFTMAX": "=SUMSQ(LEARN.SOFTMAX(A1:C3))", "LEARN.LOGSUMEXP": "=LEARN.LOGSUMEXP(A1:C3)",
    "GEOMEAN": "=GEOMEAN(A1:C3)", "HARMEAN": "=HARMEAN(A1:C3)", "AVEDEV": "=AVEDEV(A1:C3)",
    "SKEW": "=SKEW(A1:C3)", "KURT": "=KURT(A1:C3)", "AVERAGEA": "=AVERAGEA(A1:C3)",
    "MAXA": "=MAXA(A1:C3)", "MINA": "=MINA(A1:C3)", "TRIMMEAN": "=TRIMMEAN(A1:C3,0.3)",
    "PERCENTILE.EXC": "=PERCENTILE.EXC(A1:C3,0.3)", "QUARTILE.EXC": "=QUARTILE.EXC(A1:C3,1)",
    "STEYX": "=STEYX(A1:A3,B1:B3)", "FORECAST": "=FORECAST(A3,A1:A3,B1:B3)",
    "FORECAST.LINEAR": "=FORECAST.LINEAR(A3,A1:A3,B1:B3)",
    "STANDARDIZE": "=STANDARDIZE(A1,B1,C1)", "BINOM.DIST": "=BINOM.DIST(2,5,A1,TRUE)",
    "POISSON.DIST": "=POISSON.DIST(2,B1,TRUE)", "EXPON.DIST": "=EXPON.DIST(A1,B1,FALSE)",
    "SUBTOTAL": "=SUBTOTAL(9,A1:C3)*SUBTOTAL(107,A1:C3)", "AGGREGATE": "=AGGREGATE(14,6,A1:C3,2)",
    "PMT": "=PMT(A1,B1,C1,A2)", "FV": "=FV(A1,B1,C1,A2,1)", "PV": "=PV(A1,B1,C1,A2)",
    "NPER": "=NPER(A1,B1,C1,A2,1)", "IPMT": "=IPMT(A1,2,3,C1,A2)", "PPMT": "=PPMT(A1,2,3,C1,A2,1)",
    "SLN": "=SLN(A1,B1,C1)", "SYD": "=SYD(C1,A1,2.2,1.2)", "EFFECT": "=EFFECT(A1,E3)",
    "NOMINAL": "=NOMINAL(A1,E3)", "RRI": "=RRI(A1,B1,C1)", "PDURATION": "=PDURATION(A1,B1,C1)",
    "NPV": "=NPV(A1,A2:C2,B1)", "IRR": "=IRR(IF({1,0,0;0,0,0;0,0,0},-9*A1:C3,A1:C3))",
    "XIRR": "=XIRR(IF({1,0,0},-2*A1:C1,A1:C1),{39448,39508,39751})",
    "XNPV": "=XNPV(A1,A2:C2,{39448,39508,39751})", "RATE": "=RATE(C1*4,-A1,B1)",
    "ERF": "=ERF(A1,B1)+ERF(A2)", "ERF.PRECISE": "=ERF.PRECISE(A1)", "ERFC": "=ERFC(A1)",
    "ERFC.PRECISE": "=ERFC.PRECISE(A1)", "GAMMALN": "=GAMMALN(A1)", "GAMMA": "=GAMMA(A1)*GAMMA(B1)",
    "GAMMALN.PRECISE": "=GAMMALN.PRECISE(B1)", "GAUSS": "=GAUSS(A1)", "PHI": "=PHI(A1)",
    "FISHER": "=FISHER(A1)", "FISHERINV": "=FISHERINV(A1)", "SQRTPI": "=SQRTPI(A1)",
    "LOGNORM.DIST": "=LOGNORM.DIST(A1,B1,C1,TRUE)*LOGNORM.DIST(A1,B1,C1,FALSE)",
    "LOGNORM.INV": "=LOGNORM.INV(A1,B1,C1)", "WEIBULL.DIST": "=WEIBULL.DIST(A1,B1,C1,TRUE)",
    "WEIBULL": "=WEIBULL(A1,B1,C1,FALSE)", "CONFIDENCE.NORM": "=CONFIDENCE.NORM(A1,B1,E3)",
    "SEC": "=SEC(A1)", "CSC": "=CSC(A1)", "COT": "=COT(A1)", "SECH": "=SECH(A1)",
    "CSCH": "=CSCH(A1)", "COTH": "=COTH(A1)", "ACOT": "=ACOT(A1)", "ACOTH": "=ACOTH(B1)",
    "LINEST": "=SUM(LINEST(A1:A3,B1:B3))", "LOGEST": "=SUM(LOGEST(A1:A3,B1:B3))",
    "TREND": "=TREND(A1:A3,B1:B3,C1)", "GROWTH": "=GROWTH(A1:A3,B1:B3,C1)",
    "CHOOSECOLS": "=SUMSQ(CHOOSECOLS(A1:C3,3,1))", "CHOOSEROWS": "=SUMSQ(CHOOSEROWS(A1:C3,-1))",
    "WRAPROWS": "=SUMSQ(WRAPROWS(A1:C1,2,0))", "WRAPCOLS": "=SUMSQ(WRAPCOLS(A1:C1,2,0))",
    "EXPAND": "=SUMSQ(EXPAND(A1:C1,2,4,1))", "SKEW.P": "=SKEW.P(A1:C3)",
    "VARA": "=VARA(A1:C3)", "VARPA": "=VARPA(A1:C3)", "STDEVA": "=STDEVA(A1:C3)",
    "STDEVPA": "=STDEVPA(A1:C3)", "BINOMDIST": "=BINOMDIST(2,5,A1,TRUE)",
    "POISSON": "=POISSON(2,B1,TRUE)", "EXPONDIST": "=EXPONDIST(A1,B1,FALSE)",
    "LEARN.MSE": "=LEARN.MSE(A1:A3,B1:B3)", "LEARN.RMSE": "=LEARN.RMSE(A1:A3,B1:B3)",
}  # fmt: skip
OPERATORS = {
    "arithmetic": "=(A1+B1)*C1-A2/B2",
    "square": "=(A1-B1)^2",
    "powers": "=A1^3+B1^0.5+2^C1+A2^-1",
    "percent and sign": "=-A1%+(+B1)",
    "cross entropy": "=-(E1*LN(A1)+(1-E1)*LN(B1))",
    "a condition on a sum": "=IF(SUM(A1:A3)>3,SUMSQ(A1:A3),0)",
    "an array formula": "=SUMPRODUCT((A1:A3-B1:B3)^2*C1:C3)",
    "an intermediate maximum": "=MAX(A1*B1,C1*C2)+MIN(A3,B3)",
}
SORTED_BY_PARAMETERS = {"SORT", "UNIQUE"}  # refused: the order depends on the parameters


def objective_of(formula: str, extra: dict[str, object] | None = None) -> Objective:
    book = Book()
    book.fill("A1", [[0.3, 1.7, 2.2], [0.9, 1.1, 0.6], [2.5, 1.4, 0.8]])
    book.fill("E1", [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    for address, content in (extra or {}).items():
        book.put(address, content)  # type: ignore[arg-type]
    array = "H1" if re.search("IRR|LINEST|LOGEST|CHOOSE|WRAP|EXPAND", formula) else None
    array = "H1" if "MMULT" in formula or "MINVERSE" in formula or "FILTER" in formula else array
    array = "H1" if "SORTBY" in formula or "STACK" in formula else array
    book.put("H1", formula, array=array or ("H1" if "SOFTMAX" in formula else None))
    program = compile_program(book)
    return program.objective((0, Cell(0, 7)), [(0, Region.parse("A1:C3"))])


def differences(objective: Objective, theta: torch.Tensor) -> np.ndarray:
    found = []
    for i in range(len(theta)):
        step = torch.zeros_like(theta)
        step[i] = 1e-6 * max(1.0, float(theta[i].abs()))
        up, down = objective.loss(theta + step), objective.loss(theta - step)
        found.append(float(up - down) / float(2 * step[i]))
    return np.array(found)


@pytest.mark.parametrize("formula", [*FORMULAS.values(), *OPERATORS.values()])
def test_gradient_matches_central_differences(formula: str) -> None:
    objective = objective_of(formula)
    theta = objective.theta0
    loss, gradient = objective.loss_and_gradient(theta)
    slow_loss, slow = objective._slow_gradient(theta)
    wanted = differences(objective, theta)
    assert float(loss) == pytest.approx(float(slow_loss), rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(gradient.numpy(), slow.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gradient.numpy(), wanted, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("formula", [*FORMULAS.values(), "=SUM(VSTACK(A1))", "=SUM(TAKE(A1:A3,1))"])
def test_gradient_is_right_where_a_range_has_one_cell(formula: str) -> None:
    short = re.sub(r"([A-F])[1-3]:([A-F])[1-3]", r"\g<1>1:\g<1>1", formula)
    try:
        objective = objective_of(short)
    except FormulaError:
        return  # it has no value there, such as the slope of one point
    loss, gradient = objective.loss_and_gradient(objective.theta0)
    if math.isfinite(float(loss)):
        wanted = differences(objective, objective.theta0)
        np.testing.assert_allclose(gradient.numpy(), wanted, rtol=2e-6, atol=2e-7)


def test_every_function_with_a_gradient_is_checked() -> None:
    smooth = {
        name for name, entry in FUNCTIONS.items() if not entry.gradient.startswith("none")
    }
    assert smooth - set(FORMULAS) - SORTED_BY_PARAMETERS == set()


@pytest.mark.parametrize(
    "formula",
    [
        "=IF(A1>0,SQRT(A1),0)", "=SQRT(SUMSQ(A1:C3))", "=SQRT(A1)", "=STDEV.P(A1:C3)",
        "=IF(A1=0,0,A1*LN(A1))", "=IF(A1>0,1/A1,0)", "=IFERROR(LN(A1),0)+B1", "=A1^0.5", "=ABS(A1)",
        "=LEARN.RMSE(A1:A3,B1:B3)", "=IF(A1=0,0,B1/A1)", "=ASIN(1-A1)", "=ACOSH(A1+1)",
        "=LEARN.RELU(A1)",
    ],
)  # fmt: skip
def test_gradient_at_an_edge_is_finite(formula: str) -> None:
    objective = objective_of(formula)
    loss, gradient = objective.loss_and_gradient(torch.zeros(9, dtype=torch.float64))
    assert math.isfinite(float(loss))
    assert bool(torch.isfinite(gradient).all())


def test_a_maximum_shares_its_gradient_at_a_tie() -> None:
    objective = objective_of("=MAX(0,A1)")
    _, gradient = objective.loss_and_gradient(torch.zeros(9, dtype=torch.float64))
    assert float(gradient[0]) == 0.5


def test_a_condition_takes_one_branch_at_a_tie() -> None:
    objective = objective_of("=IF(A1<0,0,A1)")
    _, gradient = objective.loss_and_gradient(torch.zeros(9, dtype=torch.float64))
    assert float(gradient[0]) == 1.0


@pytest.mark.parametrize("formula", ["=OFFSET(A1,ROUND(A1,0),0)", "=INDEX(A1:C3,A2,1)",
                                     "=CHOOSE(A2+1,1,A1)", '=INDIRECT("A"&ROUND(A2,0))',
                                     "=VLOOKUP(A2,E1:F3,2)"])  # fmt: skip
def test_an_address_that_depends_on_parameters_is_refused(formula: str) -> None:
    with pytest.raises(FormulaError, match="no gradient flows through an address"):
        objective_of(formula)


def test_a_constant_address_lets_the_gradient_of_the_value_through() -> None:
    objective = objective_of("=OFFSET(A1,E1,E2)")
    _, gradient = objective.loss_and_gradient(objective.theta0)
    assert gradient.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0]


def test_text_made_of_a_parameter_is_computed_without_a_gradient() -> None:
    objective = objective_of('=LEN(A1&"")*B1')
    assert not objective.is_specialised
    _, gradient = objective.loss_and_gradient(objective.theta0)
    assert gradient.tolist() == [0, 3, 0, 0, 0, 0, 0, 0, 0]


def test_calculate_helper_sees_the_same_value() -> None:
    assert calculate({"A1": 4, "H1": "=SQRT(A1)"})["H1"] == 2.0
