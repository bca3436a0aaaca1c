"""What the user chose and wants to find again: theme, layout, recent files.

One JSON file in the user's configuration folder, written atomically. An unreadable file is
put aside and the defaults hold. Knows no window and never reaches torch.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

RECENT_LIMIT = 10


def default_path() -> Path:
    """Return where the settings lie: `GRADSHEET_CONFIG` if set, else the user's folder."""
    folder = os.environ.get("GRADSHEET_CONFIG")
    root = Path(folder) if folder else Path(platformdirs.user_config_dir("gradsheet", False))
    return root / "settings.json"


@dataclass(slots=True)
class Settings:
    """The user's choices.

    Attributes
    ----------
    theme : str
        ``"system"``, ``"light"``, ``"dark"`` or ``"contrast"``.
    layout : dict of str to str
        Window geometry and dock state by screen arrangement, base64 text.
    recent : list of str
        Paths opened last, newest first, at most `RECENT_LIMIT`.
    log_loss : bool
        Whether the loss axis is logarithmic.
    explain, legend : bool
        Whether the explain line and the legend of roles show.
    explain_language : str
        ``"excel"``, ``"maths"`` or ``"pytorch"``.
    presentation_scale : float
        How much larger everything is in presentation mode.
    steps_per_second : float or None
        Speed limit of a run; None runs as fast as it can.
    """

    theme: str = "system"
    layout: dict[str, str] = field(default_factory=dict)
    recent: list[str] = field(default_factory=list)
    log_loss: bool = False
    explain: bool = True
    explain_language: str = "excel"
    legend: bool = False
    presentation_scale: float = 1.5
    steps_per_second: float | None = None

    def add_recent(self, path: str | Path) -> None:
        """Put a path at the head of the recent files."""
        text = str(Path(path).absolute())
        self.recent = [text, *(p for p in self.recent if p != text)][:RECENT_LIMIT]


def load(path: Path | None = None) -> Settings:
    """Read the settings; unknown keys and wrong types fall back to the defaults.

    A file that is not JSON is renamed to ``settings.json.unreadable``.
    """
    source = path or default_path()
    try:
        raw = json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError):
        _put_aside(source)
        return Settings()
    return _from_json(raw)


def save(settings: Settings, path: Path | None = None) -> None:
    """Write the settings through a temporary file and a rename.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    target = path or default_path()
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".settings-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(settings), file, indent=1)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def copy_of(settings: Settings) -> Settings:
    """Return the same choices, which no later one changes: to be written by another thread."""
    return _from_json(json.loads(json.dumps(asdict(settings))))


def _from_json(raw: Any) -> Settings:
    settings = Settings()
    if not isinstance(raw, dict):
        return settings
    for entry in fields(Settings):
        if entry.name not in raw:
            continue
        value = raw[entry.name]
        default = getattr(settings, entry.name)
        if entry.name == "steps_per_second":
            if value is None or isinstance(value, int | float):
                settings.steps_per_second = value
        elif isinstance(value, type(default)):
            setattr(settings, entry.name, value)
    settings.recent = [p for p in settings.recent if isinstance(p, str)][:RECENT_LIMIT]
    settings.layout = {k: v for k, v in settings.layout.items() if isinstance(v, str)}
    return settings


def _put_aside(source: Path) -> None:
    try:
        source.replace(source.with_name(source.name + ".unreadable"))
    except OSError:
        return
