"""Queries that find the requests of a finding in AWS's consoles: of X-Ray, and of Transaction Search."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_latency.latency import ABSENT
from lambda_latency.text.style import Line, Piece
from lambda_latency.text.words import clean, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency import Report, Value
    from lambda_latency.text.style import Style

UNKNOWN = re.compile(r"[^A-Za-z0-9_]")  # in the key of an annotation, the collector's exporter replaces it
TEXT = re.compile(r'["\\]')
DERIVED = ("{", "?")  # the first letter of parameters of routes and queries, which are parts of an attribute
MOST = 50


def query_lines(report: Report, style: Style) -> list[Line]:
    """The queries of the first finding, with a title; none without a finding."""
    found = [one for some in report.depends.of_classes for one in some]
    found += [one.finding for one in report.depends.of_routes]
    if not found:
        return []
    values = found[0].values
    expression = xray_filter(values)
    told = [f"X-Ray, if they are annotations: {clean(expression, style)}"] if expression is not None else []
    told.append(f"Transaction Search (Logs Insights, aws/spans): {clean(spans_query(values), style)}")
    return [[], [Piece("In the console", "bold")], *(line for one in told for line in wrap(one, style.width))]


def xray_filter(values: Sequence[Value]) -> str | None:
    """`annotation[tenant_id] = "acme"`. The attributes must be annotations. None if no filter expression can tell them.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
    """
    tests = [test for value in values for test in _annotation(value)]
    return " AND ".join(tests) if len(tests) >= len(values) else None


def spans_query(values: Sequence[Value]) -> str:
    """A query of Logs Insights on `aws/spans`, which has the attributes of spans and of their resource.

    The values may be on different spans of a request: of several, the query tells the first.
    """
    value = values[0]
    if value.attribute.startswith(DERIVED):
        tests = [f"name like {_quoted(value.text or '')}"]
    else:
        names = [f"`{place}.{value.attribute}`" for place in ("attributes", "resource.attributes")]
        tests = [" or ".join(name + test for name in names) for test in _tests(value)]
        if value.text == ABSENT:
            tests = [" and ".join(f"not ispresent({name})" for name in names)]
    if value.service:
        tests.append(f"`resource.attributes.service.name` = {_quoted(value.service)}")
    every = " and ".join(f"({test})" if " or " in test else test for test in tests)
    shown = "fields @timestamp, traceId, durationNano / 1000000 as ms"
    return f"{shown} | filter {every} | sort durationNano desc | limit {MOST}"


def _annotation(value: Value) -> list[str]:
    if value.text == ABSENT or value.attribute.startswith(DERIVED):
        return []
    key = f"annotation[{UNKNOWN.sub('_', value.attribute)}]"
    tests = [key + test for test in _tests(value)]
    return [" AND ".join(tests)]


def _tests(value: Value) -> list[str]:
    if value.text is not None:
        return [f" = {value.text if value.text in ('true', 'false') else _quoted(value.text)}"]
    tests = [f" >= {value.low:.15g}"] if value.low is not None else []
    return [*tests, *([f" < {value.high:.15g}"] if value.high is not None else [])]


def _quoted(text: str) -> str:
    return '"' + TEXT.sub(lambda found: "\\" + found[0], text) + '"'
