"""OTLP/JSON as msgspec decodes it: of each span what is asked of it, and all the rest as bytes; and spans packed.

`Raw` refers to the line that it was read from: whoever keeps a span lets go of those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct, field

__all__ = [
    "NONE",
    "UNREADABLE",
    "UNSET",
    "WIDTH",
    "LeanSpan",
    "Raw",
    "Rows",
    "columns",
    "decode",
    "decode_any",
    "decode_events",
    "decode_pairs",
    "decode_scope",
    "pack",
    "together",
]

UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, AttributeError, RecursionError)  # for these types

NONE = Raw(b"[]")

Instant = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class RawStatus(Struct, frozen=True, gc=False):
    code: int = 0
    message: str = ""


UNSET = RawStatus()


class LeanSpan(Struct, gc=False, kw_only=True):
    """A span of a line: `parent_id` is empty and `end_ns` 0 where there is none.

    In the order in which collectors write the fields: so each is found where it is looked for first.
    """

    trace_id: Annotated[str, Meta(min_length=32, max_length=32)] = field(name="traceId")
    span_id: Annotated[str, Meta(min_length=16, max_length=16)] = field(name="spanId")
    parent_id: str = field(name="parentSpanId", default="")
    flags: int = 0
    name: str = ""
    kind: int = 0
    start_ns: Instant = field(name="startTimeUnixNano")
    end_ns: Annotated[int, Meta(ge=0, le=2**63 - 1)] = field(name="endTimeUnixNano", default=0)
    attributes: Raw = NONE
    events: Raw = NONE
    status: RawStatus = UNSET


class RawScopeSpans(Struct, gc=False):
    scope: Raw = Raw(b"{}")
    spans: list[LeanSpan] = []


class RawResourceSpans(Struct, gc=False):
    resource: Raw = Raw(b"{}")
    scopeSpans: list[RawScopeSpans] = []


class RawRequest(Struct, gc=False):
    resourceSpans: list[RawResourceSpans]


class RawScope(Struct, frozen=True, gc=False):
    name: str = ""


class Pair(Struct, gc=False):
    key: str
    value: Raw = Raw(b"null")


class RawEvent(Struct, gc=False):
    name: str = ""
    attributes: Raw = NONE


decode = msgspec.json.Decoder(RawRequest, strict=False).decode
decode_pairs = msgspec.json.Decoder(list[Pair]).decode
decode_events = msgspec.json.Decoder(list[RawEvent]).decode
decode_scope = msgspec.json.Decoder(RawScope).decode
decode_any = msgspec.json.Decoder().decode

# Spans once they are read: of each its id, its parent's or "", start and end (0: none) in ns, and the number of its
# shape, one behind the other.
Rows = list[Any]
WIDTH = 5

pack = msgspec.msgpack.Encoder().encode
_unpack: Callable[[bytes], Rows] = msgspec.msgpack.Decoder(list).decode


def together(parts: Sequence[bytes], base: int = 0) -> Rows:
    """The spans of a trace out of its parts; the numbers of their shapes begin at `base`."""
    rows = _unpack(parts[0])
    for part in parts[1:]:
        rows += _unpack(part)
    if base:
        rows[WIDTH - 1 :: WIDTH] = [base + shape for shape in rows[WIDTH - 1 :: WIDTH]]
    return rows


def columns(rows: Rows) -> tuple[list[str], list[str], list[int], list[int], list[int]]:
    """Of spans the ids, those of their parents, starts, ends, and the numbers of their shapes."""
    return rows[::WIDTH], rows[1::WIDTH], rows[2::WIDTH], rows[3::WIDTH], rows[4::WIDTH]
