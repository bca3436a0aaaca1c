"""The list of lessons, in the order of the lecture."""

from __future__ import annotations

from gradsheet.formula.values import UserError
from gradsheet.lessons import bias, dotprod
from gradsheet.lessons.lesson import Lesson

LESSONS: dict[str, Lesson] = {lesson.id: lesson for lesson in (dotprod.LESSON, bias.LESSON)}


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
