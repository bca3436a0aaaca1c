"""Two trained models of a rating set, compared in a task for the panel that shows them.

Owns the task. What a comparison is, is `app.ratings.comparison`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from gradsheet.app.messages import Message, message_of
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.app.ratings.comparison import Comparison
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.qt.panels.model_comparison import ModelComparison


class Comparing:
    """The comparison that is shown, or on its way.

    Parameters
    ----------
    say : callable (Message) -> None
        Told of what went wrong.
    """

    def __init__(self, say: Callable[[Message], object]) -> None:
        self._say = say
        self._task: Task[Comparison, Comparison] | None = None
        self._panel: ModelComparison | None = None
        self._session: RatingsSession | None = None

    @property
    def is_on(self) -> bool:
        """Whether one is on its way."""
        return self._task is not None

    def cancel(self) -> None:
        """Give up the one that is on its way."""
        if self._task is not None:
            self._task.cancel()
        self._task = self._panel = self._session = None

    def feed(self, panel: ModelComparison, session: RatingsSession) -> None:
        """Show which models there are, and compare the two that are chosen."""
        from gradsheet.app.ratings.comparison import compare, trained_models

        models = trained_models(session)
        panel.show_models([model.name for model in models])
        pair, split = panel.pair, session.split
        if pair is None or split is None:
            return
        self.cancel()
        self._panel, self._session = panel, session
        first, second = models[pair[0]], models[pair[1]]

        def work(control: Control) -> Generator[Comparison, None, Comparison]:
            return (yield from compare(first, second, split.train, split.valid, control))

        self._task = Task("comparing two models", work).start()

    def poll(self) -> None:
        """Show it once it is there."""
        task = self._task
        if task is None or not task.is_done:
            return
        self._task = None
        if task.error is not None:
            self._say(message_of(task.error, "comparing two models"))
        elif not task.is_cancelled:
            self._show(task.result())

    def _show(self, comparison: Comparison) -> None:
        assert self._session is not None
        assert self._panel is not None
        table = self._session.table

        def title_of(item: int) -> str:
            title = "" if table.titles is None else str(table.titles[item])
            return title or str(table.item_ids[item])

        def user_of(user: int) -> str:
            return str(table.user_ids[user])

        self._panel.show_comparison(comparison, title_of, user_of)
