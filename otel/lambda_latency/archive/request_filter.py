"""Parses the filter language of requests: `slower than 2s and part ~ payments and not cold`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lambda_latency.archive.places import ArchiveError

EXAMPLES = (
    "slower than 2s, faster than 100ms, route = POST /orders, part ~ payments, status >= 500, cold, error, timed out"
)
UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
AND = re.compile(r"\s+and\s+", re.IGNORECASE)
TIME = re.compile(r"(slower|faster) than (\d+(?:\.\d+)?)\s*(ns|us|ms|s)", re.IGNORECASE)
TEXT = re.compile(r"(route|function|part)\s*(=|~)\s*(\S.*)", re.IGNORECASE)
STATUS = re.compile(r"status\s*(>=|<=|=|>|<)\s*(\d{3})", re.IGNORECASE)
FLAGS = {"cold": "cold_start", "error": "error", "timed out": "timed_out"}

Test = Callable[[Any], Any]


def read_filter(text: str) -> Test:
    """Return a function from a table of breakdowns to a boolean mask. Raises ArchiveError, with examples."""
    tests = [_test(condition.strip()) for condition in AND.split(text.strip())] if text.strip() else []

    def mask(table: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        matching = pa.array([True] * table.num_rows, pa.bool_())
        for test in tests:
            matching = pc.and_(matching, pc.fill_null(test(table), fill_value=False))
        return matching

    return mask


def _test(text: str) -> Test:
    if text.lower().startswith("not "):
        inner = _test(text[4:].strip())
        return lambda table: _compute("invert", _compute("fill_null", inner(table), False))
    if text.lower() in FLAGS:
        return lambda table: table[FLAGS[text.lower()]]
    if (match := TIME.fullmatch(text)) is not None:
        ns = round(float(match[2]) * UNITS[match[3].lower()])
        name = "greater" if match[1].lower() == "slower" else "less"
        return lambda table: _compute(name, table["wall_ns"], ns)
    if (match := STATUS.fullmatch(text)) is not None:
        names = {">=": "greater_equal", "<=": "less_equal", "=": "equal", ">": "greater", "<": "less"}
        sign, code = match[1], int(match[2])
        return lambda table: _compute(names[sign], table["status_code"], code)
    if (match := TEXT.fullmatch(text)) is not None:
        column, sign, value = match[1].lower(), match[2], match[3].strip("\"'")
        if column == "part":
            return lambda table: _has_part(table, sign, value)
        return lambda table: _matches(table[column].cast("string"), sign, value)
    raise ArchiveError(f"{text!r} is not understood", f"for example: {EXAMPLES}", exit_status=2)


def _has_part(table: Any, sign: str, value: str) -> Any:
    """Mask the requests with a component whose category and name equal (`=`) or contain (`~`) the value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table["parts"].combine_chunks()
    flat, parents = column.flatten(), pc.list_parent_indices(column)
    texts = pc.binary_join_element_wise(flat.field("bucket").cast("string"), flat.field("name").cast("string"), " ")
    hits = pc.unique(parents.filter(_matches(pc.utf8_trim_whitespace(texts), sign, value)))
    return pc.is_in(pa.array(range(table.num_rows), hits.type), hits)


def _matches(texts: Any, sign: str, value: str) -> Any:
    if sign == "=":
        return _compute("equal", texts, value)
    import pyarrow.compute as pc

    return pc.match_substring(texts, value, ignore_case=True)


def _compute(name: str, *arguments: Any) -> Any:
    import pyarrow.compute as pc

    return pc.call_function(name, list(arguments)) if name != "fill_null" else pc.fill_null(*arguments)
