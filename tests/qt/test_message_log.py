"""The list of all that was said: what is chosen is read whole, and copied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gradsheet.app.messages import LOG_LIMIT, Message
from gradsheet.qt.panels.message_log import MessageLogPanel

BUG = Message("error", "Broken.", "Try again.", "line 1\nline 2")
NOTE = Message("info", "Saved.")


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[MessageLogPanel]:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(900, 220)
    panel = MessageLogPanel(parent)
    panel.resize(900, 220)
    parent.show()
    yield panel
    parent.close()


def copied() -> str:
    return QGuiApplication.clipboard().text()


def test_an_empty_log_says_what_will_appear(panel: MessageLogPanel) -> None:
    assert panel._empty.isVisible()
    assert "Nothing has been said yet" in panel._empty.text()
    panel.add(NOTE)
    assert not panel._empty.isVisible()


def test_what_is_chosen_is_read_whole_and_copied(panel: MessageLogPanel, qtbot: QtBot) -> None:
    panel.show_all([NOTE, BUG])
    assert not panel.copy_button.isEnabled()
    panel.choose(BUG)
    assert "error: Broken.\nTry again.\nline 1\nline 2" in panel.whole_text()
    qtbot.mouseClick(panel.copy_button, Qt.MouseButton.LeftButton)
    assert "line 1\nline 2" in copied()
    assert "Saved." not in copied()


def test_everything_is_copied_in_its_order(panel: MessageLogPanel, qtbot: QtBot) -> None:
    panel.show_all([NOTE, BUG])
    qtbot.mouseClick(panel.copy_all_button, Qt.MouseButton.LeftButton)
    assert copied().index("Saved.") < copied().index("line 2")


def test_the_keys_of_copy_copy(panel: MessageLogPanel, qtbot: QtBot) -> None:
    panel.show_all([NOTE, BUG])
    panel.choose(NOTE)
    panel._list.setFocus()
    qtbot.keyClick(panel._list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "Saved." in copied()


def test_a_row_says_its_level_to_those_who_hear_it(panel: MessageLogPanel) -> None:
    panel.show_all([BUG])
    item = panel._list.topLevelItem(0)
    assert item.data(1, Qt.ItemDataRole.AccessibleTextRole).startswith("error: Broken.")
    assert not item.icon(0).isNull()


def test_the_oldest_go_when_there_are_too_many(panel: MessageLogPanel) -> None:
    for number in range(LOG_LIMIT + 5):
        panel.add(Message("info", f"number {number}"))
    assert len(panel.messages) == LOG_LIMIT == panel._list.topLevelItemCount()
    assert panel.messages[0].text == "number 5"
    panel.choose(panel.messages[-1])
    assert f"number {LOG_LIMIT + 4}" in panel.whole_text()


def test_markup_is_text(panel: MessageLogPanel) -> None:
    panel.add(Message("warning", "<b>not bold</b>"))
    assert panel._list.topLevelItem(0).text(1) == "<b>not bold</b>"
