"""Learning rates of layer groups: a number, slice(hi) or slice(lo, hi), as the lesson writes them.

Owns the arithmetic; imports no torch, so that a window can show the rates. Must not know models.
"""

from __future__ import annotations

from gradsheet.formula.values import UserError


def rates_of_groups(rate: float | slice, count: int) -> tuple[float, ...]:
    """Return the learning rate of each layer group, from the input to the output.

    A number: the same for all. slice(hi): hi for the last, hi / 3 for the others. slice(lo, hi):
    from lo to hi by equal factors (fast.ai, ``lr_range``).

    Raises
    ------
    UserError
        If a rate is not above 0.
    """
    if not isinstance(rate, slice):
        found = (float(rate),) * count
    elif rate.start is None:
        found = (rate.stop / 3,) * (count - 1) + (float(rate.stop),)
    elif count == 1:
        found = (float(rate.stop),)
    else:
        step = (rate.stop / rate.start) ** (1 / (count - 1))
        found = tuple(rate.start * step**i for i in range(count))
    if min(found) <= 0:
        raise UserError("A learning rate must be above 0.", "Enter a number such as 0.01.")
    return found
