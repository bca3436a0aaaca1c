"""The docks that look into what a rating set has learned, and what links them with the grid.

Owns when their panels are made, what they are told and what a selection or a dragged dot leads
to. Panels know nothing of one another; they meet in the session's selection.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDockWidget, QVBoxLayout, QWidget

from gradsheet.app.messages import message_of
from gradsheet.app.ratings.embedding_edits import write_learned
from gradsheet.app.ratings.grid_link import chosen_in_grid, place_of_items
from gradsheet.app.ratings.item_names import ItemNames
from gradsheet.app.ratings.looking import Looking, Want
from gradsheet.formula.values import UserError
from gradsheet.qt.dock_commands import declare_docks
from gradsheet.qt.theme import px
from gradsheet.qt.widgets.dock_title import make_dock

if TYPE_CHECKING:
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.app.ratings.typing_in import TypingIn
    from gradsheet.qt.main_window import MainWindow

WIDE_PX = 560
DOCKS = {
    "predictions": ("Predictions", "target", "Ctrl+Alt+1",
                    "Show or hide predictions against ratings, and baselines beside the model."),
    "ranking": ("Bias ranking", "list-ordered", "Ctrl+Alt+2",
                "Show or hide the items with the highest and the lowest bias."),
    "map": ("Map", "locate-fixed", "Ctrl+Alt+3",
            "Show or hide the map of the items by their embeddings."),
    "type_in": ("Type yourself in", "star", "Ctrl+Alt+4",
                "Rate a few titles and see what the model recommends, and why."),
}  # fmt: skip
"""Title, icon, keys and help by name of the dock."""
WANTS: dict[str, Want] = {"predictions": "errors", "ranking": "ranking", "map": "map"}
NEEDS = "Open a file of ratings first"
NOT_LEARNED = "Press F5 to learn."


declare_docks(
    DOCKS, lambda window: window.looking_docks, group=4, needs=NEEDS,
    enabled=lambda window: window.document.ratings is not None,
)  # fmt: skip


class LookingDocks(QObject):
    """Makes, feeds and hears the panels that look into a model.

    Parameters
    ----------
    window : MainWindow
        Gives document, grid and clock.

    Attributes
    ----------
    looking : Looking or None
        Of the rating set that is open.
    typing : TypingIn or None
    panels : dict of str to QWidget
        Those made so far, by name of the dock.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.looking: Looking | None = None
        self.typing: TypingIn | None = None
        self.panels: dict[str, Any] = {}
        self.docks: dict[str, QDockWidget] = {}
        self._session: RatingsSession | None = None
        self._is_linking = False
        self._start_row: tuple[int, np.ndarray] | None = None
        self._resumes = False
        self._makers: dict[str, Callable[[QWidget], QWidget]] = {
            "predictions": self._make_predictions, "ranking": self._make_ranking,
            "map": self._make_map, "type_in": self._make_type_in,
        }  # fmt: skip
        for name, (title, *_) in DOCKS.items():
            holder = QWidget(window)
            QVBoxLayout(holder).setContentsMargins(0, 0, 0, 0)
            dock = make_dock(window, f"looking_{name}", title, holder, f"View > {title}")
            window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
            dock.hide()
            dock.visibilityChanged.connect(partial(self._on_visible, name))
            self.docks[name] = dock

    def connect_to(self) -> None:
        """Hear the document and the grid; once the window has them."""
        training = self._window.ratings_docks.docks["training"]
        for dock in self.docks.values():
            # One panel at a time has the whole height: two would cut each other short.
            self._window.tabifyDockWidget(training, dock)
        self._window.notifier.replaced.connect(self.follow_document)
        self._window.grid.selection_changed.connect(self._on_grid)
        self.follow_document()

    # ------------------------------------------------------------------ the session

    def follow_document(self) -> None:
        """Look into the rating set that is open; without one the docks go away."""
        session = self._window.document.ratings
        if session is self._session:
            return
        self.close()
        self._session = session
        self._drop_panels()
        if session is None:
            for dock in self.docks.values():
                dock.hide()
            return
        from gradsheet.app.ratings.typing_in import TypingIn

        say = self._window.document.say
        self.looking = Looking(session, say)
        self.typing = TypingIn(session, self.looking, say)
        self.looking.add_listener(self._feed)
        session.add_listener(self._on_event)
        for name in DOCKS:
            if self.docks[name].isVisible():
                self._ensure(name)
        self._want()

    def _drop_panels(self) -> None:
        """A new rating set gets panels of its own: searches and choices were the old one's."""
        for panel in self.panels.values():
            panel.setParent(None)
            panel.deleteLater()
        self.panels.clear()

    def close(self) -> None:
        """Give up what is being computed and hear the session no more."""
        for part in (self.looking, self.typing):
            if part is not None:
                part.close()
        if self._session is not None:
            self._session.remove_listener(self._on_event)
        self.looking = self.typing = self._session = None

    def _on_event(self, event: str) -> None:
        if event == "selection":
            self._show_selection()
        elif event in ("state", "choice"):
            self._feed()
        self._window.clock.wake()

    def poll(self) -> None:
        """Bring in what was computed; called by the frame clock."""
        for part in (self.looking, self.typing):
            if part is not None:
                part.poll()

    @property
    def is_busy(self) -> bool:
        """Whether something is being computed."""
        return any(part is not None and part.is_busy for part in (self.looking, self.typing))

    # ------------------------------------------------------------------ docks

    def is_open(self, name: str) -> bool:
        """Whether a dock shows (it may lie behind another one)."""
        return not self.docks[name].isHidden()

    def toggle(self, name: str) -> None:
        """Show a dock in front with the keyboard in it, or hide it."""
        if self.is_open(name):
            self.docks[name].hide()
            self._window.grid.setFocus()
        else:
            self.show(name)

    def show(self, name: str) -> None:
        """Show a dock in front of those it shares its place with."""
        window, dock = self._window, self.docks[name]
        dock.show()
        dock.raise_()
        self._ensure(name)
        wide = min(round(px(WIDE_PX)), round(window.width() * 0.5))
        if dock.width() < wide:
            window.resizeDocks([dock], [wide], Qt.Orientation.Horizontal)
        focus = {"map": "canvas", "ranking": "search", "type_in": "search"}.get(name)
        if focus is not None and name in self.panels:
            getattr(self.panels[name], focus).setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_visible(self, name: str, visible: bool) -> None:
        if visible:
            self._ensure(name)
        self._want()

    def _want(self) -> None:
        """Compute what is in sight, nothing else."""
        if self.looking is None or self.typing is None:
            return
        seen = {name for name in DOCKS if self.docks[name].isVisible()}
        wanted: set[Want] = {WANTS[name] for name in seen if name in WANTS}
        self.typing.is_wanted = "type_in" in seen
        if self.typing.is_wanted:
            wanted.add("ranking")  # the facts that it needs come with any look
        self.looking.want(frozenset(wanted))
        self._window.clock.wake()

    def _ensure(self, name: str) -> None:
        if name not in self.panels and self._session is not None:
            holder = self.docks[name].widget()
            self.panels[name] = panel = self._makers[name](holder)
            holder.layout().addWidget(panel)
            self._feed()
            self._show_in_panels()  # the grid stays as it is: opening a panel selects nothing

    # ------------------------------------------------------------------ panels

    def _make_predictions(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.predictions import PredictionsPanel

        return PredictionsPanel(parent)

    def _make_ranking(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.bias_ranking import BiasRankingPanel

        panel = BiasRankingPanel(parent)
        panel.chosen.connect(self._select)
        panel.shown_on_map.connect(self._on_show_on_map)
        return panel

    def _make_map(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.item_map import ItemMapPanel

        panel = ItemMapPanel(parent)
        panel.chosen.connect(self._select)
        panel.least_changed.connect(self._on_least)
        panel.drag_begun.connect(self._on_drag_begun)
        panel.dragged.connect(self._on_dragged)
        panel.drag_ended.connect(self._on_drag_ended)
        return panel

    def _make_type_in(self, parent: QWidget) -> QWidget:
        from gradsheet.qt.panels.type_yourself_in import TypeYourselfInPanel

        assert self.typing is not None
        panel = TypeYourselfInPanel(self.typing, parent)
        panel.item_chosen.connect(self._on_item)
        panel.wake.connect(self._window.clock.wake)
        return panel

    # ------------------------------------------------------------------ feeding

    def _feed(self) -> None:
        """Tell every panel what there is to show, or why there is nothing."""
        looking, session = self.looking, self._session
        if looking is None or session is None:
            return
        facts, look = looking.facts, looking.look
        is_learned = bool(session.steps_done)
        if "predictions" in self.panels:
            if look is not None and look.errors is not None and facts is not None:
                self.panels["predictions"].show_errors(look.errors, facts, "this model")
            elif session.learned is None:
                self.panels["predictions"].show_nothing("The model is being made.")
        if "ranking" in self.panels:
            if not is_learned:
                self.panels["ranking"].show_nothing(NOT_LEARNED)
            elif look is not None and look.ranking is not None and facts is not None:
                self.panels["ranking"].show_ranking(look.ranking, facts.names)
            elif session.model_choice.kind != "bias":
                self.panels["ranking"].show_nothing(
                    "This model has no item biases: choose EmbeddingDotBias and learn again."
                )
        if "map" in self.panels:
            if not is_learned:
                self.panels["map"].show_nothing(NOT_LEARNED)
            elif look is not None and look.map is not None and facts is not None:
                self.panels["map"].show_look(look, facts)
        if "type_in" in self.panels:
            panel = self.panels["type_in"]
            if facts is not None and panel.names is not facts.names:
                ids = [str(user) for user in session.table.user_ids.tolist()]
                panel.set_names(facts.names, ItemNames(ids, facts.user_counts))
            else:
                panel.refresh()

    # ------------------------------------------------------------------ linked selection

    def _select(self, items: list[int]) -> None:
        if self._session is not None:
            self._session.select(items=items)

    def _on_item(self, code: int) -> None:
        self._select([code])

    def _show_selection(self) -> None:
        """Light up in panels and grid what the session has selected."""
        self._show_in_panels()
        if self._session is not None:
            self._show_in_grid(self._session.selection.items)

    def _show_in_panels(self) -> None:
        if self._session is None:
            return
        for name in ("ranking", "map"):
            if name in self.panels:
                self.panels[name].show_selection(self._session.selection.items)

    def _show_in_grid(self, items: tuple[int, ...]) -> None:
        book, grid = self._window.document.ratings_book, self._window.grid
        if book is None or self._is_linking or not items:
            return
        regions = place_of_items(book, grid.sheet_id, items)
        if regions:
            self._is_linking = True
            grid.select(regions)
            self._is_linking = False

    def _on_grid(self) -> None:
        """What is selected on Items, Users or the crosstab is selected in the panels too."""
        book, session = self._window.document.ratings_book, self._session
        if book is None or session is None or self._is_linking:
            return
        grid = self._window.grid
        chosen = chosen_in_grid(book, grid.sheet_id, grid.selection)
        if chosen is not None:
            self._is_linking = True
            session.select(items=chosen.items, users=chosen.users)
            self._is_linking = False

    def _on_show_on_map(self, code: int) -> None:
        self.show("map")
        self.panels["map"].canvas.show_item(code, 3.0)

    # ------------------------------------------------------------------ dragging a dot

    def _on_least(self, number: int) -> None:
        if self.looking is not None:
            self.looking.map_least = number
            self._window.clock.wake()

    def _on_drag_begun(self, code: int) -> None:
        session, looking = self._session, self.looking
        if session is None or looking is None or session.learned is None:
            return
        self._resumes = session.stop()
        self._start_row = (code, session.learned.item_rows[code].copy())
        looking.hold_axes(True)

    def _on_dragged(self, code: int, there: np.ndarray) -> None:
        """Give the model the row of the dot's new place; not yet an entry of the history."""
        session, looking = self._session, self.looking
        if session is None or looking is None or self._start_row is None:
            return
        look = looking.look
        if look is None or look.map is None:
            return
        row = look.map.components.moved(self._start_row[1], there)
        write_learned(session, "items", [code] * len(row), range(len(row)), row.tolist())
        looking.show_moved(code, there)
        if looking.facts is not None:
            self.panels["map"].show_look(looking.look, looking.facts)

    def _on_drag_ended(self, code: int) -> None:
        """Make the whole way one edit that can be undone."""
        session, looking, start = self._session, self.looking, self._start_row
        document = self._window.document
        book = document.ratings_book
        if session is None or looking is None or start is None or book is None:
            return
        self._start_row = None
        looking.hold_axes(False)
        assert session.learned is not None
        row = session.learned.item_rows[code].tolist()
        try:
            numbers = start[1].tolist()
            write_learned(session, "items", [code] * len(row), range(len(row)), numbers)
            edit = book.embedding_edit("items", code, dict(enumerate(row)))
            document.apply(edit, f"Move {session.table.item_title(code)}")
        except UserError as error:
            document.say(message_of(error, "moving an item"))
        if self._resumes:
            session.start()
        self._window.after_command()
