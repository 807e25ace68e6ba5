"""Redacted spans: the report is the same, with other names."""

import io
import json
import random
from pathlib import Path
from typing import Any

import jsonschema

from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.text import Style
from lambda_latency.trace import dump_line
from lambda_latency.trace.redaction import redact
from tests.latency.attributed import Order, attributed
from tests.latency.generated import load
from tests.latency.system import THEIRS
from tests.text.test_document import SCHEMA
from tests.trace.build import node, spans_of

SECRETS = (
    "payments",
    "orders",
    "example.com",
    "CreateOrder",
    "6b05a667",
    "functions/",
    "charges",
    "traces.jsonl",
    "stock",
)


def test_a_redacted_report_has_the_times_and_none_of_the_names(tmp_path: Path) -> None:
    """In text, JSON and page; owners, parts and calls do not change."""
    path, page, json_file = tmp_path / "traces.jsonl", tmp_path / "page.html", tmp_path / "values.json"
    path.write_text("".join(dump_line(trace.spans) for trace in load()))

    def report(*, redact: bool) -> tuple[str, dict[str, list[dict[str, object]]]]:
        out = io.StringIO()
        request = Request(
            [path],
            analysis_options=THEIRS,
            redact=redact,
            json=str(json_file),
            html=str(page),
            everything=True,
            problems=True,
        )
        run_report(request, Style(), out)
        return out.getvalue(), json.loads(json_file.read_text())

    plain = report(redact=False)[1]
    text, values = report(redact=True)
    jsonschema.validate(values, SCHEMA)
    shown = page.read_text()
    values_in_page = shown[shown.index('id="report"') :] if 'id="report"' in shown else shown
    for secret in SECRETS:
        assert secret not in text, secret
        assert secret not in json_file.read_text(), secret
        if secret not in ("orders", "example.com", "functions/", "traces.jsonl"):  # may be words of the page itself
            assert secret not in values_in_page, secret
    for key in ("bucket", "owner", "total_ns", "calls", "errors", "throttles", "retries"):
        assert sorted(str(b[key]) for b in values["buckets"]) == sorted(str(b[key]) for b in plain["buckets"])
    assert values["wall_ns"] == plain["wall_ns"]


def test_attributes_that_name_a_host_or_a_database_are_replaced() -> None:
    """Of each convention that the report reads, not of OpenTelemetry's alone."""
    keys = ("server.address", "peer.hostname", "upstream_cluster", "upstream_cluster.name", "db.name", "db.instance")
    [span] = redact(spans_of([node("call", 0, 1, attributes=dict.fromkeys(keys, "secret"))]))
    assert len(span.attributes) == len(keys)
    assert "secret" not in repr(span)


def test_the_values_that_slow_requests_depend_on_are_redacted(tmp_path: Path) -> None:
    """In text, JSON, Markdown and page; the shares stay."""

    def order(number: int, draw: random.Random) -> Order:
        tenant = "acmecorp" if number % 6 == 0 else f"globex-{draw.randrange(5)}"
        return Order(number, {"customer.company": tenant}, {"service.version": "feature-zebra"}, {})

    path, page, markdown = (tmp_path / name for name in ("traces.jsonl", "page.html", "report.md"))
    traces = attributed(order, lambda o, _: o.first["customer.company"] == "acmecorp", count=120)
    path.write_text("".join(dump_line(trace.spans) for trace in traces))
    shares = []
    for is_redacted in (False, True):
        out, json_file = io.StringIO(), tmp_path / "values.json"
        run_report(
            Request(
                [path],
                redact=is_redacted,
                json=str(json_file),
                html=str(page),
                markdown=str(markdown),
                against=str(path),
            ),
            Style(),
            out,
        )
        finding: Any = json.loads(json_file.read_text())["classes"][0]["depends"][0]
        shares.append((finding["slow"], finding["others"]))
        written = (out.getvalue(), json_file.read_text(), markdown.read_text(), page.read_text())
        assert ["acmecorp" in text for text in written] == [not is_redacted] * 4
        for secret in ("globex", "customer.company", "zebra"):
            assert not (is_redacted and any(secret in text for text in written)), secret
    assert shares[0] == shares[1] == ({"requests": 20, "of": 20}, {"requests": 0, "of": 100})
