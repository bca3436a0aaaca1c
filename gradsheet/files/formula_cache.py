"""Each distinct relative formula is parsed once, however its A1 text differs from cell to cell.

Owns the key that two texts share exactly when one is the other filled to another cell. Knows no
file format.
"""

from __future__ import annotations

import re

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, column_index
from gradsheet.formula.syntax import ErrorLiteral, Expr, parse
from gradsheet.formula.values import ErrorCode, FormulaError

# What can hold something that only looks like a cell (strings, quoted sheet names, structured
# references) comes first and is kept as it is. Whole columns and rows make the text depend on
# the host in a way that is not worth following: those formulas are parsed cell by cell.
_PIECES = re.compile(
    r'"(?:[^"]|"")*"'
    r"|'(?:[^']|'')*'"
    r"|\[(?:'.|[^\[\]']|\[(?:'.|[^\[\]'])*\])*\]"
    r"|(?<![\w.$\\])(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})(?![\w.(\[!\\?])"
    r"|(?<![\w.$\\])(?P<lines>\$?[A-Za-z]{1,3}\s*:\s*\$?[A-Za-z]{1,3}|\$?\d+\s*:\s*\$?\d+)"
    r"(?![\w.(\[!\\?])"
)


class FormulaCache:
    """Parses formulas of one workbook."""

    def __init__(self) -> None:
        self._known: dict[str, Expr | FormulaError] = {}
        self._columns: dict[str, int] = {}

    def parse(self, text: str, host: Cell) -> Expr:
        """The tree of a formula without its `=`; equal relative formulas share one tree.

        Raises
        ------
        FormulaError
            As `syntax.parse` does.
        """
        key = self._key(text, host)
        found = self._known.get(key)
        if found is None:
            try:
                found = parse(text, host)
            except FormulaError as fault:
                found = fault
            self._known[key] = found
        if isinstance(found, FormulaError):
            raise FormulaError(found.message, found.column, found.length, found.hint)
        return found

    def _key(self, text: str, host: Cell) -> str:
        depends_on_host = False
        host_row, host_col = host

        def relative(match: re.Match[str]) -> str:
            nonlocal depends_on_host
            letters = match[2]
            if letters is None:
                if match["lines"] is not None:
                    depends_on_host = True
                return match[0]
            col = self._columns.get(letters)
            if col is None:
                col = self._columns[letters] = column_index(letters)
            row = int(match[4]) - 1
            if col >= MAX_COLS or row >= MAX_ROWS:
                depends_on_host = True  # a name, perhaps
                return match[0]
            across = f"C{col}" if match[1] else f"c{col - host_col}"
            down = f"R{row}" if match[3] else f"r{row - host_row}"
            return f"\0{across}{down}\0"

        key = _PIECES.sub(relative, text)
        return f"{key}\0\0{host_row},{host_col}" if depends_on_host else key


def kept_text(text: str) -> Expr:
    """A formula that cannot be read, as a tree that shows #UNSUPPORTED! and keeps its text."""
    return ErrorLiteral(ErrorCode.UNSUPPORTED, text)
