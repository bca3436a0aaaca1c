"""How good the predictions are: hexbin, error by popularity, and the baselines beside the model.

Owns the three figures and their notes; what they show is handed in. Knows no session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QTabWidget, QVBoxLayout, QWidget

from gradsheet.qt.ratings.error_figures import BaselineFigure, NamedError, PopularityFigure
from gradsheet.qt.ratings.hexbin_figure import HexbinFigure
from gradsheet.qt.widgets.empty import EmptyOr
from gradsheet.qt.widgets.figure import FigureAndTable

if TYPE_CHECKING:
    from gradsheet.app.ratings.looks import ErrorLook, Facts

HEADING = "How good are the predictions?"
WHAT = (
    "Predictions against actual ratings, the error by how often an item was rated, and the simple "
    "predictions that a model must beat will appear here."
)


class PredictionsPanel(QWidget):
    """Errors of a model, seen three ways."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMinimumWidth(300)
        self.pages = EmptyOr(HEADING, WHAT, self)
        self.pages.show_nothing("Open ratings, then press F5 to learn.")
        self.hexbin = HexbinFigure(self)
        self.popularity = PopularityFigure(self)
        self.baselines = BaselineFigure(self)
        self.views = {
            "hexbin": FigureAndTable(self.hexbin, "Predictions against ratings", self),
            "popularity": FigureAndTable(self.popularity, "Error by popularity", self),
            "baselines": FigureAndTable(self.baselines, "Beside simple predictions", self),
        }
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.views["hexbin"], "Predictions")
        self.tabs.addTab(self.views["popularity"], "By popularity")
        both = QSplitter(Qt.Orientation.Vertical, self)
        both.setChildrenCollapsible(False)
        both.addWidget(self.tabs)
        both.addWidget(self.views["baselines"])
        both.setStretchFactor(0, 3)
        both.setStretchFactor(1, 1)
        self.pages.addWidget(both)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)

    def show_nothing(self, why: str) -> None:
        """Say what will appear here and how."""
        self.pages.show_nothing(why)

    def show_errors(self, look: ErrorLook, facts: Facts, name: str) -> None:
        """Show a model's errors.

        Parameters
        ----------
        look : ErrorLook
        facts : Facts
            Gives the baselines.
        name : str
            Of the model.
        """
        where = f"{facts.part} ratings"
        some = f"{look.available:,} {where}"
        if look.used < look.available:
            some = f"{look.used:,} of {look.available:,} {where}, drawn at random"
        found = look.errors
        self.hexbin.show_cells(look.cells)
        self.popularity.show_bands(look.popularity, look.simple_popularity)
        rows = [NamedError(b.name, b.formula, b.errors.rmse, b.errors.mae)
                for b in facts.baselines]  # fmt: skip
        rows.append(NamedError(name, "what is being learned", found.rmse, found.mae, True))
        self.baselines.show_rows(rows)
        note = f"RMSE {found.rmse:.4f}, MAE {found.mae:.4f} stars on {some}"
        if facts.part == "training":
            note += "; no ratings were kept back, so this says little of new ones"
        self.views["hexbin"].refresh(f"{note}.")
        self.views["popularity"].refresh(f"RMSE in stars on {some}.")
        self.views["baselines"].refresh(f"Errors in stars on {some}.")
        self.pages.show_contents()
