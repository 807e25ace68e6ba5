"""Reads OTLP in the log of a Lambda function: each line holds the spans of one export, packed.

Exporters for Python, Node.js and Rust print these lines: https://github.com/dev7a/serverless-otlp-forwarder.
"""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lambda_latency.trace.readers.otlp import Problem
from lambda_latency.trace.readers.protobuf import protobuf_resources

MARK = "__otel_otlp_stdout"

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def is_printed(members: Mapping[str, object]) -> bool:
    """Whether these are the members of such a line."""
    return MARK in members


def printed_resources(document: bytes, problem: Problem) -> Iterator[dict[str, Any]]:
    """The resources of a line, as OTLP/JSON has them.

    `problem` is called with the reason for each part that is left out.
    """
    printed = _decode(document)
    payload = printed.get("payload")
    try:
        data = base64.b64decode(payload, validate=True) if printed.get("base64") else _encode(payload)
        if printed.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
    except (TypeError, ValueError, OSError, EOFError, zlib.error) as error:
        problem(f"not a payload of OTLP: {error}")
        return
    yield from protobuf_resources(data, problem)
