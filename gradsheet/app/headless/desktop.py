"""`gradsheet desktop install`: a double click on a session opens it, on Linux desktops.

Owns where the desktop entry, the file type and the icon lie in the user's data folder. What
stands in them is `resources/desktop`. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gradsheet.formula.values import UserError
from gradsheet.resources import path as resource

ENTRY = "applications/gradsheet.desktop"
TYPE = "mime/packages/gradsheet.xml"
ICON = "icons/hicolor/scalable/apps/gradsheet.svg"
MIME = "application/x-gradsheet"
_TOOL_S = 60.0


def data_folder() -> Path:
    """Return the user's data folder, as the desktops agree on it."""
    named = os.environ.get("XDG_DATA_HOME", "")
    return Path(named) if named else Path.home() / ".local" / "share"


def main(argv: Sequence[str]) -> int:
    """Run `desktop` with its arguments (the word `desktop` first).

    Returns
    -------
    int
        0 done, 1 failed with a message.
    """
    parser = argparse.ArgumentParser(prog="gradsheet desktop")
    parser.add_argument("what", choices=("install", "remove"), help="for this user only")
    options = parser.parse_args(argv[1:])
    try:
        if options.what == "install":
            lines = install(data_folder())
        else:
            lines = remove(data_folder())
    except UserError as error:
        print(f"gradsheet: {error.text}\n{error.hint}".rstrip(), file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


def install(folder: Path, platform: str = sys.platform) -> list[str]:
    """Put entry, file type and icon into a data folder and let the desktop know.

    Returns
    -------
    list of str
        What was done, a line each.

    Raises
    ------
    UserError
        On a system without such desktops, or where the folder cannot be written.
    """
    if platform in ("win32", "darwin"):
        raise UserError(
            "This installs the desktop entry of Linux desktops.",
            'Here choose gradsheet once under "Open with" of a .gradsheet file, and "Always".',
        )
    entry = resource("desktop/gradsheet.desktop").read_text(encoding="utf-8")
    contents = {
        ENTRY: entry.replace("Exec=gradsheet %f", f"Exec={_command()} %f"),
        TYPE: resource("desktop/gradsheet-mime.xml").read_text(encoding="utf-8"),
        ICON: resource("icons/gradsheet.svg").read_text(encoding="utf-8"),
    }
    done = []
    for name, content in contents.items():
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        except OSError as fault:
            raise UserError(
                f"{target} could not be written: {fault.strerror or fault}.",
                "Set XDG_DATA_HOME to a folder that can be.",
            ) from fault
        done.append(f"wrote {target}")
    done += _let_know(folder, is_there=True)
    return [*done, "A double click on a .gradsheet file opens it in gradsheet now."]


def remove(folder: Path) -> list[str]:
    """Take away what `install` has put there; return what was done, a line each."""
    done = []
    for name in (ENTRY, TYPE, ICON):
        target = folder / name
        if target.exists():
            target.unlink()
            done.append(f"removed {target}")
    if not done:
        return ["There was nothing to remove."]
    return [*done, *_let_know(folder, is_there=False)]


def _command() -> str:
    """Return how this very gradsheet is started, as a desktop entry spells it."""
    script = Path(sys.executable).with_name("gradsheet")
    if script.exists():
        return _quoted(str(script))
    return f"{_quoted(sys.executable)} -m gradsheet"


def _quoted(text: str) -> str:
    """Quote an argument of an Exec key (Desktop Entry Specification 1.5, The Exec key)."""
    escaped = text.replace("%", "%%")
    for sign in ("\\", '"', "`", "$"):
        escaped = escaped.replace(sign, f"\\\\{sign}" if sign != "\\" else "\\\\\\\\")
    return f'"{escaped}"' if escaped != text or " " in text else text


def _let_know(folder: Path, *, is_there: bool) -> list[str]:
    """Have the desktop read its folders again; a desktop without these tools does so itself."""
    jobs = [
        ["update-mime-database", str(folder / "mime")],
        ["update-desktop-database", str(folder / "applications")],
    ]
    if is_there:
        jobs.append(["gio", "mime", MIME, Path(ENTRY).name])
    environment = {**os.environ, "XDG_DATA_HOME": str(folder)}
    done = []
    for tool, *arguments in jobs:
        found = shutil.which(tool)
        if found is not None:
            run = subprocess.run(
                [found, *arguments], capture_output=True, timeout=_TOOL_S, check=False,
                env=environment,
            )  # fmt: skip
            done.append(f"ran {tool}" if run.returncode == 0 else f"{tool} failed")
    return done
