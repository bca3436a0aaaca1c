"""A double click opens a session: entry, file type and icon come and go, for this user only."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest

from gradsheet.app.headless import desktop
from gradsheet.app.headless.desktop import ENTRY, ICON, MIME, TYPE, install, remove
from gradsheet.formula.values import UserError

LINUX = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="for Linux desktops")


@pytest.fixture(autouse=True)
def own_desktop(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the choices of whoever runs the tests out of them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("desktop")))


def entry_in(folder: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string((folder / ENTRY).read_text(encoding="utf-8"))
    return parser["Desktop Entry"]


@LINUX
def test_the_entry_starts_this_very_program_with_the_file(tmp_path: Path) -> None:
    install(tmp_path)
    entry = entry_in(tmp_path)
    *command, place = shlex.split(entry["Exec"])
    assert place == "%f"
    assert Path(command[0]).exists()
    assert MIME in entry["MimeType"].split(";")
    result = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stdout.startswith("gradsheet "), result.stderr


@LINUX
def test_the_file_type_is_that_of_the_ending_and_of_the_entry(tmp_path: Path) -> None:
    install(tmp_path)
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    kind = Xml.parse(tmp_path / TYPE).getroot().find(f"{space}mime-type")
    assert kind is not None
    assert kind.get("type") == MIME
    globs = [glob.get("pattern") for glob in kind.findall(f"{space}glob")]
    assert globs == ["*.gradsheet"]
    assert Xml.parse(tmp_path / ICON).getroot().tag.endswith("svg")


@LINUX
@pytest.mark.skipif(
    shutil.which("gio") is None or shutil.which("update-mime-database") is None,
    reason="asks the desktop's own tools",
)
def test_the_desktop_knows_the_file_and_who_opens_it(tmp_path: Path) -> None:
    install(tmp_path)
    path = tmp_path / "lesson.gradsheet"
    path.write_bytes(b"PK")
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "LC_ALL": "C"}

    def gio(*arguments: str) -> str:
        return subprocess.run(
            ["gio", *arguments], capture_output=True, text=True, timeout=60, check=False,
            env=environment,
        ).stdout  # fmt: skip

    assert MIME in gio("info", "-a", "standard::content-type", str(path))
    assert "gradsheet.desktop" in gio("mime", MIME)


@LINUX
def test_removing_leaves_nothing_of_it(tmp_path: Path) -> None:
    install(tmp_path)
    assert any("removed" in line for line in remove(tmp_path))
    for name in (ENTRY, TYPE, ICON):
        assert not (tmp_path / name).exists()
    assert remove(tmp_path) == ["There was nothing to remove."]


def test_a_path_with_spaces_and_signs_is_one_argument() -> None:
    assert desktop._quoted("/usr/bin/gradsheet") == "/usr/bin/gradsheet"
    assert desktop._quoted("/my programs/gradsheet") == '"/my programs/gradsheet"'
    assert desktop._quoted("/100%/gradsheet") == '"/100%%/gradsheet"'


def test_other_systems_are_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Linux desktops"):
        install(tmp_path, platform="win32")
    assert not list(tmp_path.iterdir())


@LINUX
def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "applications").write_text("in the way")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert desktop.main(["desktop", "install"]) == 1
    assert "could not be written" in capsys.readouterr().err
