"""PySide6 6.12.0 on Python 3.11 drops a reference to None in most void calls, and aborts later."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

CALLS = 3000
SLACK = 200
"""What else in the process may hold or drop None meanwhile; the fault costs one a call."""


def test_void_calls_do_not_use_up_references_to_none(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    label = QLabel(widget)
    timer = QTimer(widget)
    plain = QObject(widget)
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    colour = QColor("#0072B2")
    painter = QPainter(image)
    before = sys.getrefcount(None)
    for i in range(CALLS):
        label.setText("text")
        widget.setToolTip("tip")
        widget.update()
        widget.resize(100 + i % 2, 50)
        timer.setInterval(10)
        plain.setObjectName("name")
        painter.setPen(colour)
        painter.drawLine(0, 0, 5, 5)
        painter.fillRect(0, 0, 2, 2, colour)
    after = sys.getrefcount(None)
    painter.end()
    assert before - after < SLACK, f"{before - after} references to None lost in {9 * CALLS} calls"
