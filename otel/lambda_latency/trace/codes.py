"""The error codes that a span tells: in its status message, its `error.type`, and its exception events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_latency.trace.span import Span

__all__ = ["codes_in", "error_codes"]

# Of botocore's ClientError only the message tells the code: "An error occurred (ThrottlingException) when calling ...".
CODE = re.compile(r"An error occurred \((\w+)\)")
TOLD_BY = ("exception.type", "exception.message")


def error_codes(span: Span) -> set[str]:
    """The codes of a span; the last word of a dotted name counts."""
    texts = [span.status_message, str(span.attributes.get("error.type", ""))]
    for event in span.events:
        if event.name == "exception":
            texts += [str(event.attributes.get(key, "")) for key in TOLD_BY]
    return codes_in(texts)


def codes_in(texts: Iterable[str]) -> set[str]:
    """The codes in some texts."""
    codes: set[str] = set()
    for text in texts:
        codes.add(text.rpartition(".")[2])
        codes.update(CODE.findall(text))
    return codes
