"""Functions of two numbers to choose from, with their sources: formulas, starts, rates.

Owns the table; what computes them is `functions2d`. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradsheet.formula.values import UserError


@dataclass(frozen=True, slots=True)
class Preset:
    """A function to choose.

    Attributes
    ----------
    id, title : str
    formula : str
        In x and y, as typed into a cell.
    source : str
        Where it comes from.
    window : (left, right, bottom, top)
        What a plot shows first.
    start : (x, y)
    minimum : (x, y) or None
        One of its lowest points.
    rate : float
        A learning rate with which plain descent gets somewhere.
    note : str
        What there is to see.
    """

    id: str
    title: str
    formula: str
    source: str
    window: tuple[float, float, float, float]
    start: tuple[float, float]
    minimum: tuple[float, float] | None
    rate: float
    note: str


def quadratic(condition: float) -> str:
    """Return the formula of a bowl whose curvatures are 1 and `condition`.

    Raises
    ------
    UserError
        If the condition number is below 1.
    """
    if not 1 <= condition <= 1e6:
        raise UserError(
            f"A condition number cannot be {condition:g}.", "Choose from 1 to 1,000,000."
        )
    return f"(x^2+{condition!r}*y^2)/2"


PRESETS: dict[str, Preset] = {
    preset.id: preset
    for preset in (
        Preset("quadratic", "Bowl, condition 20", quadratic(20.0),
               "Boyd and Vandenberghe 2004, section 9.3.2", (-12, 12, -4, 4), (-10, 3), (0, 0),
               0.05, "The rate that the steep side bears is too small for the flat one."),
        Preset("rosenbrock", "Rosenbrock's valley", "(1-x)^2+100*(y-x^2)^2",
               "Rosenbrock 1960", (-2, 2, -1, 3), (-1.2, 1), (1, 1), 0.001,
               "Easy to reach the bent valley, hard to follow it."),
        Preset("beale", "Beale", "(1.5-x+x*y)^2+(2.25-x+x*y^2)^2+(2.625-x+x*y^3)^2",
               "Beale 1958", (-4.5, 4.5, -4.5, 4.5), (1, 1), (3, 0.5), 0.01,
               "Flat in the middle, steep at the corners."),
        Preset("himmelblau", "Himmelblau", "(x^2+y-11)^2+(x+y^2-7)^2", "Himmelblau 1972",
               (-5, 5, -5, 5), (0, 0), (3, 2), 0.005,
               "Four equal minima: where you start decides."),
        Preset("rastrigin", "Rastrigin",
               "20+x^2-10*COS(2*PI()*x)+y^2-10*COS(2*PI()*y)", "Rastrigin 1974",
               (-5.12, 5.12, -5.12, 5.12), (3.3, 2.7), (0, 0), 0.002,
               "A minimum in every dent; only the middle one is the lowest."),
        Preset("saddle", "Saddle", "x^2-y^2+y^4/4", "the simplest saddle with a floor",
               (-2, 2, -2.5, 2.5), (1.5, 0.001), (0, 2**0.5), 0.05,
               "At the saddle the gradient vanishes; noise or momentum gets past it."),
        Preset("valley", "Long valley", "LN(1+(x-8)^2/100)+20*(y-SIN(x/2))^2",
               "a bent valley whose floor is nearly flat", (-12, 12, -3, 3), (-10, 2), (8, -0.7568),
               0.02, "The floor falls so slowly that plain descent seems to stand still."),
    )
}  # fmt: skip
