"""Work that no file has, from windows that are gone: found, opened again, or let go.

Owns the way from an autosave to an open document. Knows no window; the folder is
`files.autosaves`', when an autosave is written is `app.autosave`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gradsheet.app.messages import Message, message_of
from gradsheet.app.saving.autosave import Autosave, folder
from gradsheet.app.saving.filing import Claim
from gradsheet.app.saving.session_state import opener
from gradsheet.files import autosaves
from gradsheet.files.autosaves import Autosaved, Slot
from gradsheet.formula.values import UserError

if TYPE_CHECKING:
    from gradsheet.app.document import Document

DAY_S = 86_400.0


def lost(place: Path | None = None) -> list[Autosaved]:
    """Return the work that windows left when they ended without being asked, newest first."""
    return [entry for entry in everything(place) if not entry.origin.is_put_aside]


def everything(place: Path | None = None) -> list[Autosaved]:
    """Return all work that lies aside, newest first."""
    return autosaves.autosaved(place or folder())


def when(at: float, now: float | None = None) -> str:
    """Return a time as one says it: "15:02" today, with the date before."""
    now = time.time() if now is None else now
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return f"today at {time.strftime('%H:%M', then)}"
    if time.localtime(now - DAY_S)[:3] == then[:3]:
        return f"yesterday at {time.strftime('%H:%M', then)}"
    return f"on {time.strftime('%d %b %Y at %H:%M', then)}"


def about(entry: Autosaved) -> str:
    """Return what there is to say of an autosave besides its title: when, and beside what."""
    said = f"saved aside {when(entry.origin.at)}"
    original = entry.original
    if original is None:
        lack = "its file is gone" if entry.origin.original else "never saved in a file"
        return f"{said}; {lack}"
    written = original.stat().st_mtime
    if written > entry.origin.at:
        return f"{said}; the file was written later, {when(written)}"
    return f"{said}; the file is from {when(written).removeprefix('on ')}"


def recover(document: Document, autosave: Autosave, entry: Autosaved) -> None:
    """Open an autosave as unsaved work on the file it was made from.

    Raises
    ------
    UserError
        If another window has just taken it.
    """
    slot = Slot.adopt(entry)
    if slot is None:
        raise UserError(
            f"{entry.origin.title} has just been recovered in another window.", "Look there."
        )
    filing, original = document.filing, entry.original

    def job() -> tuple[Callable[[Document], None], Claim | None]:
        from gradsheet.files.session import load_session

        session = load_session(entry.path)
        claim = filing.claim(original) if filing is not None and original is not None else None
        if "ratings" in session.facts:
            from gradsheet.app.ratings.saving import opener_of_ratings

            return opener_of_ratings(session, entry.path, settled), claim
        return opener(session, original, settled), claim

    def settled(document: Document) -> None:
        autosave.adopt(entry, slot)
        document.say(
            Message("info", f"{entry.origin.title} is back.", "Save it to keep it in a file.")
        )

    def show(found: tuple[Callable[[Document], None], Claim | None]) -> None:
        found[0](document)
        if filing is not None and found[1] is not None:
            filing.opened(found[1])

    def failed(error: BaseException) -> None:
        slot.leave()
        document.say(message_of(error, f"recovering {entry.origin.title}"))

    document.engine.submit(job, show, failed, f"recovering {entry.origin.title}")


def discard(entry: Autosaved) -> None:
    """Let work go for good, unless another window has just taken it."""
    slot = Slot.adopt(entry)
    if slot is not None:
        slot.discard()
