"""`gradsheet recommend MODEL --rate "title=5"`: what a trained model makes of somebody new.

Owns its arguments and what it prints. The model is the file that `gradsheet train --output` wrote.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradsheet.app.ratings.newcomer import Answer, Wishes, answer, parts_of
from gradsheet.collab.factors import Factors
from gradsheet.collab.foldin import Ridge
from gradsheet.formula.values import UserError

MODEL = "model.safetensors"


def main(argv: Sequence[str]) -> int:
    """Run the command; return 0, or 1 after a message on standard error."""
    options = _parser().parse_args(argv)
    try:
        outcome = recommend(options)
    except UserError as error:
        print(f"gradsheet: {error.text}\n{error.hint}".rstrip(), file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(outcome))
        return 0
    for entry in outcome["recommendations"]:
        print(f"{entry['prediction']:.2f}  {entry['title']}")
        if options.explain and entry["parts"]:
            parts = (f"{label} {stars:+.2f}" for label, stars in entry["parts"])
            print(f"      {', '.join(parts)}")
    return 0


def recommend(options: argparse.Namespace) -> dict[str, Any]:
    """Learn the newcomer's row and return what fits it.

    Returns
    -------
    dict
        ``rated``: item, title, rating and fitted rating of each; ``recommendations``: item, title,
        prediction and parts, which sum to the prediction (none for a net).

    Raises
    ------
    UserError
        If the model cannot be read, or a title is not known or not the only one.
    """
    from gradsheet.files.learned_files import read_tensors

    path = options.path / MODEL if options.path.is_dir() else options.path
    arrays, facts = read_tensors(path)
    ids = [str(x) for x in facts.get("item_ids", arrays.get("item_ids", ()))]
    titles = [title or item for title, item in zip(facts["titles"] or ids, ids, strict=True)]
    typed = dict(_rated(text, ids, titles) for text in options.rate)
    wishes = Wishes(
        way=options.way, hide_rated=not options.show_rated, at_least=options.at_least,
        count=options.count,
    )  # fmt: skip
    found = _answer(arrays, facts, typed, wishes)
    return {
        "rated": [
            {"item": ids[code], "title": titles[code], "rating": rating, "fitted": float(fitted)}
            for (code, rating), fitted in zip(typed.items(), found.fitted, strict=True)
        ],
        "recommendations": [
            {
                "item": ids[entry.code],
                "title": titles[entry.code],
                "prediction": entry.prediction,
                "parts": [(part.label, part.stars) for part in parts_of(found, entry, 3)],
            }
            for entry in found.listed
        ],
    }


def _rated(text: str, ids: Sequence[str], titles: Sequence[str]) -> tuple[int, float]:
    """Return item and rating of ``title=5``; the title may be an id or a part that only one has."""
    name, equals, stars = text.rpartition("=")
    try:
        rating = float(stars)
    except ValueError:
        rating = np.nan
    if not equals or not np.isfinite(rating):
        raise UserError(f"{text!r} is no rating.", 'Write --rate "title=5".')
    wanted = name.strip().casefold()
    if wanted in ids:
        return list(ids).index(wanted), rating
    lower = [title.casefold() for title in titles]
    found = [i for i, title in enumerate(lower) if title == wanted]
    found = found or [i for i, title in enumerate(lower) if wanted and wanted in title]
    if len(found) == 1:
        return found[0], rating
    if found:
        some = "; ".join(titles[i] for i in found[:5])
        raise UserError(f"{len(found)} titles contain {name.strip()!r}.", f"For example: {some}")
    near = difflib.get_close_matches(wanted, lower, 3, 0.5)
    hint = "; ".join(titles[lower.index(title)] for title in near)
    raise UserError(f"No title contains {name.strip()!r}.", f"Near: {hint}" if hint else "")


def _answer(
    arrays: Mapping[str, Any], facts: Mapping[str, Any], typed: dict[int, float], wishes: Wishes
) -> Answer:
    counts = arrays["item_counts"]
    if "link" not in facts:
        from gradsheet.app.ratings.net_newcomer import net_answer, net_of_arrays

        return net_answer(net_of_arrays(arrays, facts["model"]), typed, wishes, counts)
    model = Factors(
        float(facts["mean"]),
        arrays["user_bias"],
        arrays["item_bias"],
        arrays["user_factors"],
        arrays["item_factors"],
        facts["link"],
        *map(float, facts["range"]),
    )
    has_bias = facts["model"]["kind"] == "bias"
    return answer(model, "user", typed, wishes, counts, Ridge(*facts["ridge"]), has_bias)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradsheet recommend",
        description="Recommend items to somebody new, who says what a few of them are worth.",
    )
    parser.add_argument("command", choices=("recommend",))
    where = "model.safetensors of `gradsheet train --output`, or its folder"
    parser.add_argument("path", type=Path, metavar="MODEL", help=where)
    what = "an item's title, a part of it or its id; more than once"
    parser.add_argument("--rate", action="append", required=True, metavar="TITLE=STARS", help=what)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--at-least", type=int, default=20, help="ratings that an item must have")
    parser.add_argument("--way", choices=("closed", "steps"), default="closed")
    parser.add_argument("--show-rated", action="store_true", help="list what was rated, too")
    parser.add_argument("--explain", action="store_true", help="what each prediction is made of")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser
