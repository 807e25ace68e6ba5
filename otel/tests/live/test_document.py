"""The page as one document: all scripts share one scope."""

from __future__ import annotations

import re
from collections import Counter

from lambda_latency.live.live_page import document_of

DECLARED = re.compile(r"^(?:async )?(?:const|let|function|class) (\w+)", re.MULTILINE)


def test_no_name_is_declared_twice() -> None:
    """A second function of a name would silently replace the first."""
    names = Counter(DECLARED.findall(document_of().body.decode()))
    assert len(names) > 50
    assert [name for name, count in names.items() if count > 1] == []


def test_nothing_of_the_modules_is_left() -> None:
    """No import, no export, no placeholder."""
    body = document_of().body.decode()
    assert not re.search(r"^(import|export) ", body, re.MULTILINE)
    assert not re.search(r"@[A-Z]+@", body)
