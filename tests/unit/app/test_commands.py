"""The command table: unique keys, help for everything."""

from __future__ import annotations

import pytest

from gradsheet.app.commands import COMMANDS, command


def test_shortcuts_are_unique() -> None:
    keys = [key for entry in COMMANDS.values() for key in entry.shortcuts]
    assert len(keys) == len(set(keys))


def test_every_command_says_what_it_does() -> None:
    for entry in COMMANDS.values():
        assert entry.help.endswith("."), entry.id


def test_a_taken_shortcut_is_refused() -> None:
    def nothing(_: object) -> None:
        """Do nothing."""

    with pytest.raises(ValueError, match="taken"):
        command("test.nothing", "Nothing", menu="Edit", shortcuts=("Ctrl+Z",))(nothing)
