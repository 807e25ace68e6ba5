"""Spellings of an OTLP/JSON document as text: all are valid, and all mean the same spans.

A spelling takes a document, which it may change, and a random generator.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from lab.generate import Document
from lambda_latency.trace import SpanKind

KINDS = {kind.value: f"SPAN_KIND_{kind.name}" for kind in SpanKind}
CODES = {0: "STATUS_CODE_UNSET", 1: "STATUS_CODE_OK", 2: "STATUS_CODE_ERROR"}
TIMES = ("startTimeUnixNano", "endTimeUnixNano")
# No number of the corpora has a fraction or a sign: these characters occur in texts and keys alone.
ESCAPED = str.maketrans({"/": "\\/", ".": "\\u002e", "-": "\\u002d"})


def compact(document: Document, _: random.Random) -> str:
    """No blanks: the spelling of most exporters."""
    return json.dumps(document, separators=(",", ":"))


def blanks(document: Document, _: random.Random) -> str:
    """A blank after each comma and colon: the spelling of Python's `json.dumps`."""
    return json.dumps(document)


def value_before_key(document: Document, _: random.Random) -> str:
    """Attributes with their value first: the spelling of a writer that does not sort keys, or sorts them backwards."""

    def turned(pairs: dict[str, Any]) -> dict[str, Any]:
        if pairs.keys() == {"key", "value"}:
            return {"value": pairs["value"], "key": pairs["key"]}
        return pairs

    text = json.dumps(document, separators=(",", ":"))
    return json.dumps(json.loads(text, object_hook=turned), separators=(",", ":"))


def keys_in_any_order(document: Document, draw: random.Random) -> str:
    """Objects with keys in random order: the spelling of a writer that keeps them in a hash table."""

    def mixed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        draw.shuffle(pairs)
        return dict(pairs)

    text = json.dumps(document, separators=(",", ":"))
    return json.dumps(json.loads(text, object_pairs_hook=mixed), separators=(",", ":"))


def names(document: Document, draw: random.Random) -> str:
    """Span kind and status code by name: the spelling of protobuf's JSON."""
    for span in _spans(document):
        span["kind"] = KINDS[span["kind"]]
        span["status"] = {**span["status"], "code": CODES[span["status"].get("code", 0)]}
    return compact(document, draw)


def numbers(document: Document, draw: random.Random) -> str:
    """Times and whole numbers as JSON numbers; OTLP/JSON has texts."""
    for span in _spans(document):
        span |= {key: int(span[key]) for key in TIMES if key in span}
        for pair in span["attributes"]:
            if "intValue" in pair["value"]:
                pair["value"] = {"intValue": int(pair["value"]["intValue"])}
    return compact(document, draw)


def escapes(document: Document, draw: random.Random) -> str:
    """Slashes, dots and dashes as escapes, in texts and keys: some writers escape more than necessary."""
    return compact(document, draw).translate(ESCAPED)


def _spans(document: Document) -> Iterator[dict[str, Any]]:
    for group in document["resourceSpans"]:
        for members in group["scopeSpans"]:
            yield from members["spans"]
