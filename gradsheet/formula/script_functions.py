"""Functions of the spreadsheet in batched PyTorch, for a script that people read.

Owns the table of those with a short counterpart, and how a function that gathers a range finds
the dimension to do it along. A function that is not here is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gradsheet.formula.script_cells import NoScriptError
from gradsheet.formula.script_code import ATOM, MULTIPLY, POWER, SIGN, BlockCoder, Piece, View
from gradsheet.formula.syntax import Binary, Call, Expr, Range, Ref, Text, children, references

_ONE = {
    "SQRT": "torch.sqrt({})", "EXP": "torch.exp({})", "LN": "torch.log({})",
    "LOG10": "torch.log10({})", "ABS": "torch.abs({})", "SIN": "torch.sin({})",
    "COS": "torch.cos({})", "TAN": "torch.tan({})", "SINH": "torch.sinh({})",
    "COSH": "torch.cosh({})", "TANH": "torch.tanh({})", "ATAN": "torch.atan({})",
    "ASIN": "torch.asin({})", "ACOS": "torch.acos({})", "SIGN": "torch.sign({})",
    "LEARN.SIGMOID": "torch.sigmoid({})", "LEARN.RELU": "torch.relu({})",
    "LEARN.SOFTPLUS": "torch.nn.functional.softplus({})",
}  # fmt: skip
"""Functions of one number."""


def call(coder: BlockCoder, expr: Call) -> Piece:
    """Write a call. Raises NoScriptError for a function that is not known here."""
    name, args = expr.name, expr.args
    if name in _ONE and len(args) == 1:
        inner = coder.counted(coder.write(args[0]))
        text = _ONE[name].format(coder.tensor(inner))
        return replace(inner, text=text, power=ATOM, is_number=False)
    if name == "PI" and not args:
        return Piece("math.pi", is_number=True)
    if name == "POWER" and len(args) == 2:
        return coder.write(Binary("^", *args))
    if name == "SUMPRODUCT" and len(args) == 1:
        return gathered(coder, args, _sum)
    rule = _RULES.get(name)
    if rule is None:
        raise NoScriptError(name)
    return rule(coder, args)


# ------------------------------------------------------------------ choices


def _if(coder: BlockCoder, args: Sequence[Expr]) -> Piece:
    if len(args) != 3:
        raise NoScriptError("IF without a third argument")
    test, yes, no = (coder.write(arg) for arg in args)
    if test.is_number:
        raise NoScriptError("a choice that is none")
    if not test.is_truth:
        test = replace(coder.counted(test), is_truth=True)
        test = replace(test, text=f"{test.held(POWER)} != 0")
    branches = [p if p.gaps else coder.counted(p) for p in (yes, no)]
    gaps = any(p.gaps for p in branches)
    texts = any(p.texts for p in branches)
    text = f"torch.where({test.text}, {branches[0].text}, {branches[1].text})"
    return Piece(text, gaps=gaps, texts=texts,
                 is_array=test.is_array or yes.is_array or no.is_array)  # fmt: skip


def _logical(sign: str) -> Callable[[BlockCoder, Sequence[Expr]], Piece]:
    def rule(coder: BlockCoder, args: Sequence[Expr]) -> Piece:
        parts = [coder.write(arg) for arg in args]
        if not parts or any(not p.is_truth or p.is_array or p.is_number for p in parts):
            raise NoScriptError("a logical function of numbers")
        text = f" {sign} ".join(p.held(SIGN) for p in parts)
        return Piece(text, ATOM if len(parts) == 1 else 2, is_truth=True)

    return rule


def _not(coder: BlockCoder, args: Sequence[Expr]) -> Piece:
    piece = coder.write(args[0])
    if not piece.is_truth or piece.is_number:
        raise NoScriptError("NOT of a number")
    return replace(piece, text=f"~{piece.held(POWER)}", power=SIGN)


def _is_blank(coder: BlockCoder, args: Sequence[Expr]) -> Piece:
    return coder.write(Binary("=", args[0], Text("")))


# ------------------------------------------------------------------ gathering


def gathered(
    coder: BlockCoder, args: Sequence[Expr],
    gather: Callable[[BlockCoder, Sequence[Piece], str], Piece],
) -> Piece:  # fmt: skip
    """Write a function that makes one number of ranges, along the dimension that they lie in."""
    if coder.is_single:
        return replace(gather(coder, [coder.write(arg) for arg in args], ""), is_array=False)
    before, coder.view = coder.view, _view_for(coder, args)
    dims = {"row": "1, keepdim=True", "column": "0, keepdim=True", "all": "(2, 3)", "cell": ""}
    try:
        pieces = [coder.write(arg) for arg in args]
        return replace(gather(coder, pieces, dims[coder.view]), is_array=False)
    finally:
        coder.view = before


def _view_for(coder: BlockCoder, args: Sequence[Expr]) -> View:
    nodes = [n for arg in args for n in references(arg) if isinstance(n, (Ref, Range))]
    areas = [coder.area(n) for n in nodes]
    ranges = [a for a in areas if not a.is_cell]
    if not ranges:
        return "cell"
    cols_still = all(a.col_step == 0 for a in areas)
    rows_still = all(a.row_step == 0 for a in areas)
    if coder.part.cols == 1 and cols_still and all(a.height == 1 for a in ranges):
        return "row"
    if coder.part.rows == 1 and rows_still and all(a.width == 1 for a in ranges):
        return "column"
    return "all"


def _over(function: str, text: str, dims: str) -> str:
    return f"{function}({text}, {dims})" if dims else f"{function}({text})"


def _sum(coder: BlockCoder, pieces: Sequence[Piece], dims: str) -> Piece:
    texts = []
    for piece in pieces:
        if not piece.is_array:
            texts.append(coder.counted(piece).held(MULTIPLY))
        elif piece.gaps:
            texts.append(_over("torch.nansum", piece.text, dims))
        else:
            texts.append(_over("torch.sum", coder.counted(piece).text, dims))
    return Piece(" + ".join(texts), ATOM if len(texts) == 1 else 3)


def _squares(coder: BlockCoder, pieces: Sequence[Piece], dims: str) -> Piece:
    squared = [replace(p, text=f"{p.held(POWER + 1)} ** 2", power=POWER) for p in pieces]
    return _sum(coder, squared, dims)


def _count(coder: BlockCoder, pieces: Sequence[Piece], dims: str) -> Piece:
    texts = []
    for piece in pieces:
        if not piece.is_array:
            if piece.gaps:
                raise NoScriptError("a count of a blank")
            texts.append("1")
            continue
        texts.append(_over("torch.sum", f"~torch.isnan({piece.text})", dims))
    return Piece(" + ".join(texts), ATOM if len(texts) == 1 else 3)


def _average(coder: BlockCoder, pieces: Sequence[Piece], dims: str) -> Piece:
    if len(pieces) == 1 and pieces[0].is_array:
        function = "torch.nanmean" if pieces[0].gaps else "torch.mean"
        return Piece(_over(function, pieces[0].text, dims))
    total, count = _sum(coder, pieces, dims), _count(coder, pieces, dims)
    return Piece(f"{total.held(MULTIPLY)} / {count.held(POWER)}", MULTIPLY)


def _products(coder: BlockCoder, pieces: Sequence[Piece], dims: str) -> Piece:
    factors = [coder.counted(p).held(MULTIPLY) for p in pieces]
    return Piece(_over("torch.sum", " * ".join(factors), dims))


def _difference_squares(coder: BlockCoder, pieces: Sequence[Piece], dims: str) -> Piece:
    """Sum of squared differences over the pairs in which both are numbers."""
    a, b = pieces
    difference = f"{a.held(3)} - {b.held(4)}"
    gaps = [f"torch.isnan({p.text})" for p in (a, b) if p.gaps]
    if gaps:
        difference = f"torch.where({' | '.join(gaps)}, 0.0, {difference})"
    else:
        difference = f"({difference})"
    return Piece(_over("torch.sum", f"{difference} ** 2", dims))


def _mean_squares(coder: BlockCoder, pieces: Sequence[Piece], dims: str) -> Piece:
    total = _difference_squares(coder, pieces, dims)
    both = " & ".join(f"~torch.isnan({p.text})" for p in pieces)
    count = _over("torch.sum", both, dims)
    return Piece(f"{total.text} / {count}", MULTIPLY)


def _root_mean_squares(coder: BlockCoder, pieces: Sequence[Piece], dims: str) -> Piece:
    return Piece(f"torch.sqrt({_mean_squares(coder, pieces, dims).text})")


def _extreme(name: str) -> Callable[[BlockCoder, Sequence[Piece], str], Piece]:
    def gather(coder: BlockCoder, pieces: Sequence[Piece], dims: str) -> Piece:
        texts = []
        for piece in pieces:
            if piece.gaps:
                raise NoScriptError("an extreme of blanks")
            if piece.is_array:
                texts.append(_over(f"torch.a{name}", piece.text, dims))
            else:
                texts.append(coder.tensor(coder.counted(piece)))
        text = texts[0]
        for other in texts[1:]:
            text = f"torch.{name}imum({text}, {other})"
        return Piece(text)

    return gather


# ------------------------------------------------------------------ matrices


def _matrix_product(coder: BlockCoder, args: Sequence[Expr]) -> Piece:
    a, b = args
    if coder.is_single:
        left, right = (coder.counted(coder.write(arg)) for arg in args)
        product = f"{left.held(MULTIPLY)} @ {right.held(MULTIPLY + 1)}"
        if coder.view == "all":
            return Piece(product, MULTIPLY, is_array=True)
        return Piece(f"({product})[0, 0]")
    if isinstance(a, Range) and isinstance(b, Range) and coder.view == "cell":
        first, second = coder.area(a), coder.area(b)
        if first.height == 1 and second.width == 1 and not first.col_step and not second.row_step:
            part = coder.part
            texts = [coder.cells.at(x.sheet, x.hull(part.rows, part.cols)) for x in (first, second)]
            if any(owner is None or owner.gaps for _, owner in texts):
                raise NoScriptError("a product of blanks")
            return Piece(f"{texts[0][0]} @ {texts[1][0]}", MULTIPLY)
    raise NoScriptError("a matrix product a cell")


def _transpose(coder: BlockCoder, args: Sequence[Expr]) -> Piece:
    inner = coder.write(args[0])
    if not coder.is_single or not inner.is_array:
        raise NoScriptError("a transpose a cell")
    return replace(inner, text=f"{inner.held(ATOM)}.T", power=ATOM)


def _size(side: str) -> Callable[[BlockCoder, Sequence[Expr]], Piece]:
    def rule(coder: BlockCoder, args: Sequence[Expr]) -> Piece:
        if len(args) != 1 or not isinstance(args[0], (Ref, Range)):
            raise NoScriptError("the size of something computed")
        area = coder.area(args[0])
        return Piece(f"{float(area.height if side == 'rows' else area.width)}", is_number=True)

    return rule


def _gathering(
    gather: Callable[[BlockCoder, Sequence[Piece], str], Piece], count: int | None = None
) -> Callable[[BlockCoder, Sequence[Expr]], Piece]:
    def rule(coder: BlockCoder, args: Sequence[Expr]) -> Piece:
        if not args or (count is not None and len(args) != count):
            raise NoScriptError("an unusual number of arguments")
        if any(isinstance(arg, Text) or _has_choice(arg) for arg in args):
            raise NoScriptError("a choice inside of a range")
        return gathered(coder, args, gather)

    return rule


def _has_choice(expr: Expr) -> bool:
    """Whether IF stands in an argument, which takes blanks by rules of its own there."""
    if isinstance(expr, Call) and expr.name == "IF":
        return True
    return any(_has_choice(child) for child in children(expr))


_RULES: dict[str, Callable[[BlockCoder, Sequence[Expr]], Piece]] = {
    "IF": _if,
    "AND": _logical("&"),
    "OR": _logical("|"),
    "NOT": _not,
    "ISBLANK": _is_blank,
    "SUM": _gathering(_sum),
    "SUMSQ": _gathering(_squares),
    "AVERAGE": _gathering(_average),
    "COUNT": _gathering(_count),
    "SUMPRODUCT": _gathering(_products),
    "SUMXMY2": _gathering(_difference_squares, 2),
    "LEARN.MSE": _gathering(_mean_squares, 2),
    "LEARN.RMSE": _gathering(_root_mean_squares, 2),
    "MIN": _gathering(_extreme("min")),
    "MAX": _gathering(_extreme("max")),
    "MMULT": _matrix_product,
    "TRANSPOSE": _transpose,
    "ROWS": _size("rows"),
    "COLUMNS": _size("columns"),
}
