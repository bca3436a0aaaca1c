"""The house rules as tests: import contracts, linter, types, sizes of files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> None:
    result = subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test_imports_run_downwards_only() -> None:
    run(tool("lint-imports"), "--no-cache")


def test_ruff_finds_nothing() -> None:
    run(tool("ruff"), "check", "--no-cache", "gradsheet", "tests", "examples")


def test_types_are_strict_below_qt(tmp_path: Path) -> None:
    run(sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path))


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("gradsheet/**/*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_long_file_gives_its_reason(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    assert lines <= 400 or "# LONG:" in text, f"{lines} lines and no '# LONG: reason' comment"


def test_every_module_says_what_it_owns() -> None:
    for path in ROOT.glob("gradsheet/**/*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith('"""'), f"{path.relative_to(ROOT)} has no docstring"


def test_the_window_module_does_not_import_torch() -> None:
    code = (
        "import sys; import gradsheet.qt.application, gradsheet.qt.main_window, "
        "gradsheet.app.document; assert 'torch' not in sys.modules, 'torch was imported'; "
        "assert 'pandas' not in sys.modules, 'pandas was imported'"
    )
    run(sys.executable, "-c", code)
