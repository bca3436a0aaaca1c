"""What a person's text means: numbers with a decimal point or a decimal comma.

Owns the choice between the two; `formula.values` owns the reading. Knows no cell.
"""

from __future__ import annotations

from gradsheet.formula.values import Scalar, parse_entry, parse_number


def typed_value(text: str, decimal: str = ".") -> Scalar:
    """What typing `text` into a cell gives, whichever decimal sign the hands are used to.

    The sign of the locale is tried first, so that `1,234` stays what it means there; a text
    that is no number by it is read by the other sign: `3,5` and `3.5` are the same number.

    Parameters
    ----------
    decimal : the locale's sign, "." or ","
    """
    value = parse_entry(text, decimal)
    if not isinstance(value, str) or text.startswith("'"):
        return value
    other = parse_number(text.strip(), "," if decimal == "." else ".")
    return value if other is None else other
