"""The port of an address."""

from __future__ import annotations

from urllib.parse import urlsplit


def port_of(url: str) -> int:
    """Of an address that has one."""
    port = urlsplit(url).port
    assert port is not None
    return port
