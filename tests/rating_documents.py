"""Rating sets in a document, without a window: opened, and waited for."""

from __future__ import annotations

from gradsheet.app.document import Document
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.app.ratings.workbook import RatingsBook


def show(document: Document, session: RatingsSession) -> RatingsSession:
    """Open a rating set with a crosstab of its 6 busiest users by its 5 most rated items."""
    document.open_ratings(RatingsBook(session, busiest_pairs(session.table, session.totals, 6, 5)))
    return settle(document)


def settle(document: Document) -> RatingsSession:
    """Wait until engine and session have nothing left to do; return the session."""
    while True:
        document.finish(60)
        session = document.ratings
        assert session is not None
        if not session.is_at_work:
            return session
        session.wait(60)
