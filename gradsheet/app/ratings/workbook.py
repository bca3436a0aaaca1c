"""The workbook of a rating set: Crosstab, Users, Items, Ratings and Predictions.

Owns the sheets and how they follow the session: what of them has changed, when the crosstab is
laid out anew. Must not know windows; the document stores what it hands back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gradsheet.app.ratings import crosstab_sheet, layers_sheet, redirect, table_sheets
from gradsheet.app.ratings.crosstab_sheet import (
    LAYERS,
    Pairs,
    Shape,
    numbers_of,
    shape_of,
)
from gradsheet.app.ratings.laid_out import LaidOut, is_large, laid_out
from gradsheet.app.ratings.layers_sheet import NetShape
from gradsheet.app.ratings.pairs import pairs_of
from gradsheet.app.ratings.redirect import FIRST as FIRST
from gradsheet.app.ratings.redirect import RATING as RATING
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Kind
from gradsheet.lessons.lesson import LessonBook
from gradsheet.sheet.change import Change, Edit
from gradsheet.sheet.edits import FormatChange, SetFormat, SetRoles
from gradsheet.sheet.formats import FormatRules
from gradsheet.sheet.roles import Role, RoleRegion
from gradsheet.sheet.virtual import VirtualStore, WriteTable
from gradsheet.sheet.workbook import Sheet, Workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    import numpy.typing as npt

    from gradsheet.app.ratings.learned import Side
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.formula.results import Computed
    from gradsheet.sheet.table_view import Showing
    from gradsheet.sheet.virtual import Column
    from gradsheet.tasks import Control

TABLES = ("Users", "Items", "Ratings", "Predictions")
WIDTHS = {
    "Users": (80, 64, 56, 64),
    "Items": (80, 300, 64, 56, 64),
    "Ratings": (80, 80, 320, 64, 140),
    "Predictions": (80, 80, 320, 64, 88, 72),
}


class RatingsBook:
    """The sheets over one session.

    Parameters
    ----------
    session : RatingsSession
    pairs : Pairs
        Users and items of the crosstab.
    workbook : Workbook, optional
        As a file kept it, with formulas and sheets of the user's own; made anew if not given.
    sheets : sequence of int, optional
        Ids of its Crosstab, Users, Items, Ratings, Predictions and, where there is one, Layers,
        whatever they are called.

    Attributes
    ----------
    workbook : Workbook
    crosstab, users, items, ratings, predictions : Sheet
    shape : Shape
        Of the crosstab as it is laid out.
    layers : Sheet or None
        The sheet of a net's layers, once there has been one.
    pairs : Pairs
    """

    def __init__(
        self,
        session: RatingsSession,
        pairs: Pairs,
        workbook: Workbook | None = None,
        sheets: Sequence[int] = (),
    ) -> None:
        self.session, self.pairs = session, pairs
        is_new = workbook is None
        self.layers: Sheet | None = None
        self.workbook = workbook or Workbook.with_sheet("Crosstab")
        self.crosstab, self.users, self.items, self.ratings, self.predictions = (
            (self.workbook.sheets[0], *(self._add(name) for name in TABLES))
            if is_new
            else tuple(self.workbook.sheet(number) for number in sheets[:5])
        )
        if len(sheets) > 5:
            self.layers = self.workbook.sheet(sheets[5])
        strings, table = self.workbook.strings, session.table
        columns = table_sheets.rating_columns(session, strings)
        self._fill(self.ratings, columns, len(table))
        self._tables_as_learned(is_new)
        self.shape = self._shape()
        if is_new:
            self._lay_out(None)
            self._dress_ratings()

    def _add(self, name: str) -> Sheet:
        sheet = self.workbook.make_sheet(name)
        self.workbook.sheets.append(sheet)
        sheet.frozen = Cell(1, 0)
        sheet.column_widths = dict(enumerate(WIDTHS[name]))
        head = Region(0, 0, 1, 4096)
        self.workbook.apply(SetFormat(sheet.id, head, FormatChange(bold=True)))
        return sheet

    def lesson_book(self) -> LessonBook:
        """Return it as what a document opens."""
        return LessonBook(
            workbook=self.workbook,
            problem=None,
            optimizer=self.session.learn_choice.optimizer,
            sheet=self.crosstab.id,
            selection=self.shape.predictions.first,
            loss_name="RMSE",
        )

    # ------------------------------------------------------------------ layout

    def _shape(self, pairs: Pairs | None = None) -> Shape:
        """Return the shape for the model as it is, and the pairs shown or others."""
        pairs = pairs or self.pairs
        session, learned = self.session, self.session.learned
        model = session.model_choice
        widths = (model.factors, model.factors)
        if learned is not None:
            widths = (learned.user_rows.shape[1], learned.item_rows.shape[1])
        elif model.kind == "net":
            widths = (model.user_factors, model.item_factors)
        net = None
        is_free = self.workbook.by_name(LAYERS) in (None, self.layers)
        if learned is not None and learned.net is not None and is_free:
            net = NetShape.of(learned, learned.net)
        return shape_of(
            model, session.learn_choice, len(pairs.users), len(pairs.items), widths, net
        )

    def _tables_as_learned(self, dress: bool = True) -> None:
        """Give Users, Items and Predictions the columns and rows of the model and the split."""
        session, strings = self.session, self.workbook.strings
        shape, table = self._shape(), session.table
        users = table_sheets.user_columns(session, strings, shape.user_factors)
        items = table_sheets.item_columns(session, strings, shape.item_factors)
        self._fill(self.users, users, table.n_users)
        self._fill(self.items, items, table.n_items)
        split = session.split
        judged = 0 if split is None else len(split.valid) or len(split.train)
        columns = table_sheets.prediction_columns(session, strings)
        self._fill(self.predictions, columns, judged)
        if not dress:  # the file has kept how they look
            return
        for sheet, role, first in (
            (self.users, Role.USER, FIRST["users"] - 1),
            (self.items, Role.ITEM, FIRST["items"] - 1),
        ):
            used = sheet.cells.used()
            body = Region(1, first, used.bottom, used.right)
            label = "user" if role is Role.USER else "item"
            sheet.roles = (RoleRegion(body, role, f"{label} bias and embedding"),)
            self._format(sheet, body, "0.00")
            self._format(sheet, Region(1, first - 1, used.bottom, first), "0.00")
            for f in range(first, used.right):
                sheet.column_widths[f] = 64
        rows = 1 + max(judged, 1)
        self.predictions.roles = (
            RoleRegion(Region(1, 3, rows, 4), Role.DATA, "actual rating"),
            RoleRegion(Region(1, 4, rows, 5), Role.PREDICTION, "prediction"),
            RoleRegion(Region(1, 5, rows, 6), Role.LOSS, "error"),
        )
        self._format(self.predictions, Region(1, 4, rows, 6), "0.00")

    def _fill(self, sheet: Sheet, columns: Sequence[Column], count: int) -> None:
        """Give a sheet columns; its rows stay sorted and filtered if they are as many."""
        old, store = sheet.cells, VirtualStore(columns, count, self.workbook.strings)
        if isinstance(old, VirtualStore) and old.count == count:
            store.order, store.showing = old.order, old.showing.within(len(columns))
        sheet.cells = store

    @property
    def ratings_store(self) -> VirtualStore:
        """The cells of the sheet Ratings."""
        store = self.ratings.cells
        assert isinstance(store, VirtualStore)
        return store

    def take_table(self, order: npt.NDArray[Any] | None, showing: Showing) -> Change:
        """Follow the session to a table with other ratings, in this order."""
        session, before = self.session, self.ratings.cells.used()
        columns = table_sheets.rating_columns(session, self.workbook.strings)
        store = VirtualStore(columns, len(session.table), self.workbook.strings)
        store.order, store.showing = order, showing
        self.ratings.cells = store
        self._dress_ratings()
        pairs = pairs_of(session.table, self.pairs.users, self.pairs.items)
        change = self.lay_out_anew(pairs, replace(self.laid_out, pairs=pairs))
        for ratings in self.ratings_again():
            self.crosstab.cells.write(ratings.region, ratings.values, ratings.kinds)
        whole = before.union_hull(store.used())
        return replace(change, values=(*change.values, (self.ratings.id, whole)))

    def _dress_ratings(self) -> None:
        body = Region(1, RATING, 1 + len(self.session.table), RATING + 1)
        self.ratings.roles = (RoleRegion(body, Role.DATA, "actual rating"),)
        self._format(self.ratings, body.shift(0, 1), "yyyy-mm-dd hh:mm")

    def _format(self, sheet: Sheet, region: Region, number: str) -> None:
        self.workbook.apply(SetFormat(sheet.id, region, FormatChange(number=number)))

    def _lay_out(self, laid: LaidOut | None) -> None:
        """Show the crosstab anew, as it was laid out if that is still what it should be."""
        sheet, shape, learned = self.crosstab, self.shape, self.session.learned
        if laid is None or not laid.is_of(shape, self.pairs):
            laid = laid_out(shape, self.pairs, learned, self.workbook.strings)
        sheet.cells = laid.cells
        sheet.formats = FormatRules(self.workbook.palette)
        self.workbook.apply(SetRoles(sheet.id, shape.roles()))
        for region in (shape.item_block, shape.user_block, shape.predictions):
            self._format(sheet, region, "0.00")
        loss = Region.of(shape.loss)
        self.workbook.apply(SetFormat(sheet.id, loss, FormatChange(number="0.0000", bold=True)))
        crosstab_sheet.dress(sheet, shape, self.pairs)
        self._lay_out_layers(laid)
        if learned is not None:
            for region, numbers in numbers_of(shape, self.pairs, learned):
                sheet.cells.write(region, numbers)

    def _lay_out_layers(self, laid: LaidOut) -> None:
        """Show the sheet of a net's layers anew, or take it away."""
        layout, learned, book = self.shape.layers, self.session.learned, self.workbook
        if layout is None or learned is None or laid.layers is None:
            book.sheets[:] = [sheet for sheet in book.sheets if sheet is not self.layers]
            return
        if self.layers is None:
            self.layers = book.make_sheet(LAYERS)
        if self.layers not in book.sheets:
            book.sheets.insert(book.sheets.index(self.crosstab) + 1, self.layers)
        sheet = self.layers
        sheet.name = LAYERS  # the crosstab's formulas are written anew with it
        sheet.formats = FormatRules(book.palette)
        sheet.cells = laid.layers
        for region, numbers in layers_sheet.numbers_of(layout, self.pairs, learned):
            sheet.cells.write(region, numbers)
        layers_sheet.dress(sheet, layout, self.pairs)
        sheet.roles = layers_sheet.roles_of(layout)
        body = layout.everything
        self._format(sheet, Region(layers_sheet.TOP, 2, layout.bias_row + 1, body.right), "0.00")
        self._format(sheet, Region(layout.rows[0], 2, body.bottom, body.right), "0.00")
        head = Region(0, 0, layers_sheet.TOP, body.right)
        book.apply(SetFormat(sheet.id, head, FormatChange(bold=True)))

    # ------------------------------------------------------------------ following the session

    def fits(self) -> bool:
        """Whether the sheets are laid out for the model and split that there are now."""
        split = self.session.split
        judged = 0 if split is None else len(split.valid) or len(split.train)
        counted = self.predictions.cells
        assert isinstance(counted, VirtualStore)
        return self._shape() == self.shape and counted.count == judged

    def laying_out(
        self, control: Control, pairs: Pairs | None = None
    ) -> Generator[None, None, LaidOut]:
        """Lay the crosstab out for :meth:`lay_out_anew`; work for a task."""
        yield
        learned, strings = self.session.learned, self.workbook.strings
        return laid_out(self._shape(pairs), pairs or self.pairs, learned, strings, control)

    def laying_out_now(self) -> Callable[[], LaidOut]:
        """Return what lays the crosstab out for the model as it is now, on any thread."""
        learned, strings = self.session.learned, self.workbook.strings
        return partial(laid_out, self._shape(), self.pairs, learned, strings)

    @property
    def is_large(self) -> bool:
        """Whether laying it out anew would hold up the window's thread."""
        return is_large(self._shape())

    def is_for_now(self, laid: LaidOut) -> bool:
        """Whether something laid out is what the crosstab should show."""
        return laid.is_of(self._shape(), self.pairs)

    @property
    def laid_out(self) -> LaidOut:
        """The cells that the crosstab has now."""
        layers = self.layers.cells if self.layers in self.workbook.sheets else None
        return LaidOut(self.shape, self.pairs, self.crosstab.cells, layers)

    def lay_out_anew(self, pairs: Pairs | None = None, laid: LaidOut | None = None) -> Change:
        """Lay the sheets out for the model as it is now, or for other users and items.

        ``laid`` is what they then show, where it was laid out before and still fits.
        """
        before = self.crosstab.cells.used()
        self.pairs = pairs or self.pairs
        self._tables_as_learned()
        self.shape = self._shape()
        self._lay_out(laid)
        whole = before.union_hull(self.crosstab.cells.used())
        formulas: tuple[tuple[int, Region], ...] = ((self.crosstab.id, whole),)
        if self.shape.layers is not None and self.layers is not None:
            formulas += ((self.layers.id, self.shape.layers.everything),)
        places = (*formulas, *self.learned_places())
        return Change(values=places, formulas=formulas, structure=True)

    def numbers(self) -> list[Computed]:
        """Return the crosstab's numbers for what is learned now."""
        from gradsheet.formula.results import Computed

        learned = self.session.learned
        if learned is None or self._shape() != self.shape:
            return []
        found = [(self.crosstab.id, *each) for each in numbers_of(self.shape, self.pairs, learned)]
        layout = self.shape.layers
        if layout is not None and self.layers is not None:
            numbers = layers_sheet.numbers_of(layout, self.pairs, learned)
            found += [(self.layers.id, *each) for each in numbers]
        return [
            Computed(sheet, region, values, np.full(region.shape, Kind.NUMBER, np.uint8))
            for sheet, region, values in found
        ]

    def learned_places(self) -> tuple[tuple[int, Region], ...]:
        """Return where tables show what is learned."""
        found = []
        for sheet, first in (
            (self.users, FIRST["users"] - 1),
            (self.items, FIRST["items"] - 1),
            (self.predictions, 3),
        ):
            used = sheet.cells.used()
            found.append((sheet.id, Region(1, first, max(used.bottom, 2), used.right)))
        return tuple(found)

    def ratings_again(self) -> list[Computed]:
        """Return the crosstab's ratings as the table has them now."""
        from gradsheet.formula.results import Computed

        ratings, rows = self.session.table.ratings, self.pairs.rows
        numbers = table_sheets.shortest(ratings[np.maximum(rows, 0)])
        numbers = np.where(rows >= 0, numbers, np.nan)
        self.pairs.ratings[...] = numbers
        kinds = np.where(rows >= 0, Kind.NUMBER, Kind.BLANK).astype(np.uint8)
        values = np.where(rows >= 0, numbers, 0.0)
        return [Computed(self.crosstab.id, self.shape.ratings, values, kinds)]

    # ------------------------------------------------------------------ edits

    def redirected(self, edit: Edit) -> Edit:
        """Return what an edit means: cells of the crosstab stand for others, see `redirect`."""
        return redirect.redirected(self, edit)

    def embedding_edit(self, side: Side, row: int, numbers: Mapping[int, float]) -> Edit:
        """Return the edit that sets numbers of one user or item, by factor; -1 is the bias."""
        sheet = self.users if side == "users" else self.items
        first = FIRST[side]
        return WriteTable(
            sheet.id,
            np.full(len(numbers), row),
            np.array([first + column for column in numbers]),
            np.array([float(value) for value in numbers.values()]),
            np.full(len(numbers), Kind.NUMBER, np.uint8),
            f"Edit the {side}",
        )


@dataclass(frozen=True, slots=True, eq=False)
class OtherPairs(Edit):
    """Show other users and items in the crosstab."""

    book: RatingsBook
    pairs: Pairs
    laid: LaidOut | None = None

    @property
    def label(self) -> str:
        """Always the same."""
        return "Choose the crosstab"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        before = self.book.laid_out
        change = self.book.lay_out_anew(self.pairs, self.laid)
        return OtherPairs(self.book, before.pairs, before), change
