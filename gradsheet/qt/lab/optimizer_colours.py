"""One colour for each optimizer, the same in every plot and table.

Okabe and Ito's hues, lightened in dark themes where they would sink into the ground. Knows names
only: of sheets, rules and runners alike.
"""

from __future__ import annotations

from gradsheet.qt.theme import Theme, blend

_HUES = {
    "momentum": "#0072B2",
    "nesterov": "#56B4E9",
    "adagrad": "#009E73",
    "rmsprop": "#E69F00",
    "adam": "#D55E00",
    "adamw": "#CC79A7",
    "eve": "#9A8C00",
}
_SAME = {
    "basic": "sgd",
    "adagrad_ann": "adagrad",
    "adam_ann": "adam",
    "adam_l2": "adamw",
}


def colour_of(name: str, theme: Theme) -> str:
    """Return the colour of an optimizer as `#RRGGBB`; SGD has that of text."""
    name = name.removeprefix("lesson_")
    hue = _HUES.get(_SAME.get(name, name))
    if hue is None:
        return theme.text
    return blend(hue, "#FFFFFF", 0.3) if theme.is_dark else hue
