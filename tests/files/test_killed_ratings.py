"""kill -9 while a rating set is learned and edited: what was written aside opens and goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(__file__).with_name("kill_ratings_driver.py")
KILLS, SEED = 4, 300


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="forks, and sends SIGKILL")
def test_a_killed_process_leaves_a_rating_set_that_opens_with_all_it_had_kept(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GRADSHEET_CONFIG": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, str(DRIVER), str(tmp_path), str(KILLS), str(SEED)],
        capture_output=True, text=True, timeout=280, check=False, env=environment,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    kills = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(kills) == KILLS
    for kill in kills:
        assert "broken" not in kill, kill
        assert "said" not in kill, kill
        assert kill["found"] == 1 or kill["is_first"], kill
        if kill["found"]:
            assert kill["goes on"], kill
        if kill["autosaved"]:
            assert kill["autosaved"] <= kill["rating"] <= kill["edited"] + 1, kill
