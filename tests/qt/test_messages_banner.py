"""What the program says to its user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gradsheet.app.messages import Message
from gradsheet.qt.messages_banner import MessageBanner


@pytest.fixture
def banner(qtbot: QtBot) -> Iterator[MessageBanner]:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(700, 200)
    banner = MessageBanner({}, parent)
    banner.resize(700, 80)
    parent.show()
    yield banner
    parent.close()


def test_it_is_closed_until_there_is_something_to_say(banner: MessageBanner) -> None:
    assert not banner.isVisible()


def test_text_hint_and_level_show(banner: MessageBanner) -> None:
    banner.show_message(Message("warning", "Row 7 has no rating.", "It was left out."))
    assert "Row 7 has no rating." in banner._text.text()
    assert "It was left out." in banner._text.text()
    assert not banner._icon.pixmap().isNull()
    assert "warning" in banner.accessibleDescription()


def test_markup_in_a_message_is_text(banner: MessageBanner) -> None:
    banner.show_message(Message("error", "<b>not bold</b> & co"))
    assert "&lt;b&gt;not bold" in banner._text.text()


def test_closing_it_takes_one_click(banner: MessageBanner, qtbot: QtBot) -> None:
    banner.show_message(Message("warning", "Something."))
    qtbot.mouseClick(banner._close, Qt.MouseButton.LeftButton)
    assert not banner.isVisible()
    assert banner.message is None


def test_details_are_offered_when_there_are_any(banner: MessageBanner, qtbot: QtBot) -> None:
    banner.show_message(Message("warning", "Something."))
    assert not banner._details.isVisible()
    banner.show_message(Message("error", "Something.", detail="Traceback ..."))
    assert banner._details.isVisible()
    with qtbot.waitSignal(banner.details_asked) as caught:
        qtbot.mouseClick(banner._details, Qt.MouseButton.LeftButton)
    assert caught.args[0].detail == "Traceback ..."


def test_an_endless_message_does_not_push_the_sheet_away(banner: MessageBanner) -> None:
    banner.show_message(Message("error", "word " * 2_000))
    assert banner.heightForWidth(700) < 100
    assert banner._details.isVisible()


def test_an_action_that_is_not_known_is_not_offered(banner: MessageBanner) -> None:
    banner.show_message(Message("warning", "Something.", action="no.such"))
    assert not banner._offer.isVisible()
