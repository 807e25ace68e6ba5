"""Formats that are read by way of OTLP: each has a function that turns a document into resources with their spans."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from lambda_latency.trace.otlp import OtlpReader
from lambda_latency.trace.row import Rows
from lambda_latency.trace.span import Span

__all__ = ["Problem", "ToOtlp", "TranscodedReader", "grouped"]

Problem: TypeAlias = Callable[[str], object]
# A document, and who hears what cannot be read in it: resources with their spans, as OTLP/JSON has them.
ToOtlp: TypeAlias = "Callable[[bytes, Problem], Iterable[dict[str, Any]]]"

_encode = msgspec.json.Encoder().encode


class TranscodedReader:
    """Documents of a format as rows, or as spans."""

    def __init__(self, otlp: OtlpReader, resources: ToOtlp) -> None:
        self._otlp, self._resources = otlp, resources

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:  # noqa: ARG002 - what all readers take
        """None: each document is read by itself."""
        return None

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of a document by trace id. What cannot be read is left out, and `problem` hears why."""
        request = self._request(document, problem)
        whole = self._otlp.whole([request])
        return self._otlp.rows(request, problem) if whole is None else whole[0]

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """As `rows`, the spans; with `wanted` only those of these traces."""
        yield from self._otlp.spans(self._request(document, problem), problem, wanted)

    def _request(self, document: bytes, problem: Problem) -> bytes:
        return _encode({"resourceSpans": list(self._resources(document, problem))})


def grouped(spans: Iterable[tuple[dict[str, Any], str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Spans, each with the attributes of its resource (as OTLP's pairs) and the name of its scope, by resource."""
    resources: dict[tuple[str, str], dict[str, Any]] = {}
    for resource, scope, span in spans:
        one = resources.setdefault(
            (repr(resource), scope),
            {"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": []}]},
        )
        one["scopeSpans"][0]["spans"].append(span)
    return list(resources.values())
