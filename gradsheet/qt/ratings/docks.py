"""The docks of a rating set: settings, training, range test, comparison; and their wires.

Owns when the docks show, how wide they are, and what becomes of what the user does in them; what
their panels are told is `feeding`'s. Every fact is the session's; panels know nothing of one
another.
"""

# LONG: the wiring of four panels stands in one place; no method does more than hand on.

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDockWidget, QSplitter, QVBoxLayout, QWidget

from gradsheet.app.commands import command
from gradsheet.app.messages import message_of
from gradsheet.app.ratings.plan import TableFacts
from gradsheet.app.ratings.rate_search import RateSearch
from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError
from gradsheet.qt.actions import WINDOW_COMMANDS
from gradsheet.qt.dock_commands import declare_docks
from gradsheet.qt.ratings.comparing import Comparing
from gradsheet.qt.ratings.feeding import (
    facts_of,
    feed_settings,
    feed_training,
    suggested_name,
    with_rate,
)
from gradsheet.qt.theme import SPACE, scale
from gradsheet.qt.widgets.dock_title import make_dock

if TYPE_CHECKING:
    from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, SplitChoice
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.qt.main_window import MainWindow

LEFT_PX = 264
RIGHT_PX = 640
GRID_SHARE = 0.5
"""Of the window's width that the sheet keeps."""
DOCKS = {
    "model": ("Model", "sliders-horizontal", "Ctrl+Alt+M",
              "Show or hide the knobs of the model and of learning."),
    "training": ("Training", "chart-line", "Ctrl+Alt+T",
                 "Show or hide curves and epochs of the model."),
    "rate_test": ("Rate test", "gauge", "Ctrl+Alt+R",
                  "Show or hide the range test of the learning rate."),
    "compare": ("Compare", "git-compare-arrows", "Ctrl+Alt+C",
                "Show or hide two trained models side by side."),
}  # fmt: skip
"""Title, icon, keys and help by name of the dock."""
SHOWN_FIRST = ("model", "training")
NEEDS = "Open a file of ratings first"


def _has_session(window: MainWindow) -> bool:
    return window.ratings_docks.session is not None


declare_docks(
    DOCKS, lambda window: window.ratings_docks, group=3, enabled=_has_session, needs=NEEDS
)


@command("train.test_rates", "Test learning rates", menu="Train", icon="gauge", group=3,
         enabled=_has_session, needs=NEEDS, table=WINDOW_COMMANDS)  # fmt: skip
def test_rates(window: MainWindow) -> None:
    """Raise the learning rate over 200 batches of a copy and see where the loss falls fastest."""
    window.ratings_docks.show("rate_test")
    window.ratings_docks.test_rates()


@command("train.keep_model", "Keep this model", menu="Train", icon="bookmark-plus", group=3,
         enabled=lambda window: window.ratings_docks.has_learned,
         needs="Nothing has been learned yet", table=WINDOW_COMMANDS)  # fmt: skip
def keep_model(window: MainWindow) -> None:
    """Keep the trained model, to compare it with others and to come back to it."""
    window.ratings_docks.keep("")


class RatingsDocks(QObject):
    """Makes, feeds and hears the panels of a rating set.

    Parameters
    ----------
    window : MainWindow
        Gives document and clock.

    Attributes
    ----------
    session : RatingsSession or None
        The rating set that is open.
    panels : dict of str to QWidget
        Those made so far: "model", "training", "curves", "epochs", "rate_test", "compare".
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.session: RatingsSession | None = None
        self.search: RateSearch | None = None
        self.panels: dict[str, Any] = {}
        self.docks: dict[str, QDockWidget] = {}
        self._stale: set[str] = set()
        self._comparing = Comparing(window.document.say)
        self._range = (0.0, 0.0)
        self._hidden_before: list[QDockWidget] = []
        self._makers: dict[str, Callable[[QWidget], QWidget]] = {
            "model": self._make_model, "training": self._make_training,
            "rate_test": self._make_rate_test, "compare": self._make_compare,
        }  # fmt: skip
        self._make_docks()

    def _make_docks(self) -> None:
        window = self._window
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        for name, (title, *_) in DOCKS.items():
            holder = QWidget(window)
            QVBoxLayout(holder).setContentsMargins(0, 0, 0, 0)
            dock = make_dock(window, f"ratings_{name}", title, holder, f"View > {title}")
            window.addDockWidget(left if name == "model" else right, dock)
            dock.hide()
            dock.visibilityChanged.connect(partial(self._on_visible, name))
            self.docks[name] = dock
        window.tabifyDockWidget(window.docks["lessons"], self.docks["model"])
        for name in ("rate_test", "compare"):
            window.tabifyDockWidget(self.docks["training"], self.docks[name])

    def connect_to(self) -> None:
        """Hear the document and the clock; once the window has them."""
        self._window.notifier.replaced.connect(self.follow_document)
        self._window.clock.ticked.connect(self._refresh)
        self.follow_document()

    # ------------------------------------------------------------------ the session

    def follow_document(self) -> None:
        """Show the docks of the rating set that is open, or none where none is."""
        self.show_session(self._window.document.ratings)

    def show_session(self, session: RatingsSession | None) -> None:
        """Bring docks and panels to a session; None takes the docks away."""
        if session is self.session:
            if session is None:
                self._hide_docks()
            return
        self.close()
        self.session = session
        if session is None:
            self._hide_docks()
            return
        session.add_listener(self._on_event)
        ratings = session.table.ratings
        self._range = (float(ratings.min()), float(ratings.max()))
        self.search = RateSearch(session)
        self._stale = {"choice", "state", "snapshot", "kept", "search"}
        self.arrange()

    def close(self) -> None:
        """Give up the tasks of the panels and hear the session no more."""
        if self.search is not None:
            self.search.cancel()
            self.search = None
        self._comparing.cancel()
        if self.session is not None:
            self.session.remove_listener(self._on_event)
            self.session = None

    def _on_event(self, event: str) -> None:
        self._stale.add(event)
        if event in ("state", "choice"):
            self._stale.add("snapshot")
        self._window.clock.wake()

    @property
    def is_busy(self) -> bool:
        """Whether a range test or a comparison is on."""
        is_testing = self.search is not None and self.search.is_running
        return is_testing or self._comparing.is_on

    @property
    def has_learned(self) -> bool:
        """Whether there is a model worth keeping."""
        return self.session is not None and bool(self.session.steps_done)

    # ------------------------------------------------------------------ docks

    def arrange(self) -> None:
        """Show settings at the left, curves at the right; the sheet keeps half of the width."""
        window = self._window
        loss = window.docks["loss"]
        others = [loss, *window.lab.docks.values()]
        self._hidden_before = [dock for dock in others if not dock.isHidden()]
        for dock in self._hidden_before:
            dock.hide()
        for name in SHOWN_FIRST:
            self.docks[name].show()
            self._ensure(name)
            self.docks[name].raise_()
        left = round(LEFT_PX * scale())
        room = round(window.width() * (1 - GRID_SHARE)) - left
        right = max(min(room, round(RIGHT_PX * scale())), self.docks["training"].minimumWidth())
        docks, widths = [self.docks["model"], self.docks["training"]], [left, right]
        window.resizeDocks(docks, widths, Qt.Orientation.Horizontal)
        book = window.document.ratings_book
        if book is not None and window.grid.sheet_id == book.crosstab.id:
            # Where not all has room, what learning changes is in view before the ratings.
            grid, first = window.grid, Cell(book.shape.item_block.top - 1, 0)
            grid.show_at_top(Cell(0, 0))
            grid.show_cell(Cell(book.shape.loss.row, 0))
            if grid.visible_region().top > first.row:
                grid.show_at_top(first)

    def _hide_docks(self) -> None:
        for dock in self.docks.values():
            dock.hide()
        for dock in self._hidden_before:
            dock.show()
        self._hidden_before = []

    def is_open(self, name: str) -> bool:
        """Whether a dock shows (it may lie behind another one)."""
        return not self.docks[name].isHidden()

    def toggle(self, name: str) -> None:
        """Show a dock in front, or hide it."""
        if self.is_open(name):
            self.docks[name].hide()
        else:
            self.show(name)

    def show(self, name: str) -> None:
        """Show a dock in front of those it shares its place with."""
        self.docks[name].show()
        self.docks[name].raise_()
        self._ensure(name)

    def _on_visible(self, name: str, visible: bool) -> None:
        if visible and self.session is not None:
            self._ensure(name)
            self._stale |= {"choice", "state", "snapshot", "kept", "search"}
            self._window.clock.wake()

    def _ensure(self, name: str) -> None:
        """Make a panel the first time it shows: plots take long to import."""
        if name not in self.panels:
            holder = self.docks[name].widget()
            holder.layout().addWidget(self._makers[name](holder))
            self._stale |= {"choice", "state", "snapshot", "kept", "search"}

    # ------------------------------------------------------------------ panels

    def _make_model(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.model_settings import ModelSettings

        panel = self.panels["model"] = ModelSettings(parent)
        panel.model_chosen.connect(self._on_model)
        panel.learn_chosen.connect(self._on_learn)
        panel.both_chosen.connect(self._on_both)
        panel.split_chosen.connect(self._on_split)
        return panel

    def _make_training(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.epoch_table import EpochTable
        from gradsheet.qt.panels.fit_curves import FitCurves
        from gradsheet.qt.panels.training import TrainingBar

        page = QWidget(parent)
        bar, split = TrainingBar(page), QSplitter(Qt.Orientation.Vertical, page)
        below = QWidget(split)
        curves, table = FitCurves(split), EpochTable(below)
        room = QVBoxLayout(below)
        room.setContentsMargins(0, 0, SPACE, 0)  # the last column stays off the window's edge
        room.addWidget(table)
        split.addWidget(curves)
        split.addWidget(below)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 1)
        split.setChildrenCollapsible(False)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(split, 1)
        self.panels |= {"training": bar, "curves": curves, "epochs": table}
        bar.toggled_run.connect(self._do(lambda session: session.toggle()))
        bar.stop_asked.connect(self._do(lambda session: session.end()))
        bar.undo_asked.connect(self._on_undo)
        bar.continue_asked.connect(self._on_continue)
        bar.keep_asked.connect(self.keep)
        bar.unit_chosen.connect(curves.set_unit)
        bar.unit_chosen.connect(table.set_unit)
        table.epoch_chosen.connect(self._on_epoch)
        return page

    def _make_rate_test(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.rate_range import RateRange

        panel = self.panels["rate_test"] = RateRange(parent)
        panel.test_asked.connect(self.test_rates)
        panel.stop_asked.connect(self._on_stop_test)
        panel.rate_chosen.connect(self._on_rate)
        return panel

    def _make_compare(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.model_comparison import ModelComparison

        panel = self.panels["compare"] = ModelComparison(parent)
        panel.pair_chosen.connect(self._on_pair)
        panel.restore_asked.connect(self._on_restore)
        panel.drop_asked.connect(self._on_drop)
        panel.rating_chosen.connect(self._on_rating)
        return panel

    # ------------------------------------------------------------------ what the user does

    def _try(self, operation: Callable[[RatingsSession], object], doing: str) -> None:
        """Do something that may be refused; say why at the top of the settings and to all."""
        session = self.session
        if session is None:
            return
        try:
            operation(session)
        except UserError as error:
            self._feed_settings()
            if "model" in self.panels:
                self.panels["model"].show_problem(f"{error.text} {error.hint}")
            if not self.docks["model"].isVisible():
                self._window.document.say(message_of(error, doing))
        self._window.after_command()

    def _do(self, operation: Callable[[RatingsSession], object]) -> Callable[..., None]:
        def slot(*_: Any) -> None:
            self._try(operation, "training the model")

        return slot

    def _on_model(self, choice: ModelChoice) -> None:
        self._try(lambda session: session.set_model(choice), "changing the model")

    def _on_learn(self, choice: LearnChoice) -> None:
        self._try(lambda session: session.set_learn(choice), "changing how it learns")

    def _on_both(self, model: ModelChoice, learn: LearnChoice) -> None:
        self._try(lambda session: session.set_choices(model, learn), "changing the model")

    def _on_split(self, choice: SplitChoice) -> None:
        self._try(lambda session: session.set_split(choice), "changing the validation part")

    def _on_undo(self) -> None:
        session = self.session
        if session is not None and session.record is not None:
            self._window.document.undo()
        else:
            self._try(lambda session: session.undo(), "undoing")
        self._window.after_command()

    def _on_epoch(self, row: int) -> None:
        """Show the model as it was after a row of the table of epochs."""
        session = self.session
        if session is not None and session.past.whole is not None:
            self._window.document.seek_run(session.past.step_after(row + 1))

    def _on_continue(self, epochs: int, factor: float) -> None:
        def go_on(session: RatingsSession) -> None:
            if factor != 1.0:
                learn = session.learn_choice
                session.set_learn(with_rate(learn, learn.hyper.lr * factor))
            session.continue_(epochs)

        self._try(go_on, "continuing")

    def keep(self, name: str) -> None:
        """Keep the trained model under a name of its own."""

        def keep_it(session: RatingsSession) -> None:
            taken = {kept.name for kept in session.kept} | {"now"}
            wanted = name or suggested_name(session)
            free = next(n for n in _numbered(wanted) if n not in taken)
            session.kept.keep(free)

        self._try(keep_it, "keeping the model")

    def test_rates(self) -> None:
        """Begin a range test of the learning rate."""
        search = self.search
        if search is not None:
            self._try(lambda _: search.start(), "testing learning rates")
            self._stale.add("search")

    def _on_stop_test(self) -> None:
        if self.search is not None:
            self.search.cancel()
            self._stale.add("search")
            self._window.clock.wake()

    def _on_rate(self, rate: float) -> None:
        rate = float(f"{rate:.2g}")  # as the button said
        self._try(
            lambda session: session.set_learn(with_rate(session.learn_choice, rate)),
            "changing the rate",
        )

    def _on_pair(self, *_: int) -> None:
        self._stale.add("kept")
        self._window.clock.wake()

    def _kept_index(self, place: int) -> int:
        assert self.session is not None
        return place - (1 if self.has_learned else 0)

    def _on_restore(self, place: int) -> None:
        index = self._kept_index(place)
        self._try(lambda session: session.kept.go_back_to(index), "going back to a model")

    def _on_drop(self, place: int) -> None:
        index = self._kept_index(place)
        self._try(lambda session: session.kept.drop(index), "forgetting a model")

    def _on_rating(self, user: int, item: int) -> None:
        self._try(lambda session: session.select(items=(item,), users=(user,)), "selecting")

    # ------------------------------------------------------------------ feeding

    def poll(self) -> None:
        """Bring in what tests and comparisons have done; called by the frame clock."""
        if self.search is not None and self.search.poll():
            self._stale.add("search")
        self._comparing.poll()

    def _refresh(self) -> None:
        """Tell the panels that show what has changed, once a frame."""
        if self.session is None or not self._stale:
            return
        stale, self._stale = self._stale, set()
        for names, panel, feed in (
            ({"choice", "state"}, "model", self._feed_settings),
            ({"state", "snapshot", "choice"}, "training", self._feed_training),
            ({"search", "choice"}, "rate_test", self._feed_rate_test),
        ):
            if stale & names and self._shows(panel):
                feed()
        is_calm = self.session.state not in ("running", "preparing")
        if stale & {"kept", "state"} and is_calm and self._shows("compare"):
            self._comparing.feed(self.panels["compare"], self.session)

    def _shows(self, name: str) -> bool:
        return name in self.panels and self.docks[name].isVisible()

    def facts(self) -> TableFacts:
        """Return what of the open set decides which knobs apply."""
        assert self.session is not None
        return facts_of(self.session, self._range)

    def _feed_settings(self) -> None:
        if self.session is not None and "model" in self.panels:
            feed_settings(self.panels["model"], self.session, self.facts())

    def _feed_training(self) -> None:
        session, history = self.session, self._window.document.history
        assert session is not None
        can_undo = session.can_undo if session.record is None else history.can_undo
        feed_training(self.panels, session, self.facts(), can_undo=can_undo)

    def _feed_rate_test(self) -> None:
        panel, search, session = self.panels["rate_test"], self.search, self.session
        assert search is not None
        assert session is not None
        panel.show_applies(session.learn_choice.mode == "lesson")
        panel.show_running(search.is_running)
        panel.show_test(search.result, search.error)


def _numbered(name: str) -> Generator[str, None, None]:
    yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1
