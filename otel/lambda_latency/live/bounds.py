"""The bounds of what a running page holds. The page says when one of them is reached."""

from __future__ import annotations

from typing import NamedTuple

MB = 1024 * 1024


class Bounds(NamedTuple):
    """At most `requests` and `bytes` of spans are retained, the newest; at most `open` traces may still grow.

    `inbox` is the number of bytes that wait to be read, `body` that of one export request after decompression, `tabs`
    the number of connected pages, `rows` that of one message to a page. `log_lines` and `log_bytes` are retained for
    each request.
    """

    requests: int = 5_000
    bytes: int = 64 * MB
    open: int = 2_000
    inbox: int = 16 * MB
    body: int = 20 * MB
    tabs: int = 16
    rows: int = 500
    log_lines: int = 200
    log_bytes: int = 16 * 1024
