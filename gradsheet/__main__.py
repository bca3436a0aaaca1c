"""The command line: starts the window, or does headless work and prints it.

Owns arguments and exit codes. Imports nothing heavy before it knows what is asked.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradsheet import __version__

if TYPE_CHECKING:
    from gradsheet.app.headless import export_command

HEADLESS = (
    "solve", "check", "convert", "explain", "descend", "race", "train", "recommend", "desktop",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run gradsheet with these arguments (those of the process if not given).

    Returns
    -------
    int
        Exit code: 0 done, 1 the work failed with a message, 2 wrong arguments.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] == "export":
        from gradsheet.app.headless import export_command

        return export_command.main(arguments, _painter)
    if arguments and arguments[0] in HEADLESS:
        from gradsheet.app.headless import command_line as headless

        try:
            code = headless.main(arguments)
            sys.stdout.flush()
            return code
        except BrokenPipeError:  # whoever read the output has seen enough, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
    options = _window_parser().parse_args(arguments)
    if options.selfcheck:
        from gradsheet.app.headless import selfcheck

        return selfcheck.main()
    from gradsheet.qt import application

    return application.run(options)


def _painter() -> export_command.Painter:
    from gradsheet.qt.export.pictures_command import paint

    return paint


def _window_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradsheet",
        description="A spreadsheet that can learn. Opens in the first lesson.",
        epilog=f"Headless: gradsheet export, {', '.join(HEADLESS)}; each has --help",
    )
    parser.add_argument("path", nargs="?", help="a session, a workbook or ratings to open")
    parser.add_argument("--lesson", default=None, help="lesson to open first, e.g. bias")
    parser.add_argument("--theme", choices=("system", "light", "dark", "contrast"), default=None)
    parser.add_argument(
        "--selfcheck", action="store_true", help="print versions, device, Qt platform; exit"
    )
    parser.add_argument("--version", action="version", version=f"gradsheet {__version__}")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
