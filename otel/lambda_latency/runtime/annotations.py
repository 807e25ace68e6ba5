"""Which attributes X-Ray's annotations are: what can be searched for (`annotation[http.route] = "/orders"`).

Named on each span, for Lambda's daemon has no `indexed_attributes` as the collector's exporter has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANNOTATIONS", "INDEXED", "annotated"]

ANNOTATIONS = "aws.xray.annotations"

# Plain values only: X-Ray drops an annotation that is a list.
INDEXED = frozenset((
    "http.route", "http.request.method", "http.response.status_code", "faas.coldstart", "faas.invocation_id",
    "aws.table_name", "rpc.method", "retry_attempts", "peer.service", "http.method", "http.status_code", "error.type",
    "lambda.timeout",
))  # fmt: skip


def annotated(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A span's attributes, with the names of those that are indexed; what the function has named stays."""
    indexed = [key for key in values if key in INDEXED]
    named = values.get(ANNOTATIONS)
    if isinstance(named, tuple | list):
        indexed = [*named, *(key for key in indexed if key not in named)]
    return {**values, ANNOTATIONS: tuple(indexed)} if indexed else values
