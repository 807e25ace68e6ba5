"""Finds the documents in answers of Elasticsearch and OpenSearch, and in what their bulk API takes.

Jaeger stores one span a document there, and may store tags as fields: `tag` in place of `tags`, with `@` for dots.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

__all__ = ["inner_document"]

JAEGER = {"traceID", "spanID", "operationName", "startTime", "duration"}
ACTIONS = ("index", "create")  # of the bulk API: the line before a document

_decode = msgspec.json.Decoder().decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


def inner_document(members: Mapping[str, Raw], document: bytes) -> bytes | None:
    """The text inside of a document: the source of a hit, a list of hits, a trace of one span of Jaeger.

    An action of the bulk API holds an empty list. None for any other document, and for an answer without hits.
    """
    if _holds(members, "_source"):
        return bytes(members["_source"])
    if _holds(members, "hits"):
        hits = _decode_list(_decode_members(members["hits"]).get("hits", Raw(b"[]")))
        return b"[%b]" % b",".join(map(bytes, hits)) if hits else None
    if len(members) == 1 and any(_holds(members, action) for action in ACTIONS):
        return b"[]"
    if members.keys() >= JAEGER and "spans" not in members:
        return b'{"spans":[%b]}' % (_with_tags(_decode(document)) if "tag" in members else document)
    return None


def _holds(members: Mapping[str, Raw], key: str) -> bool:
    return key in members and memoryview(members[key])[:1].tobytes() == b"{"


def _with_tags(span: dict[str, Any]) -> bytes:
    process = span.get("process")
    for each in (span, process if isinstance(process, dict) else {}):
        fields = each.get("tag")
        if isinstance(fields, dict):
            tags = [{"key": key.replace("@", "."), "value": value} for key, value in fields.items()]
            each["tags"] = [*(each.get("tags") or ()), *tags]
    return _encode(span)
