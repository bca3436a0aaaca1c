"""Memory that the allocator keeps after long work, given back to the system.

Owns nothing but that call. Standard library only.
"""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return what is free in the allocator's pools to the system, where it can be asked to.

    Parsing a file leaves a hundred megabytes of free pieces behind, which glibc would keep for
    whoever asks next; what comes next are arrays so large that they never fit into them.
    """
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):  # another C library than glibc
        return
