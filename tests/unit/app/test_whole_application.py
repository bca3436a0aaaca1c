"""The whole application without a window: random sequences of what somebody does in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from application_driver import Driver, small_problem

from gradsheet.app.document import Document

SEQUENCES = 300
MOVES = 12
BATCHES = 6


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_sequences_break_no_invariant(batch: int, tmp_path: Path) -> None:
    """Open, edit, run, pause, scrub, branch, undo, save and reopen; look at all after each."""
    document = Document()
    document.finish()
    try:
        for seed in range(batch, SEQUENCES, BATCHES):
            small_problem(document, seed)
            document.history.clear()
            driver = Driver(document, seed, tmp_path / "a.gradsheet", document.finish)
            try:
                driver.go(MOVES)
            except Exception as error:
                raise AssertionError(f"sequence {seed}, after {driver.done}: {error!r}") from error
    finally:
        document.close()
