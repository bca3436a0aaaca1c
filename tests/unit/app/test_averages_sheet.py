"""The tab of averages: live formulas on the gradients of the run, beta in its cell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gradsheet.app.document import Document
from gradsheet.app.lab import averages_sheet
from gradsheet.app.lab.path_view import path_view
from gradsheet.formula.address import Region
from gradsheet.formula.values import UserError
from gradsheet.learn.averages import weighted_averages


@pytest.fixture
def document() -> Iterator[Document]:
    opened = Document()
    opened.open_lesson("momentum")
    opened.finish()
    yield opened
    opened.close()


def assert_averages(document: Document, beta: float) -> None:
    document.finish()
    sheet, view = document.workbook.by_name("averages"), path_view(document)
    assert sheet is not None
    assert view is not None
    values, _ = sheet.cells.read(Region.parse("B6:G34"))
    for i in (0, 1):
        found = weighted_averages(view.gradients[:, i], beta)
        expected = np.stack([found.values, found.plain, found.corrected], 1)
        np.testing.assert_allclose(values[:, 3 * i : 3 * i + 3], expected, rtol=1e-9)


def test_the_tab_follows_beta_and_the_run(document: Document) -> None:
    averages_sheet.show(document, 0.9)
    assert_averages(document, 0.9)
    averages_sheet.set_beta(document, 0.5)
    assert_averages(document, 0.5)
    document.step_run(3)
    assert_averages(document, 0.5)
    document.seek_run(1)
    document.finish()
    assert_averages(document, 0.5)


def test_the_tab_can_be_pointed_at_another_optimizer(document: Document) -> None:
    averages_sheet.show(document, 0.9)
    eve = document.workbook.by_name("eve")
    assert eve is not None
    document.show_sheet(eve.id)
    averages_sheet.show(document, 0.7)
    assert_averages(document, 0.7)


def test_without_gradients_there_are_no_averages() -> None:
    document = Document()
    with pytest.raises(UserError, match="gradients"):
        averages_sheet.show(document, 0.9)
    document.close()
