"""OTLP/JSON as msgspec decodes it: of each span what is asked of it, and all the rest as bytes.

`Raw` refers to the line that it was read from: whoever keeps a span lets go of those.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct, field

__all__ = [
    "NONE",
    "UNREADABLE",
    "UNSET",
    "LeanSpan",
    "decode",
    "decode_any",
    "decode_events",
    "decode_pairs",
    "decode_scope",
]

UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, AttributeError, RecursionError)  # for these types

NONE = Raw(b"[]")

Instant = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class RawStatus(Struct, frozen=True, gc=False):
    code: int = 0
    message: str = ""


UNSET = RawStatus()


class LeanSpan(Struct, gc=False):
    """A span of a line: `parent_id` is empty and `end_ns` 0 where there is none. `below` is room for who reads it."""

    trace_id: Annotated[str, Meta(min_length=32, max_length=32)] = field(name="traceId")
    span_id: Annotated[str, Meta(min_length=16, max_length=16)] = field(name="spanId")
    start_ns: Instant = field(name="startTimeUnixNano")
    end_ns: Annotated[int, Meta(ge=0, le=2**63 - 1)] = field(name="endTimeUnixNano", default=0)
    parent_id: str = field(name="parentSpanId", default="")
    name: str = ""
    kind: int = 0
    flags: int = 0
    status: RawStatus = UNSET
    attributes: Raw = NONE
    events: Raw = NONE
    shape: int = field(name="(shape)", default=0)
    below: list[LeanSpan] | None = field(name="(below)", default=None)


class RawScopeSpans(Struct, gc=False):
    spans: list[LeanSpan] = []
    scope: Raw = Raw(b"{}")


class RawResourceSpans(Struct, gc=False):
    scopeSpans: list[RawScopeSpans] = []
    resource: Raw = Raw(b"{}")


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
