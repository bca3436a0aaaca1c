"""Settings survive: round trip, damage, wrong types."""

from __future__ import annotations

from pathlib import Path

from gradsheet.app import settings
from gradsheet.app.settings import RECENT_LIMIT, Settings


def test_settings_come_back_as_saved(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    mine = Settings(theme="dark", log_loss=True, steps_per_second=2.5)
    mine.add_recent(tmp_path / "ratings.csv")
    settings.save(mine, path)
    assert settings.load(path) == mine


def test_a_damaged_file_is_put_aside_and_the_defaults_hold(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{not json", encoding="utf-8")
    assert settings.load(path) == Settings()
    assert path.with_name("settings.json.unreadable").exists()


def test_wrong_types_and_unknown_keys_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": 3, "recent": [1, "a"], "new": true}', encoding="utf-8")
    assert settings.load(path) == Settings(recent=["a"])


def test_recent_files_are_few_and_each_only_once() -> None:
    mine = Settings()
    for i in range(RECENT_LIMIT + 5):
        mine.add_recent(f"/data/{i}.csv")
    mine.add_recent("/data/9.csv")
    assert len(mine.recent) == RECENT_LIMIT
    assert mine.recent[0].endswith("9.csv")
    assert len(set(mine.recent)) == RECENT_LIMIT
