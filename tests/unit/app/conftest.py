"""What the tests of the application share: an open document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gradsheet.app.document import Document


@pytest.fixture
def document() -> Iterator[Document]:
    document = Document()
    document.finish()
    yield document
    document.close()
