"""Numbers as the chrome of the window writes and reads them.

Owns the texts of steps, losses and rates, and the reading of what is typed into a setting. Knows
no widget. A number read back from its own text is the same number.
"""

from __future__ import annotations

import math

LADDER = (1.0, 2.0, 5.0)
"""One decade of the steps that the arrow keys take: 0.01, 0.02, 0.05, 0.1 ..."""


def count_text(number: int) -> str:
    """Return a whole number with thousands separated: 1,240."""
    return f"{number:,}"


def loss_text(loss: float | None) -> str:
    """Return a loss with four decimals, in powers of ten where those would say nothing."""
    if loss is None:
        return "–"
    if not math.isfinite(loss):
        return str(loss)
    if loss != 0 and not 1e-3 <= abs(loss) < 1e6:
        return f"{loss:.4e}"
    return f"{loss:,.4f}"


def rate_text(steps_per_second: float) -> str:
    """Return a speed to two digits where it trembles: 2,700 steps/s, 0.8 steps/s."""
    if not math.isfinite(steps_per_second) or steps_per_second <= 0:
        return "– steps/s"
    if steps_per_second < 10:
        return f"{steps_per_second:.1f} steps/s"
    scale = 10 ** max(0, int(math.log10(steps_per_second)) - 1)
    return f"{round(steps_per_second / scale) * scale:,} steps/s"


def duration_text(seconds: float | None) -> str:
    """Return a remaining time in words; "" while it is not known."""
    if seconds is None:
        return ""
    if seconds < 1.5:
        return "about a second left"
    if seconds < 90:
        return f"about {round(seconds)} seconds left"
    return f"about {round(seconds / 60)} minutes left"


def exact_text(number: float) -> str:
    """Return the shortest text that reads back as the same number: 0.05, 1e-05, 200."""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return repr(number)


def read_number(text: str, low: float, high: float, *, open_high: bool = False) -> float:
    """Read a typed number; a decimal comma is understood.

    Parameters
    ----------
    text : str
    low, high : float
        The range allowed, `low` included, `high` too unless `open_high`.

    Raises
    ------
    ValueError
        With a text for the user: what is wrong and what would be right.
    """
    cleaned = text.strip().replace("−", "-")
    if "," in cleaned and "." not in cleaned:
        cleaned = cleaned.replace(",", ".", 1)
    if not cleaned:
        raise ValueError("Nothing is written here. Type a number, for example 0.01 or 1e-3.")
    try:
        number = float(cleaned)
    except ValueError:
        raise ValueError(f"“{text.strip()}” is not a number. Type one like 0.01 or 1e-3.") from None
    if not math.isfinite(number):
        raise ValueError("The number must be finite.")
    if number < low:
        raise ValueError(f"The number must be at least {exact_text(low)}.")
    if number > high or (open_high and number == high):
        relation = "less than" if open_high else "at most"
        raise ValueError(f"The number must be {relation} {exact_text(high)}.")
    return number


def rung(number: float, direction: int) -> float:
    """Return the next number of 1, 2, 5, 10 ... above (+1) or below (-1) a positive number."""
    exponent = math.floor(math.log10(number))
    rungs = [float(f"{step:g}e{exponent + up}") for up in (-1, 0, 1) for step in LADDER]
    if direction > 0:
        return next(r for r in rungs if r > number * (1 + 1e-9))
    return next(r for r in reversed(rungs) if r < number * (1 - 1e-9))
