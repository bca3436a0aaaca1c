"""Arrays written as safetensors, with the errors of the disk that other files raise.

Owns nothing but that call: the library tells a full disk by an error of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import save_file


def save_arrays(
    arrays: Mapping[str, npt.NDArray[Any]], path: Path, metadata: dict[str, str] | None = None
) -> None:
    """Write contiguous arrays to a file.

    Raises
    ------
    OSError
        If the disk refuses: nothing else can go wrong with contiguous arrays.
    """
    try:
        save_file(dict(arrays), path, metadata)
    except SafetensorError as fault:
        number = re.search(r"os error (\d+)", str(fault))
        why = (int(number[1]), os.strerror(int(number[1]))) if number else (str(fault),)
        raise OSError(*why) from fault
