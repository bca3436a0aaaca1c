"""What a workbook is to learn: from its lesson, or from the roles of its cells, or what is lacking.

Owns the problem of one run. Knows no run.
"""

from __future__ import annotations

from gradsheet.app.roles import problem_from_roles, roles_of
from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Problem
from gradsheet.sheet.workbook import Workbook


class KnownProblem:
    """The problem of a workbook, while something says it.

    Parameters
    ----------
    workbook : Workbook
    problem : Problem or None
        As the lesson gives it; None: the roles say it.

    Attributes
    ----------
    known : Problem or None
    """

    def __init__(self, workbook: Workbook, problem: Problem | None) -> None:
        self._workbook, self.known = workbook, problem
        self._lack = UserError("Nothing says yet what is to be learned.", "Give cells roles.")
        """Why there is no problem, while there is none."""
        self._roles = roles_of(workbook)
        if problem is None:
            self._read()

    def get(self) -> Problem:
        """Return it.

        Raises
        ------
        UserError
            If the roles of the workbook leave something open; it says what.
        """
        if self.known is None:
            raise UserError(self._lack.text, self._lack.hint)
        return self.known

    def follow_roles(self) -> bool:
        """Read it again where roles have changed; return whether they have."""
        roles = roles_of(self._workbook)
        if roles == self._roles:
            return False
        self._roles = roles
        self._read()
        return True

    def _read(self) -> None:
        old = self.known
        goal, target = (old.goal, old.target) if old else ("minimise", 0.0)
        try:
            self.known = problem_from_roles(self._workbook, goal, target)
        except UserError as lack:
            self.known, self._lack = None, lack


def is_alike(before: Problem | None, now: Problem) -> bool:
    """Whether an optimizer's state of one problem serves the other: same cells, same rates."""
    if before is None or before.regions != now.regions:
        return False
    return [p.rate_scale for p in before.parameters] == [p.rate_scale for p in now.parameters]
