"""What the tests of the application share: open documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from rating_documents import show

from gradsheet.app.document import Document
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.tasks import live_tasks


@pytest.fixture
def document() -> Iterator[Document]:
    document = Document()
    document.finish()
    yield document
    document.close()


@pytest.fixture
def show_ratings() -> Iterator[Callable[[RatingsSession], Document]]:
    """Open rating sets, each in a document of its own; nothing is left at work at the end."""
    documents: list[Document] = []

    def build(session: RatingsSession) -> Document:
        documents.append(Document())
        show(documents[-1], session)
        return documents[-1]

    yield build
    for document in documents:
        document.close()
    assert not live_tasks()
