"""Ways to write one OTLP/JSON document as text: all are valid, and all mean the same spans.

A spelling takes a document, which it may change, and a source of chance.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambda_latency.trace import SpanKind

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from bench.generate import Document

__all__ = ["blanks", "compact", "escapes", "keys_in_any_order", "names", "numbers", "value_before_key"]

KINDS = {kind.value: f"SPAN_KIND_{kind.name}" for kind in SpanKind}
CODES = {0: "STATUS_CODE_UNSET", 1: "STATUS_CODE_OK", 2: "STATUS_CODE_ERROR"}
TIMES = ("startTimeUnixNano", "endTimeUnixNano")
# No number of the corpora has a fraction or a sign, so these characters stand in texts and keys alone.
ESCAPED = str.maketrans({"/": "\\/", ".": "\\u002e", "-": "\\u002d"})


def compact(document: Document, _: random.Random) -> str:
    """No blanks, as most exporters write it."""
    return json.dumps(document, separators=(",", ":"))


def blanks(document: Document, _: random.Random) -> str:
    """A blank behind each comma and colon, as Python's `json.dumps` writes it."""
    return json.dumps(document)


def value_before_key(document: Document, _: random.Random) -> str:
    """Attributes with their value first, as from a writer that sorts keys backwards or not at all."""

    def turned(pairs: dict[str, Any]) -> dict[str, Any]:
        if pairs.keys() == {"key", "value"}:
            return {"value": pairs["value"], "key": pairs["key"]}
        return pairs

    text = json.dumps(document, separators=(",", ":"))
    return json.dumps(json.loads(text, object_hook=turned), separators=(",", ":"))


def keys_in_any_order(document: Document, draw: random.Random) -> str:
    """Every object with its keys in an order of its own, as from a writer that keeps them in a hash table."""

    def mixed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        draw.shuffle(pairs)
        return dict(pairs)

    text = json.dumps(document, separators=(",", ":"))
    return json.dumps(json.loads(text, object_pairs_hook=mixed), separators=(",", ":"))


def names(document: Document, draw: random.Random) -> str:
    """Span kind and status code by name, as protobuf's JSON writes them."""
    for span in _spans(document):
        span["kind"] = KINDS[span["kind"]]
        span["status"] = {**span["status"], "code": CODES[span["status"].get("code", 0)]}
    return compact(document, draw)


def numbers(document: Document, draw: random.Random) -> str:
    """Times and whole numbers as JSON numbers, where OTLP/JSON has texts."""
    for span in _spans(document):
        span |= {key: int(span[key]) for key in TIMES if key in span}
        for pair in span["attributes"]:
            if "intValue" in pair["value"]:
                pair["value"] = {"intValue": int(pair["value"]["intValue"])}
    return compact(document, draw)


def escapes(document: Document, draw: random.Random) -> str:
    """Slashes, dots and dashes as escapes, in texts and keys: some writers escape more than they must."""
    return compact(document, draw).translate(ESCAPED)


def _spans(document: Document) -> Iterator[dict[str, Any]]:
    for group in document["resourceSpans"]:
        for members in group["scopeSpans"]:
            yield from members["spans"]
