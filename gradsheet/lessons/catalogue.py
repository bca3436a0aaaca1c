"""The list of lessons, in the order of the lecture."""

from __future__ import annotations

from gradsheet.formula.values import UserError
from gradsheet.lessons import (
    bias,
    descent_adagrad,
    descent_adagrad_ann,
    descent_adam,
    descent_adam_ann,
    descent_adamw,
    descent_basic,
    descent_eve,
    descent_momentum,
    descent_nesterov,
    descent_rmsprop,
    dotprod,
    functions,
)
from gradsheet.lessons.lesson import Lesson

LESSONS: dict[str, Lesson] = {
    module.LESSON.id: module.LESSON
    for module in (
        dotprod, bias, descent_basic, descent_momentum, descent_nesterov, descent_adagrad,
        descent_rmsprop, descent_adam, descent_adamw, descent_eve, descent_adagrad_ann,
        descent_adam_ann, functions,
    )
}  # fmt: skip


def find(lesson_id: str) -> Lesson:
    """Return the lesson of that id.

    Raises
    ------
    UserError
        If there is none; the hint lists those there are.
    """
    lesson = LESSONS.get(lesson_id)
    if lesson is None:
        raise UserError(
            f"There is no lesson called {lesson_id!r}.", f"Lessons: {', '.join(LESSONS)}."
        )
    return lesson
