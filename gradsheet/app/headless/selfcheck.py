"""`gradsheet --selfcheck`: versions, device, Qt platform, and what is missing.

Runs every import that the window needs and reports each failure instead of stopping at it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import subprocess
import sys

from gradsheet import __version__, resources
from gradsheet.app import settings

PACKAGES = ("numpy", "pandas", "torch", "PySide6_Essentials", "pyqtgraph", "platformdirs")
RESOURCES = ("icons", "lessons/ratings.csv", "lessons/dotprod.md", "lessons/bias.md")
_QT_PROBE = (
    "from PySide6.QtGui import QGuiApplication; "
    "app = QGuiApplication([]); print(app.platformName(), app.primaryScreen().size().toTuple())"
)


def main() -> int:
    """Print the report; return 0 if nothing is missing, else 1."""
    missing: list[str] = []
    print(f"gradsheet {__version__}")
    print(f"Python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores")
    for name in PACKAGES:
        try:
            print(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(f"the package {name}: pip install {name}")
    print(f"device {_device(missing)}")
    print(f"Qt platform {_qt_platform(missing)}")
    for name in RESOURCES:
        try:
            resources.path(name)
        except FileNotFoundError as error:
            missing.append(str(error))
    print(f"settings {settings.default_path()}")
    for line in missing:
        print(f"MISSING {line}")
    print("nothing missing" if not missing else f"{len(missing)} missing")
    return 1 if missing else 0


def _device(missing: list[str]) -> str:
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        missing.append(f"torch cannot be imported: {error}")
        return "none"
    if torch.cuda.is_available():
        return f"cuda ({torch.cuda.get_device_name(0)})"
    if torch.backends.mps.is_available():
        return "mps"
    return f"cpu ({torch.get_num_threads()} threads)"


def _qt_platform(missing: list[str]) -> str:
    """Start Qt in a process of its own: where a system library lacks, Qt aborts its process."""
    probe = subprocess.run(
        [sys.executable, "-c", _QT_PROBE], capture_output=True, text=True, timeout=60, check=False
    )
    if probe.returncode == 0:
        return probe.stdout.strip()
    last = (probe.stderr.strip().splitlines() or ["no message"])[0]
    missing.append(
        f"Qt cannot open a window here: {last} (no display? set QT_QPA_PLATFORM=offscreen; "
        "on Debian: apt-get install libegl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 "
        "libxcb-keysyms1 libxcb-shape0 libxcb-xkb1 libdbus-1-3)"
    )
    return "none"
