"""Formulas as Excel's files spell them, which is not how Excel shows them.

Owns the prefixes of newer functions, `_xlfn.SINGLE(` for `@`, `_xlfn.ANCHORARRAY(` for `#`, the
long form of structured references, and our own functions in terms of Excel's. Knows no XML.
"""

from __future__ import annotations

from functools import lru_cache

from gradsheet.formula.address import Cell
from gradsheet.formula.syntax import (
    Call,
    ErrorLiteral,
    Expr,
    Name,
    Number,
    SpillRef,
    TableRef,
    Unary,
    children,
    parse,
    transform,
    unparse,
)
from gradsheet.formula.values import ErrorCode
from gradsheet.sheet.workbook import Sheet, Workbook

MAX_CHARS = 8_192
"""Of a formula in Excel."""

# Functions younger than Excel 2007: Microsoft, "Issue: An _xlfn. prefix is displayed in front of
# a formula", and [MS-XLSX] 2.2.2.
_YOUNG = frozenset(
    """
    ACOT ACOTH AGGREGATE ARABIC ARRAYTOTEXT BASE BETA.DIST BETA.INV BINOM.DIST BINOM.DIST.RANGE
    BINOM.INV BITAND BITLSHIFT BITOR BITRSHIFT BITXOR BYCOL BYROW CEILING.MATH CEILING.PRECISE
    CHISQ.DIST CHISQ.DIST.RT CHISQ.INV CHISQ.INV.RT CHISQ.TEST CHOOSECOLS CHOOSEROWS COMBINA
    CONCAT CONFIDENCE.NORM CONFIDENCE.T COT COTH COVARIANCE.P COVARIANCE.S CSC CSCH DAYS DECIMAL
    DROP ENCODEURL ERF.PRECISE ERFC.PRECISE EXPAND EXPON.DIST F.DIST F.DIST.RT F.INV F.INV.RT
    F.TEST FIELDVALUE FILTERXML FLOOR.MATH FLOOR.PRECISE FORECAST.ETS FORECAST.ETS.CONFINT
    FORECAST.ETS.SEASONALITY FORECAST.ETS.STAT FORECAST.LINEAR FORMULATEXT GAMMA GAMMA.DIST
    GAMMA.INV GAMMALN.PRECISE GAUSS GROUPBY HSTACK HYPGEOM.DIST IFNA IFS IMAGE IMCOSH IMCOT IMCSC
    IMCSCH IMSEC IMSECH IMSINH IMTAN ISFORMULA ISOMITTED ISOWEEKNUM LAMBDA LET LOGNORM.DIST
    LOGNORM.INV MAKEARRAY MAP MAXIFS MINIFS MODE.MULT MODE.SNGL MUNIT NEGBINOM.DIST NORM.DIST
    NORM.INV NORM.S.DIST NORM.S.INV NUMBERVALUE PDURATION PERCENTILE.EXC PERCENTILE.INC PERCENTOF
    PERCENTRANK.EXC PERCENTRANK.INC PERMUTATIONA PHI PIVOTBY POISSON.DIST QUARTILE.EXC
    QUARTILE.INC RANDARRAY RANK.AVG RANK.EQ REDUCE REGEXEXTRACT REGEXREPLACE REGEXTEST RRI SCAN
    SEC SECH SEQUENCE SHEET SHEETS SKEW.P SORTBY STDEV.P STDEV.S STOCKHISTORY SWITCH T.DIST
    T.DIST.2T T.DIST.RT T.INV T.INV.2T T.TEST TAKE TEXTAFTER TEXTBEFORE TEXTJOIN TEXTSPLIT TOCOL
    TOROW TRANSLATE TRIMRANGE UNICHAR UNICODE UNIQUE VALUETOTEXT VAR.P VAR.S VSTACK WEBSERVICE
    WEIBULL.DIST WRAPCOLS WRAPROWS XLOOKUP XMATCH XOR Z.TEST
    """.split()  # noqa: SIM905
)
_YOUNG_OF_SHEETS = frozenset({"FILTER", "SORT"})

# Where the function reference's spelling needs an array formula, one that does not; and what an
# argument that is left out stands for.
_SPELLINGS = {
    "LEARN.SOFTMAX": "EXP(score)/SUMPRODUCT(EXP(scores)*ISNUMBER(scores))",
    "LEARN.LOGSUMEXP": "LN(SUMPRODUCT(EXP(scores)*ISNUMBER(scores)))",
    "LEARN.MSE": (
        "SUMXMY2(actual,predicted)/SUMPRODUCT(ISNUMBER(actual)*ISNUMBER(predicted))"
    ),
    "LEARN.RMSE": (
        "SQRT(SUMXMY2(actual,predicted)/SUMPRODUCT(ISNUMBER(actual)*ISNUMBER(predicted)))"
    ),
}
_OMITTED: dict[tuple[str, str], Expr] = {
    ("LEARN.LEAKYRELU", "slope"): Number(0.01),
    ("LEARN.SOFTMAX", "score"): Name(None, "scores"),
}


class Spelling:
    """Formula texts of one sheet.

    Attributes
    ----------
    lost_links : formulas in which a reference to another file became #REF!
    """

    def __init__(self, workbook: Workbook, sheet: Sheet | None) -> None:
        self._workbook = workbook
        self._sheet = sheet
        self.lost_links = 0

    def text(self, expr: Expr, host: Cell) -> str:
        """A formula without its leading `=`."""
        return unparse(self._spelled(expr, host), host)[1:]

    def _spelled(self, expr: Expr, host: Cell) -> Expr:
        if isinstance(expr, ErrorLiteral) and "[" not in expr.text:
            return expr  # kept as the file had it
        variables = _variables(expr)

        def change(node: Expr) -> Expr:
            match node:
                case Call(name, args):
                    return Call(_file_name(name), args)
                case Name(None, name) if name.casefold() in variables:
                    return Name(None, f"_xlpm.{name}")
                case Unary("@", x):
                    return Call("_xlfn.SINGLE", (x,))
                case SpillRef(ref):
                    return Call("_xlfn.ANCHORARRAY", (ref,))
                case TableRef():
                    return self._table(node, host)
                case ErrorLiteral(ErrorCode.UNSUPPORTED, text) if "!" in text:
                    self.lost_links += 1
                    return ErrorLiteral(ErrorCode.REF)
                case _:
                    return node

        return transform(transform(expr, in_plain_excel), change)

    def _table(self, node: TableRef, host: Cell) -> Expr:
        name = node.table
        if not name and self._sheet is not None:
            table = self._workbook.table_at(self._sheet.id, host)
            name = "" if table is None else table.name
        if not name:
            return ErrorLiteral(ErrorCode.REF)
        named = TableRef(name, node.items, node.first, node.last)
        if node.items != ("#This Row",):
            return named
        if node.first is None:
            return ErrorLiteral(ErrorCode.UNSUPPORTED, f"{name}[#This Row]")
        columns = unparse(TableRef(name, (), node.first, node.last or node.first), host)
        if node.last is None:
            columns = columns[: columns.rindex("]:[")] + "]]"
        inside = columns[len(name) + 2 : -1]
        return ErrorLiteral(ErrorCode.UNSUPPORTED, f"{name}[[#This Row],{inside}]")


def in_plain_excel(node: Expr) -> Expr:
    """A call of a function that only gradsheet has, in functions that Excel has."""
    if not isinstance(node, Call):
        return node
    template = _template(node.name)
    if template is None:
        return node
    expr, arguments = template
    given = dict(zip(arguments, node.args, strict=False))

    def put(part: Expr) -> Expr:
        if not isinstance(part, Name):
            return part
        value = given.get(part.name, _OMITTED.get((node.name, part.name), part))
        return put(value) if value is not part and isinstance(value, Name) and (
            part.name not in given
        ) else value  # fmt: skip

    return transform(expr, put)


@lru_cache(maxsize=256)
def _template(name: str) -> tuple[Expr, tuple[str, ...]] | None:
    from gradsheet.formula.functions import FUNCTIONS

    entry = FUNCTIONS.get(name)
    if entry is None or not entry.plain:
        return None
    arguments = tuple(argument.strip("[]") for argument in entry.arguments)
    return parse(_SPELLINGS.get(name, entry.plain), Cell(0, 0)), arguments


def _file_name(name: str) -> str:
    if name in _YOUNG:
        return f"_xlfn.{name}"
    return f"_xlfn._xlws.{name}" if name in _YOUNG_OF_SHEETS else name


def _variables(expr: Expr) -> set[str]:
    """Names that LET binds anywhere in a formula, folded."""
    found: set[str] = set()
    pending = [expr]
    while pending:
        node = pending.pop()
        if isinstance(node, Call) and node.name in ("LET", "LAMBDA"):
            names = node.args[:-1:2] if node.name == "LET" else node.args[:-1]
            found |= {arg.name.casefold() for arg in names if isinstance(arg, Name)}
        pending.extend(children(node))
    return found
