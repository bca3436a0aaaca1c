"""The guide and the list of lessons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QTextBlock
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gradsheet.lessons.catalogue import LESSONS
from gradsheet.qt.panels.guide import BODY_PX, HEADING_PX, Guide
from gradsheet.qt.panels.lesson_list import LessonList
from gradsheet.qt.theme import DARK, LIGHT, apply_theme

TEXT = (
    "# Title\n\nSome *text* with `H2:V16`.\n\n## Try it\n\n1. One\n2. Two\n\n"
    "[Run](command:train.run)\n"
)


@pytest.fixture
def parent(qtbot: QtBot, qapp: QApplication) -> Iterator[QWidget]:
    apply_theme(qapp, LIGHT)
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(260, 600)
    yield parent
    parent.close()


def blocks(guide: Guide) -> list[QTextBlock]:
    found, block = [], guide.document().begin()
    while block.isValid():
        found.append(block)
        block = block.next()
    return found


def size_px(block: QTextBlock) -> int:
    return block.begin().fragment().charFormat().font().pixelSize()


def test_headings_text_and_code_have_their_sizes(parent: QWidget) -> None:
    guide = Guide(parent)
    guide.show_text(TEXT)
    title, body, second, *_ = blocks(guide)
    assert size_px(title) == HEADING_PX[1]
    assert size_px(second) == HEADING_PX[2]
    assert guide.document().defaultFont().pixelSize() == BODY_PX
    assert body.blockFormat().lineHeight() > 120


def test_the_reader_stays_where_he_was_when_the_theme_changes(
    parent: QWidget, qapp: QApplication
) -> None:
    guide = Guide(parent)
    guide.resize(260, 200)
    guide.show_text(TEXT * 20)
    parent.show()
    guide.verticalScrollBar().setValue(300)
    try:
        apply_theme(qapp, DARK)
        assert guide.verticalScrollBar().value() == 300
    finally:
        apply_theme(qapp, LIGHT)


def test_a_link_to_a_command_asks_for_it(parent: QWidget, qtbot: QtBot) -> None:
    guide = Guide(parent)
    guide.show_text(TEXT)
    with qtbot.waitSignal(guide.command_asked) as caught:
        guide.anchorClicked.emit(QUrl("command:train.run"))
    assert caught.args == ["train.run"]


@pytest.mark.parametrize("lesson_id", sorted(LESSONS))
def test_every_lesson_has_a_guide(parent: QWidget, lesson_id: str) -> None:
    guide = Guide(parent)
    guide.show_text(LESSONS[lesson_id].guide())
    assert len(guide.toPlainText()) > 200


def test_the_list_shows_title_and_summary_and_opens_with_enter(
    parent: QWidget, qtbot: QtBot
) -> None:
    lessons = LessonList(LESSONS.values(), parent)
    lessons.resize(240, 300)
    lessons.show_lesson("dotprod")
    parent.show()
    assert lessons.count() == len(LESSONS)
    with qtbot.assertNotEmitted(lessons.chosen):
        qtbot.keyClick(lessons, Qt.Key.Key_Return)
    lessons.setCurrentRow(1)
    with qtbot.waitSignal(lessons.chosen) as caught:
        qtbot.keyClick(lessons, Qt.Key.Key_Return)
    assert caught.args == [lessons.item(1).data(Qt.ItemDataRole.UserRole)]


def test_a_summary_is_wrapped_not_cut(parent: QWidget) -> None:
    lessons = LessonList(LESSONS.values(), parent)
    parent.show()
    lessons.resize(400, 300)
    wide = lessons.sizeHintForRow(0)
    lessons.resize(150, 300)
    assert lessons.sizeHintForRow(0) > wide
