"""What all tests share: an offscreen Qt, settings of their own, the reference files if present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT.parent / "shared" / "reference"


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    monkeypatch.setenv("GRADSHEET_CONFIG", str(tmp_path_factory.mktemp("config")))


@pytest.fixture(scope="session")
def reference() -> Path:
    """Return the folder of reference files; skip where it is absent."""
    if not REFERENCE.is_dir():
        pytest.skip(f"the reference files are not at {REFERENCE}")
    return REFERENCE
