"""A small tree of mathematical writing, and the two ways it is spelled: MathML and LaTeX.

Owns the nodes and their printing. A number may carry the cells it comes from; its place in the
MathML is then marked with an id. Knows no formula and no typesetter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from xml.sax.saxutils import escape

from gradsheet.formula.explain_cells import Source


@dataclass(frozen=True, slots=True)
class Num:
    """A number as text, with the cells it comes from."""

    text: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Sym:
    """A variable: one letter in italics (`hat` puts a ^ on it), a word upright."""

    text: str
    sub: str = ""
    hat: bool = False
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """An operator or a relation between its neighbours."""

    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """Text within a formula: a function's name, a remark."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """Parts side by side."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Fenced:
    """Something in parentheses, or between other signs."""

    inner: Tree
    left: str = "("
    right: str = ")"


@dataclass(frozen=True, slots=True)
class Frac:
    """A fraction."""

    top: Tree
    bottom: Tree


@dataclass(frozen=True, slots=True)
class Root:
    """A square root."""

    inner: Tree


@dataclass(frozen=True, slots=True)
class Power:
    """A base with an exponent."""

    base: Tree
    exponent: Tree


@dataclass(frozen=True, slots=True)
class Index:
    """A base with an index."""

    base: Tree
    index: Tree


@dataclass(frozen=True, slots=True)
class Big:
    """A large operator (∑, ∏) with its bounds, before its body."""

    sign: str
    under: Tree
    over: Tree
    body: Tree


Tree: TypeAlias = (
    Num | Sym | Sign | Words | Row | Fenced | Frac | Root | Power | Index | Big
)

_LATEX_SIGNS = {"·": r" \cdot ", "−": "-", "∑": r"\sum", "∏": r"\prod", "≤": r" \le ",
                "≥": r" \ge ", "≠": r" \ne ", "⋯": r"\cdots "}  # fmt: skip


class MathML:
    """Prints a tree as presentation MathML (W3C MathML Core).

    Rows are not nested where they need not be: ziamath 0.13 sets every row twice, so that the
    time doubles with each level (3.2 s for an RMSE before, see the explain line's notes).

    Attributes
    ----------
    links : list of Source
        The cells of the number with the id `nI`, by I.
    """

    def __init__(self) -> None:
        self.links: list[Source] = []

    def page(self, tree: Tree) -> str:
        """The whole `<math>` element."""
        return f'<math display="block"><mrow>{self.write(tree)}</mrow></math>'

    def _marked(self, source: Source | None) -> str:
        if source is None:
            return ""
        self.links.append(source)
        return f' id="n{len(self.links) - 1}"'

    # One case for each node: a table of functions would be longer.
    def write(self, tree: Tree) -> str:
        """One node with all below it."""
        match tree:
            case Num(text, source):
                mark = self._marked(source)
                if text[:1] in "-−":
                    return f"<mrow{mark}><mo>−</mo><mn>{escape(text[1:])}</mn></mrow>"
                return f"<mn{mark}>{escape(text)}</mn>"
            case Sym(text, sub, hat, source):
                return self._symbol(text, sub, hat, source)
            case Sign(text):
                return f"<mo>{escape(text)}</mo>"
            case Words(text):
                return f"<mtext>{escape(text)}</mtext>"
            case Row(items):
                return "".join(self.write(item) for item in items)
            case Fenced(inner, left, right):
                stretch = "" if _is_tall(inner) else ' stretchy="false"'
                body = f"<mo{stretch}>{left}</mo>{self.write(inner)}<mo{stretch}>{right}</mo>"
                return f"<mrow>{body}</mrow>" if stretch == "" else body
            case Frac(top, bottom):
                return f"<mfrac>{self._one(top)}{self._one(bottom)}</mfrac>"
            case Root(inner):
                return f"<msqrt>{self._one(inner)}</msqrt>"
            case Power(base, exponent):
                return f"<msup>{self._one(base)}{self._one(exponent)}</msup>"
            case Index(base, index):
                return f"<msub>{self._one(base)}{self._one(index)}</msub>"
            case Big(sign, under, over, body):
                bounds = f"{self._one(under)}{self._one(over)}"
                head = f"<munderover><mo>{sign}</mo>{bounds}</munderover>"
                return f"{head}{self.write(body)}"

    def _one(self, tree: Tree) -> str:
        """A node that counts as one child: rows in a row of their own."""
        text = self.write(tree)
        is_one = isinstance(tree, (Num, Sym, Sign, Words, Frac, Root, Power, Index))
        return text if is_one else f"<mrow>{text}</mrow>"

    def _symbol(self, text: str, sub: str, hat: bool, source: Source | None) -> str:
        mark = self._marked(source)
        if len(text) > 1:
            body = f"<mtext>{escape(text)}</mtext>"
        elif hat:
            body = f'<mover accent="true"><mi>{escape(text)}</mi><mo>^</mo></mover>'
        else:
            body = f"<mi>{escape(text)}</mi>"
        if sub:
            body = f"<msub>{body}<mi>{escape(sub)}</mi></msub>"
        end = body.index(">") if not body.startswith("<mover") else len("<mover")
        return f"{body[:end]}{mark}{body[end:]}"


def _is_tall(tree: Tree) -> bool:
    """Whether something is higher than a line of text."""
    match tree:
        case Frac() | Root() | Big():
            return True
        case Row(items):
            return any(_is_tall(item) for item in items)
        case Fenced(inner, _, _):
            return _is_tall(inner)
        case Power(base, _) | Index(base, _):
            return _is_tall(base)
        case _:
            return False


def latex(tree: Tree) -> str:
    """The tree as LaTeX, without dollar signs."""
    match tree:
        case Num(text, _):
            return text.replace("−", "-").replace(",", "{,}")
        case Sym(text, sub, hat, _):
            body = text if len(text) == 1 else rf"\mathrm{{{text}}}"
            body = rf"\hat{{{body}}}" if hat else body
            return f"{body}_{{{sub}}}" if sub else body
        case Sign(text):
            return _LATEX_SIGNS.get(text, f" {text} ")
        case Words(text):
            escaped = text.replace("_", r"\_").replace("%", r"\%").replace("&", r"\&")
            return rf"\text{{{escaped}}}"
        case Row(items):
            return "".join(latex(item) for item in items)
        case Fenced(inner, left, right):
            sides = {"|": ("|", "|"), "{": (r"\{", r"\}")}
            opening, closing = sides.get(left, (left, right))
            return rf"\left{opening} {latex(inner)} \right{closing}"
        case Frac(top, bottom):
            return rf"\frac{{{latex(top)}}}{{{latex(bottom)}}}"
        case Root(inner):
            return rf"\sqrt{{{latex(inner)}}}"
        case Power(base, exponent):
            return f"{{{latex(base)}}}^{{{latex(exponent)}}}"
        case Index(base, index):
            return f"{{{latex(base)}}}_{{{latex(index)}}}"
        case Big(sign, under, over, body):
            return f"{_LATEX_SIGNS[sign]}_{{{latex(under)}}}^{{{latex(over)}}} {latex(body)}"
