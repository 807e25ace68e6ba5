"""Reads formats by way of OTLP: each has a function that turns a document into resources with their spans."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from lambda_latency.trace.model.row import Rows
from lambda_latency.trace.model.span import Span
from lambda_latency.trace.readers.otlp import OtlpReader

__all__ = ["Problem", "ToOtlp", "TranscodedReader", "grouped"]

Problem: TypeAlias = Callable[[str], object]
# From a document and a callback for problems to the resources with their spans, in the form of OTLP/JSON.
ToOtlp: TypeAlias = "Callable[[bytes, Problem], Iterable[dict[str, Any]]]"

_encode = msgspec.json.Encoder().encode


class TranscodedReader:
    """Reads documents of one format as rows or as spans."""

    def __init__(self, otlp: OtlpReader, resources: ToOtlp) -> None:
        self._otlp, self._resources = otlp, resources

    def whole(self, documents: Sequence[bytes]) -> list[Rows] | None:  # noqa: ARG002 - the signature of all readers
        """None, so that each document is read by itself."""
        return None

    def rows(self, document: bytes, problem: Problem) -> Rows:
        """The rows of a document by trace id. `problem` is called with the reason for each part that is left out."""
        request = self._request(document, problem)
        whole = self._otlp.whole([request])
        return self._otlp.rows(request, problem) if whole is None else whole[0]

    def spans(self, document: bytes, problem: Problem, wanted: Collection[str] | None = None) -> Iterator[Span]:
        """The spans of a document, or only those of the `wanted` traces. `problem` is called as in `rows`."""
        yield from self._otlp.spans(self._request(document, problem), problem, wanted)

    def _request(self, document: bytes, problem: Problem) -> bytes:
        return _encode({"resourceSpans": list(self._resources(document, problem))})


def grouped(spans: Iterable[tuple[dict[str, Any], str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The resources of OTLP/JSON, from spans that each come with their resource and the name of their scope."""
    resources: dict[tuple[str, str], dict[str, Any]] = {}
    for resource, scope, span in spans:
        group = resources.setdefault(
            (repr(resource), scope),
            {"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": []}]},
        )
        group["scopeSpans"][0]["spans"].append(span)
    return list(resources.values())
