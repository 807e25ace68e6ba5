"""Documents of every format, broken at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.mutation import check
from tests.trace.writers import WRITERS

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = 500  # of each format; `python -m lab mutation` breaks many more


@pytest.mark.parametrize("name", WRITERS)
def test_no_broken_document_stops_the_reader_or_hides_a_span(name: str, tmp_path: Path) -> None:
    """The status is 0, 1 or 4, and unread spans are problems."""
    for seed in range(DOCUMENTS):
        check(name, seed, tmp_path)
