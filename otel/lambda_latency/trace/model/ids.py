"""Checks trace and span ids: lower-case hex digits of a fixed number, not all zeros.

Handmade traces, and some systems, have other texts as ids. Each is replaced by a digest, equal for equal texts.
"""

from __future__ import annotations

from collections.abc import Sequence

HEX = b"0123456789abcdef"
DIGITS = HEX.decode()
NO_SPAN = "0" * 16
NO_TRACE = "0" * 32
SERVER_BIT = 1 << 63


def are_ids(span_ids: Sequence[str], trace_ids: Sequence[str]) -> bool:
    """Whether all are ids: 16 and 32 lower-case hex digits, not all zeros. Lengths are compared in total, for speed."""
    text = "".join([*span_ids, *trace_ids])
    if len(text) != 16 * len(span_ids) + 32 * len(trace_ids) or text.encode().translate(None, HEX):
        return False
    return NO_SPAN not in text or (NO_SPAN not in span_ids and NO_TRACE not in trace_ids)


def checked(value: object, name: str, length: int) -> str:
    """An id in lower case with its leading zeros, or the digest of a text that is not hexadecimal or too long.

    Raises `ValueError` with `name` and the value if it is not a text, empty, or all zeros.
    """
    text = value.lower() if isinstance(value, str) else ""
    if len(text) == length and not text.strip(DIGITS) and text.strip("0"):
        return text
    if not text.strip("0"):
        requirement = "not be all zeros" if text else f"be {length} hex digits"
        raise ValueError(f"{name} must {requirement}, got {value!r:.60}")
    return text.zfill(length) if len(text) < length and not text.strip(DIGITS) else digest(str(value), length)


def digest(text: str, length: int) -> str:
    """`length` hex digits that stand for a text that is not an id."""
    from hashlib import blake2b  # with it comes OpenSSL, 4 MB that other ids do not need

    return blake2b(text.encode(errors="surrogatepass"), digest_size=length // 2).hexdigest()


def server_id(span_id: str) -> str:
    """An id of its own for a server that shares the id of its client's span, as Zipkin's tracers do."""
    return f"{int(span_id, 16) ^ SERVER_BIT:016x}"
