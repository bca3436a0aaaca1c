"""What the application says to its user, and the log of it.

Owns the `Message` record, how an exception becomes one, and a bounded log. Knows no window:
the banner and the log panel listen. Standard library only, plus the error types.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from gradsheet.formula.values import UserError

Level = Literal["info", "warning", "error"]

LOG_LIMIT = 500
_DOING = "While "


@dataclass(frozen=True, slots=True)
class Message:
    """One thing said to the user: what happened and where, then what to do next.

    Attributes
    ----------
    level : {"info", "warning", "error"}
    text : str
        What happened, and where.
    hint : str
        What the user can do next; may be empty.
    detail : str
        Traceback or numbers to copy into a report; may be empty.
    action : str
        Id of the command that the hint offers; may be empty.
    offer : str
        What its button says, where that is more than the command's title.
    at : float
        Seconds since the epoch.
    """

    level: Level
    text: str
    hint: str = ""
    detail: str = ""
    action: str = ""
    offer: str = ""
    at: float = field(default_factory=time.time)


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Let an exception that passes here know what was being done, where it does not know yet.

    Parameters
    ----------
    what : str
        The end of "while ...", for example ``"opening ratings.csv"``.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, UserError) and was_doing(error) is None:
            error.add_note(f"{_DOING}{what}.")
        raise


def was_doing(error: BaseException) -> str | None:
    """Return what was being done when an exception came, where `doing` has noted it."""
    notes = (note for note in getattr(error, "__notes__", ()) if note.startswith(_DOING))
    return next((note.removeprefix(_DOING).removesuffix(".") for note in notes), None)


def message_of(error: BaseException, doing: str) -> Message:
    """Turn an exception into a message.

    Parameters
    ----------
    error : BaseException
        A `UserError` speaks for itself; anything else is a bug and carries its traceback.
    doing : str
        What was being done, as the end of "while ...", for example ``"opening ratings.csv"``;
        what the exception itself knows counts for more.
    """
    if isinstance(error, UserError):
        return Message("warning", error.text, error.hint)
    detail = "".join(traceback.format_exception(error))
    return Message(
        "error",
        f"Something went wrong while {was_doing(error) or doing}: "
        f"{type(error).__name__}: {error}",
        "Your work is kept. Copy the details into a bug report.",
        detail,
    )


class MessageLog:
    """The last messages, oldest first, and who wants to hear of new ones. Thread-safe."""

    def __init__(self, limit: int = LOG_LIMIT) -> None:
        self._messages: deque[Message] = deque(maxlen=limit)
        self._listeners: list[Callable[[Message], None]] = []
        self._lock = threading.Lock()

    def add(self, message: Message) -> None:
        """Append a message and tell the listeners, on the calling thread."""
        with self._lock:
            self._messages.append(message)
            listeners = list(self._listeners)
        for listener in listeners:
            listener(message)

    def subscribe(self, listener: Callable[[Message], None]) -> Callable[[], None]:
        """Call `listener` with every message from now on; returns the call that ends it."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def messages(self) -> tuple[Message, ...]:
        """Return the messages kept, oldest first."""
        with self._lock:
            return tuple(self._messages)
