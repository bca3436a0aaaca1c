"""Long work as a generator run in a daemon thread, of which only the newest yield is kept.

Owns Task, its Control (pause, resume, cancel), Progress and the register of running tasks.
Must not know what the work is, nor who looks at the yields: standard library only. A consumer
(the frame clock of the window, a headless command, a test) calls ``latest()`` when it has time;
what it did not fetch is dropped, so nothing queues and a slow consumer never slows the work.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Cancelled(BaseException):
    """Raised by :meth:`Control.checkpoint` in a cancelled task.

    Derives from BaseException so that an ``except Exception`` inside the work cannot swallow it.
    """


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of long work has come.

    Attributes
    ----------
    fraction : float or None
        Share done, 0 to 1; None when the total is not known.
    text : str
        What is being done, for a progress bar's label.
    remaining_s : float or None
        Estimated seconds still to go; None while there is too little to judge by.
    """

    fraction: float | None
    text: str
    remaining_s: float | None = None


class Control:
    """The two-way switch between a task's owner and its work.

    The owner calls :meth:`pause`, :meth:`resume` and :meth:`cancel`; the work calls
    :meth:`checkpoint` often. A checkpoint of which nothing is asked is one attribute test.
    """

    __slots__ = ("_cancelled", "_changed", "_paused", "_paused_s", "_waiting", "asked")

    def __init__(self) -> None:
        self.asked = False
        """True when a pause or a cancel is asked: cheap to read in a tight loop."""
        self._paused = False
        self._cancelled = False
        self._waiting = False
        self._paused_s = 0.0
        self._changed = threading.Condition()

    @property
    def cancelled(self) -> bool:
        """Whether the work has been asked to stop for good."""
        return self._cancelled

    @property
    def paused(self) -> bool:
        """Whether the work has been asked to pause (it may not have reached a checkpoint yet)."""
        return self._paused

    @property
    def paused_s(self) -> float:
        """Seconds spent waiting in pauses so far, for honest estimates of time."""
        return self._paused_s

    def checkpoint(self) -> None:
        """Wait here while paused.

        Raises
        ------
        Cancelled
            If the owner cancelled, before or during the pause.
        """
        if self.asked:
            self._obey()

    def _obey(self) -> None:
        with self._changed:
            if self._paused and not self._cancelled:
                began = time.monotonic()
                try:
                    while self._paused and not self._cancelled:
                        # Said anew on every round: resume() unsays it, and a pause may follow it.
                        self._waiting = True
                        self._changed.notify_all()
                        while self._waiting and not self._cancelled:
                            self._changed.wait()
                finally:
                    self._waiting = False
                    self._paused_s += time.monotonic() - began
                    self._changed.notify_all()
            if self._cancelled:
                raise Cancelled

    def wait(self, seconds: float) -> bool:
        """Let ``seconds`` pass, or less if a pause or cancel is asked in between.

        Returns
        -------
        bool
            True if something is asked, so that a checkpoint is due.
        """
        with self._changed:
            if not self.asked and seconds > 0:
                self._changed.wait_for(lambda: self.asked, seconds)
            return self.asked

    def pause(self) -> None:
        """Ask the work to stop at its next checkpoint until :meth:`resume`."""
        self._ask(paused=True)

    def resume(self) -> None:
        """Let paused work go on."""
        self._ask(paused=False)

    def cancel(self) -> None:
        """Ask the work to end at its next checkpoint, paused or not; cannot be taken back."""
        self._ask(cancelled=True)

    def _ask(self, *, paused: bool | None = None, cancelled: bool = False) -> None:
        with self._changed:
            if paused is not None:
                self._paused = paused
                self._waiting = self._waiting and paused
            self._cancelled = self._cancelled or cancelled
            self.asked = self._paused or self._cancelled
            self._changed.notify_all()

    def wait_until_paused(self, timeout: float | None = None) -> bool:
        """Block the caller (not the work) until the work waits in a checkpoint; False: it did not.

        Returns
        -------
        bool
            Whether the work stood still at a checkpoint before ``timeout`` seconds were over.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting, timeout)


class Pace:
    """Turns amounts of work done into :class:`Progress` with a remaining time.

    The estimate is elapsed time without pauses, times what is left over what is done; it is given
    once a tenth of a second and half a per cent have passed, for a first guess is worth nothing.

    Parameters
    ----------
    total : float or None
        The whole amount in any unit (bytes, rows); None or 0: not known.
    control : Control, optional
        Its pauses are left out of the elapsed time.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(
        self,
        total: float | None,
        control: Control | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._control = control
        self._clock = clock
        self._began = clock()
        self._paused_before = control.paused_s if control else 0.0

    def progress(self, done: float, text: str) -> Progress:
        """Return the Progress for ``done`` units of the total."""
        if not self._total:
            return Progress(None, text)
        fraction = min(max(done / self._total, 0.0), 1.0)
        paused = self._control.paused_s - self._paused_before if self._control else 0.0
        elapsed = self._clock() - self._began - paused
        if fraction >= 1.0:
            return Progress(1.0, text, 0.0)
        if elapsed < 0.1 or fraction < 0.005:
            return Progress(fraction, text)
        return Progress(fraction, text, elapsed * (1.0 - fraction) / fraction)


class Task(Generic[T, R]):
    """A generator run to its end in a daemon thread.

    Parameters
    ----------
    name : str
        Names the thread and the task in messages.
    make : callable
        Makes the generator from the task's Control. It is called in the thread, so that heavy
        imports in its body do not hold up the caller.

    Notes
    -----
    A checkpoint is taken after every yield, so work that yields often needs none of its own.
    A cancelled generator sees :class:`Cancelled` at its checkpoint, or GeneratorExit at a yield;
    its ``finally`` blocks run in its own thread.
    """

    def __init__(self, name: str, make: Callable[[Control], Generator[T, None, R]]) -> None:
        self.name = name
        self.control = Control()
        self._make = make
        # deque.append and deque.pop are atomic: of two yields the newer wins, none is given twice.
        self._newest: deque[T] = deque(maxlen=1)
        self._result: list[R] = []
        self._error: BaseException | None = None
        self._was_cancelled = False
        self._done, self._begun = threading.Event(), threading.Event()
        self._is_started = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __repr__(self) -> str:
        """Return name and state, for the report of a leaked task."""
        if self._done.is_set():
            state = "cancelled" if self._was_cancelled else "failed" if self._error else "done"
        else:
            state = "paused" if self.control.paused else "running"
        return f"<Task {self.name!r} {state}>"

    def start(self) -> Task[T, R]:
        """Have the thread started and return the task, without waiting; a task starts once.

        ``Thread.start`` waits until the new thread has had the interpreter: on a busy machine up to
        50 ms, in which the window would stand still. So another thread waits.
        """
        with _register_lock:
            if self._is_started:
                raise RuntimeError(f"task {self.name!r} starts once only")
            self._is_started = True
            _register.add(self)
        _starter.submit(self._begin)
        return self

    def _begin(self) -> None:
        try:
            self._thread.start()
        except BaseException as error:  # the system gives no more threads: the owner is told
            self._error = error
            self._end()
        finally:
            self._begun.set()

    def latest(self) -> T | None:
        """Return the newest yield that was not returned before, or None. Never waits."""
        try:
            return self._newest.pop()
        except IndexError:
            return None

    @property
    def is_done(self) -> bool:
        """Whether the generator has ended: returned, failed or cancelled.

        When it is True, ``latest()`` still gives the last yield if that was not fetched.
        """
        return self._done.is_set()

    @property
    def is_cancelled(self) -> bool:
        """Whether the generator ended because of :meth:`cancel`."""
        return self._was_cancelled

    @property
    def error(self) -> BaseException | None:
        """The exception that ended the generator, with its ``__traceback__``; None if none did."""
        return self._error

    def result(self) -> R:
        """Return what the generator returned.

        Raises
        ------
        RuntimeError
            If the task still runs; ``join()`` first.
        Cancelled
            If the task was cancelled.
        BaseException
            The error of the generator itself, with the traceback of its thread.
        """
        if not self._done.is_set():
            raise RuntimeError(f"task {self.name!r} has no result yet")
        if self._error is not None:
            raise self._error
        if not self._result:
            raise Cancelled
        return self._result[0]

    def pause(self) -> None:
        """Stop the work at its next checkpoint or yield, until :meth:`resume`."""
        self.control.pause()

    def resume(self) -> None:
        """Let paused work go on."""
        self.control.resume()

    def cancel(self) -> None:
        """End the work at its next checkpoint or yield; returns at once."""
        self.control.cancel()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread to end; return whether it has."""
        if self._is_started:
            began = time.monotonic()
            if not self._begun.wait(timeout):
                return False
            if self._thread.ident is not None:
                spent = time.monotonic() - began
                self._thread.join(None if timeout is None else max(0.0, timeout - spent))
        return self._done.is_set() and not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.control.checkpoint()
            work = self._make(self.control)
            try:
                while True:
                    self._newest.append(next(work))
                    self.control.checkpoint()
            except StopIteration as end:
                self._result.append(end.value)
            finally:
                work.close()
        except Cancelled:
            self._was_cancelled = True
        except BaseException as error:  # kept for the owner, who raises it where it can be seen
            self._error = error
        finally:
            self._end()

    def _end(self) -> None:
        self._done.set()
        with _register_lock:
            _register.discard(self)


_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")
"""Its one thread, made when first needed, starts the threads of tasks in order."""
_register: set[Task[Any, Any]] = set()
_register_lock = threading.Lock()


def live_tasks() -> tuple[Task[Any, Any], ...]:
    """Return the tasks that were started and have not ended, for leak checks and for exit."""
    with _register_lock:
        return tuple(_register)


def cancel_all(timeout: float = 5.0) -> tuple[Task[Any, Any], ...]:
    """Cancel every live task and wait for them together; for the exit of the program.

    Parameters
    ----------
    timeout : float
        Seconds to wait in all.

    Returns
    -------
    tuple of Task
        Those that did not end in time.
    """
    tasks = live_tasks()
    for task in tasks:
        task.cancel()
    deadline = time.monotonic() + timeout
    return tuple(t for t in tasks if not t.join(max(0.0, deadline - time.monotonic())))
