"""Locks beside files: one holder at a time, and none that is dead."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradsheet.files.locks import STALE_S, FileLock, holder, is_held, lock_path

HOLD = """
import sys
from pathlib import Path
from gradsheet.files.locks import FileLock
lock = FileLock.acquire(Path(sys.argv[1]))
print("held" if lock else "refused", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def at(tmp_path: Path) -> Path:
    return lock_path(tmp_path / "run.gradsheet")


def taken(at: Path) -> FileLock:
    lock = FileLock.acquire(at)
    assert lock is not None
    return lock


def test_the_lock_lies_hidden_beside_the_file_that_a_link_points_at(tmp_path: Path) -> None:
    real, link = tmp_path / "real.gradsheet", tmp_path / "link.gradsheet"
    real.touch()
    link.symlink_to(real)
    assert lock_path(link) == lock_path(real) == tmp_path / ".~real.gradsheet.lock"


def test_only_one_has_it_and_it_says_who(at: Path) -> None:
    lock = taken(at)
    assert FileLock.acquire(at) is None
    assert is_held(at)
    assert holder(at).pid == os.getpid()
    lock.release()
    assert not at.exists()
    assert not is_held(at)
    taken(at).release()


def test_asking_takes_it_from_nobody(at: Path) -> None:
    assert not is_held(at)
    assert not at.exists()
    lock = taken(at)
    assert is_held(at)
    assert FileLock.acquire(at) is None
    lock.release()


def test_the_lock_of_a_killed_process_is_nobodys(at: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(at)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        assert FileLock.acquire(at) is None
        assert holder(at).pid == child.pid
        child.kill()
        child.wait()
    assert at.exists()
    assert not is_held(at)
    taken(at).release()


def test_the_lock_of_another_machine_counts_while_it_is_touched(at: Path) -> None:
    at.write_text(json.dumps([1, "another-machine", time.time()]))
    assert FileLock.acquire(at) is None
    assert is_held(at)
    past = time.time() - STALE_S - 1
    os.utime(at, (past, past))
    assert not is_held(at)
    taken(at).release()


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"pid": 3}', "\x00" * 40])
def test_a_lock_that_says_nonsense_is_nobodys(at: Path, content: str) -> None:
    at.write_text(content)
    assert holder(at).pid == 0
    lock = taken(at)
    assert holder(at).pid == os.getpid()
    lock.release()


def test_there_is_no_lock_where_there_can_be_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        FileLock.acquire(tmp_path / "gone" / "x.lock")
