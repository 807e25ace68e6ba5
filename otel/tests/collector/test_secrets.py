"""Callers send credentials and questions; neither may stand in a span or in a document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.trace import spans_of
from tests.collector.laptop import laptop, read
from tests.system.conftest import order
from tests.template.variants import write_variant

SECRET = "S3CRET"
HEADERS = {
    "Authorization": f"Bearer {SECRET}",
    "Cookie": f"session={SECRET}",
    "X-Api-Key": SECRET,
    "X-Amzn-Trace-Id": f"Root=1-6b0649ac-fc163708c35b96fce41acb89;Parent=0b9a684f4976364c;Sampled=1;Secret={SECRET}",
    "traceparent": "00-6b0649acfc163708c35b96fce41acb89-0b9a684f4976364c-01",
    "tracestate": f"secret={SECRET}",
    "baggage": f"secret={SECRET}",
    "User-Agent": f"curl/8 {SECRET}",
    "Referer": f"https://example.com/?token={SECRET}",
}


CALLS: list[tuple[str, str, Any]] = [
    ("POST", f"/orders?token={SECRET}", order(payment_method=f"card-{SECRET}")),
    ("POST", f"/orders?token={SECRET}", order(items=f"{SECRET}")),
    ("POST", "/orders", f"{{ {SECRET}"),
    ("GET", f"/orders?customer={SECRET}&limit=10", None),
    ("GET", f"/orders?customer=a&limit={SECRET}", None),
    ("GET", f"/orders/nothing?token={SECRET}", None),
    ("POST", f"/orders/nothing/cancel?token={SECRET}", {"reason": SECRET}),
]


def sent(program: Path, out: Path, setup: str) -> tuple[str, str]:
    """Spans and documents of these calls, as text."""
    template = write_variant(out / "app", instrumentation=setup)
    with laptop(program, out, template=template) as client:
        replies = [client.call(method, path, body, HEADERS) for method, path, body in CALLS]
        assert client.system.finish()
        xray = read(client, *(reply.trace_id for reply in replies))
        spans = client.system.store.path.read_text(encoding="utf-8")
    assert len(xray) == len(CALLS)
    assert "payments.example.com" in spans
    return spans, json.dumps(xray)


def test_no_credential_and_no_query_value_reaches_a_span(program: Path, tmp_path: Path) -> None:
    """Not in the store's file and not in X-Ray, of calls that work and of calls that fail."""
    spans, documents = sent(program, tmp_path, "kit")

    assert [line for line in spans.splitlines() if SECRET in line] == []
    assert SECRET not in documents


def test_what_the_layers_own_instrumentation_lets_through_is_known(program: Path, tmp_path: Path) -> None:
    """It writes the query and the user agent as callers send them, a reason to start the kit (docs, limits)."""
    spans, _ = sent(program, tmp_path, "layer")

    requests = [json.loads(line) for line in spans.splitlines()]
    leaking = {
        key
        for request in requests
        for span in spans_of(json.dumps(request).encode(), pytest.fail)
        for key, value in span.attributes.items()
        if SECRET in str(value)
    }
    assert leaking == {"http.target", "http.user_agent"}
