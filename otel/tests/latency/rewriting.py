"""Other spellings of an OTLP/JSON document: each is valid and means the same spans.

The permitted spellings: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding, and JSON itself.
"""

import json
import random
from typing import Any

from lambda_latency.trace import SpanKind, Status

WAYS = ("attributes", "blanks", "capitals", "defaults", "escapes", "keys", "names", "numbers")
KINDS = {kind.value: f"SPAN_KIND_{kind.name}" for kind in SpanKind}
CODES = {status.value: f"STATUS_CODE_{status.name}" for status in Status}
TIMES = ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano")
IDS = ("traceId", "spanId", "parentSpanId")
EMPTY: dict[str, Any] = {
    "droppedAttributesCount": 0,
    "droppedEventsCount": 0,
    "events": [],
    "links": [],
    "parentSpanId": "",
    "traceState": "",
}
BLANKS = ("", "", " ", "  ", "\t", "\r")
SHORT = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def rewrite(document: dict[str, Any], seed: int, ways: frozenset[str]) -> str:
    """The document as a line, in the given ways, chosen at random for each value; `document` is not changed.

    attributes: in any order, if no key occurs twice. blanks: between any two tokens. capitals: in ids. defaults:
    written out. escapes: for any character. keys: of objects in any order. names: kinds and status codes by name.
    numbers: as texts or as numbers.
    """
    draw = random.Random(seed)  # noqa: S311 - a repeatable seed
    return _write(_value(document, draw, ways), draw, ways) + "\n"


def _value(value: Any, draw: random.Random, ways: frozenset[str]) -> Any:
    """A value of the same meaning in another spelling."""
    if isinstance(value, list):
        return [_value(member, draw, ways) for member in value]
    if not isinstance(value, dict):
        return value
    rewritten = {key: _value(inner, draw, ways) for key, inner in value.items()}
    for way, rewrite_in in (("attributes", _attributes), ("numbers", _numbers), ("capitals", _capitals)):
        if way in ways:
            rewrite_in(rewritten, draw)
    if "spanId" in rewritten and "startTimeUnixNano" in rewritten:
        _span(rewritten, draw, ways)
    return rewritten


def _attributes(mapping: dict[str, Any], draw: random.Random) -> None:
    pairs = mapping.get("attributes")
    if isinstance(pairs, list) and len({pair["key"] for pair in pairs}) == len(pairs):
        draw.shuffle(pairs)


def _capitals(mapping: dict[str, Any], draw: random.Random) -> None:
    mapping |= {key: mapping[key].upper() for key in IDS if key in mapping and draw.random() < 0.5}


def _numbers(mapping: dict[str, Any], draw: random.Random) -> None:
    for key in (*TIMES, "intValue"):
        if key in mapping:
            mapping[key] = int(mapping[key]) if draw.random() < 0.5 else str(mapping[key])
    if isinstance(mapping.get("doubleValue"), float) and draw.random() < 0.5:
        mapping["doubleValue"] = repr(mapping["doubleValue"])


def _span(span: dict[str, Any], draw: random.Random, ways: frozenset[str]) -> None:
    if "names" in ways and draw.random() < 0.7:
        span["kind"] = KINDS[span["kind"]]
        status = span.get("status", {})
        span["status"] = {**status, "code": CODES[status.get("code", 0)]}
    if "defaults" in ways:
        for key, value in EMPTY.items():
            if key not in span and draw.random() < 0.5:
                span[key] = value
        for key in ("attributes", "status"):
            if not span.get(key):
                span.pop(key, None)


def _write(value: Any, draw: random.Random, ways: frozenset[str]) -> str:
    def blank() -> str:
        return draw.choice(BLANKS) if "blanks" in ways else ""

    if isinstance(value, dict):
        pairs = list(value.items())
        if "keys" in ways:
            draw.shuffle(pairs)
        inner = ",".join(
            f"{blank()}{_text(key, draw, ways)}{blank()}:{blank()}{_write(member, draw, ways)}{blank()}"
            for key, member in pairs
        )
        return f"{{{inner or blank()}}}"
    if isinstance(value, list):
        inner = ",".join(f"{blank()}{_write(member, draw, ways)}{blank()}" for member in value)
        return f"[{inner or blank()}]"
    return _text(value, draw, ways) if isinstance(value, str) else json.dumps(value)


def _text(text: str, draw: random.Random, ways: frozenset[str]) -> str:
    if "escapes" not in ways:
        return json.dumps(text, ensure_ascii=False)
    return '"' + "".join(_character(letter, draw) for letter in text) + '"'


def _character(letter: str, draw: random.Random) -> str:
    """The character itself where allowed, its short escape, or its code units as escapes."""
    plain = letter >= " " and letter not in '"\\'
    if plain and draw.random() < 0.8:
        return letter
    if letter in SHORT and draw.random() < 0.5:
        return SHORT[letter]
    units = letter.encode("utf-16-be")
    written = [f"\\u{units[index]:02x}{units[index + 1]:02x}" for index in range(0, len(units), 2)]
    return "".join(draw.choice((unit, unit[:2] + unit[2:].upper())) for unit in written)
