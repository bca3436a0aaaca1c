"""kill -9 at random moments: the file always opens, and what was said to be kept is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(__file__).with_name("kill_driver.py")
KILLS = 200
SEED = 20_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="forks, and sends SIGKILL")
def test_a_killed_process_leaves_a_file_that_opens_and_loses_nothing_it_had_kept(
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
        assert kill["faults"] == [], kill
        assert kill["saved"] <= kill["in_file"] <= kill["edited"], kill
        newest = max(kill["in_file"], kill["aside"])
        assert max(kill["saved"], kill["autosaved"]) <= newest <= kill["edited"], kill
        assert not kill["is_held"], kill
        opened = kill.get("opened", {})
        assert "broken" not in opened, kill
        assert "said" not in opened, kill
        assert opened.get("file", kill["in_file"]) == kill["in_file"], kill
        assert opened.get("aside", kill["aside"]) == kill["aside"], kill
    moments = Counter(kill["doing"] for kill in kills)
    lost = sum(kill["edited"] - max(kill["in_file"], kill["aside"]) for kill in kills)
    print(f"seed {SEED}: killed while last {dict(moments)}; {lost} edits lost in all")
    assert min(moments["edited"], moments["running"], moments["saving"]) >= 5, moments
