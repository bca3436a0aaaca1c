"""Numbers as text in Excel's number formats, for TEXT.

Owns the formats of digits: `0 # ? , . % E+`, literal texts and sections. Dates are not
understood and say so. Knows no cells.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from gradsheet.formula.batch import number_of, text_of
from gradsheet.formula.dates import shown
from gradsheet.formula.values import ErrorCode, Scalar

_TOKEN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|[Ee][+-]|.', re.DOTALL)
_DATES = re.compile(r"[ymdhs]", re.IGNORECASE)


def formatted(value: Scalar, pattern: str) -> Scalar:
    """A value in a number format; #UNSUPPORTED! for a format that is not understood."""
    if isinstance(value, ErrorCode):
        return value
    if isinstance(value, str):
        read = number_of(value)
        if isinstance(read, ErrorCode):
            return _text_section(value, pattern)
        value = read
    if isinstance(value, bool):
        return text_of(value)
    number = 0.0 if value is None else float(value)
    if pattern == "":
        return ""
    section, negative = _section(number, _sections(pattern))
    if section.strip().lower() == "general":
        return ("-" if negative else "") + general(abs(number))
    return _digits(abs(number), section, negative)


_COLOURS = frozenset(
    f"[{name}]"
    for name in ("black", "blue", "cyan", "green", "magenta", "red", "white", "yellow")
)


def general(number: float) -> str:
    """A number that is not negative as a cell of ordinary width shows it: at most 10 digits."""
    if number == 0:
        return "0"
    power = Decimal(f"{number:.10g}").adjusted()
    if power > 10 or power < -9 or (power < -4 and len(text_of(number)) > 11):
        mantissa, _, exponent = f"{number:.5E}".partition("E")
        mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}E{exponent[0]}{int(exponent[1:]):02d}"
    shown = f"{number:.{max(0, 10 - max(1, power + 1))}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _commas_behind(tokens: list[str], place: int) -> int:
    """Commas right behind a digit, each of which divides by a thousand."""
    count = 0
    while place >= 0 and place + 1 + count < len(tokens) and tokens[place + 1 + count] == ",":
        count += 1
    return count


def _sections(pattern: str) -> list[str]:
    sections, current, quoted = [], "", False
    for char in pattern:
        if char == '"':
            quoted = not quoted
        if char == ";" and not quoted:
            sections.append(current)
            current = ""
        else:
            current += char
    return [*sections, current]


def _section(number: float, sections: list[str]) -> tuple[str, bool]:
    """The section for a number, and whether a minus is to be written."""
    if number == 0 and len(sections) > 2:
        return sections[2], False
    if number < 0 and len(sections) > 1:
        return sections[1], False
    return sections[0], number < 0


def _text_section(value: str, pattern: str) -> str:
    sections = _sections(pattern)
    if len(sections) == 1 and "@" in pattern:
        return "".join(value if t == "@" else _literal(t) for t in _TOKEN.findall(pattern))
    if len(sections) == 4:
        return "".join(value if t == "@" else _literal(t) for t in _TOKEN.findall(sections[3]))
    return value


def _digits(number: float, section: str, negative: bool) -> Scalar:
    tokens = [t for t in _TOKEN.findall(section) if t.lower() not in _COLOURS]
    is_english = all(_is_english(t) for t in tokens if t.startswith("[$"))
    tokens = [_currency(t) for t in tokens]
    if "@" in tokens:
        return "".join(text_of(number) if t == "@" else _literal(t) for t in tokens)
    plain = "".join(t for t in tokens if len(t) == 1)
    if _DATES.search(plain) and "0" not in plain and "#" not in plain:
        if not is_english:
            return ErrorCode.UNSUPPORTED  # the names of months and days would be others
        text = shown(-number if negative else number, "".join(tokens))
        return ErrorCode.VALUE if text is None else text
    if any(t.startswith("[") for t in tokens) or "/" in plain:
        return ErrorCode.UNSUPPORTED
    tokens = [t for t in tokens if not t.startswith(("_", "*")) or t == "*"]
    scale = Decimal(100) ** plain.count("%")
    exact = Decimal(f"{number:.15g}") * scale
    if any(t in ("E+", "E-", "e+", "e-") for t in tokens):
        return _scientific(exact, tokens, negative)
    point = tokens.index(".") if "." in tokens else len(tokens)
    after = max((i for i, t in enumerate(tokens[:point]) if t in "0#?"), default=-1)
    last = max((i for i, t in enumerate(tokens) if t in "0#?"), default=-1)
    commas = _commas_behind(tokens, after) + (_commas_behind(tokens, last) if last > after else 0)
    exact /= Decimal(1000) ** commas
    grouped = "," in tokens[:after] if after > 0 else False
    places = sum(t in "0#?" for t in tokens[point:])
    rounded = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    whole, _, fraction = f"{rounded:f}".partition(".")
    sign = "-" if negative and rounded != 0 else ""
    return sign + _filled(tokens, point, whole, fraction, grouped)


def _filled(tokens: list[str], point: int, whole: str, fraction: str, grouped: bool) -> str:
    """Digits put into the places of a format, from the point outwards."""
    slots = [i for i, t in enumerate(tokens[:point]) if t in "0#?"]
    zeros = sum(tokens[i] == "0" for i in slots)
    digits = whole.lstrip("0").rjust(zeros, "0")
    placed: dict[int, str] = {}
    for order, i in enumerate(reversed(slots)):
        if order < len(digits):
            placed[i] = digits[len(digits) - 1 - order]
    if slots and len(digits) > len(slots):
        placed[slots[0]] = digits[: len(digits) - len(slots) + 1]
    if grouped:
        placed = _grouped(placed, slots)
    behind = [i for i, t in enumerate(tokens) if i > point and t in "0#?"]
    shown = fraction
    while shown and len(shown) > 0 and behind[len(shown) - 1 : len(shown)] and (
        tokens[behind[len(shown) - 1]] == "#" and shown[-1] == "0"
    ):  # fmt: skip
        shown = shown[:-1]
    for order, i in enumerate(behind):
        if order < len(shown):
            placed[i] = shown[order]
    out = []
    for i, token in enumerate(tokens):
        if token in "0#?":
            out.append(placed.get(i, " " if token == "?" else ""))
        elif token == ",":
            continue
        else:
            out.append(_literal(token))
    if not slots and point < len(tokens) and whole.strip("0"):
        out.insert(point, whole)
    return "".join(out)


def _grouped(placed: dict[int, str], slots: list[int]) -> dict[int, str]:
    """Commas before every third digit from the right."""
    rest = sum(len(placed.get(i, "")) for i in slots)
    total = rest
    out = dict(placed)
    for i in slots:
        built = ""
        for char in placed.get(i, ""):
            if rest < total and rest % 3 == 0:
                built += ","
            built += char
            rest -= 1
        if i in out:
            out[i] = built
    return out


def _currency(token: str) -> str:
    """A currency with or without a language, `[$€-407]`, as the literal that it shows."""
    if not token.startswith("[$"):
        return token
    return f'"{token[2:-1].rpartition("-")[0] if "-" in token else token[2:-1]}"'


def _is_english(token: str) -> bool:
    """Whether dates in the language of `[$-409]` are written in English."""
    language = token[2:-1].rpartition("-")[2].lower() if "-" in token else ""
    if re.fullmatch("[0-9a-f]+", language):
        number = int(language, 16)
        return number in (0, 0x400) or (number & 0x3FF == 9 and number < 0x10000)
    return language in ("", "en")


def _literal(token: str) -> str:
    if token.startswith('"'):
        return token[1:-1]
    if token.startswith("\\"):
        return token[1:]
    return token


def _scientific(exact: Decimal, tokens: list[str], negative: bool) -> str:
    mark = next(i for i, t in enumerate(tokens) if t in ("E+", "E-", "e+", "e-"))
    front, back = tokens[:mark], tokens[mark + 1 :]
    places = sum(t in "0#?" for t in front[front.index(".") :]) if "." in front else 0
    whole_digits = max(1, sum(t in "0#?" for t in front) - places)
    power = exact.adjusted() - (whole_digits - 1) if exact else 0
    if whole_digits > 1 and exact:
        power = (exact.adjusted() // whole_digits) * whole_digits
    mantissa = exact.scaleb(-power).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if mantissa >= Decimal(10) ** whole_digits:
        power += whole_digits if whole_digits > 1 else 1
        mantissa = exact.scaleb(-power).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    whole, _, fraction = f"{mantissa:f}".partition(".")
    point = front.index(".") if "." in front else len(front)
    text = _filled(front, point, whole, fraction, False)
    sign = "-" if power < 0 else ("+" if tokens[mark][1] == "+" else "")
    width = sum(t in "0#?" for t in back)
    return f"{'-' if negative else ''}{text}E{sign}{abs(power):0{width}d}"
