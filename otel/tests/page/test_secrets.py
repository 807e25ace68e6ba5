"""Secrets in the spans of other senders: none is in a page, a live page's answers, a saved file; names stay."""

import base64
import html
import json
import re
import zlib
from dataclasses import replace

import pytest

from lambda_latency.latency import Breakdowns, report_of
from lambda_latency.live import saved_line
from lambda_latency.page import SpanRedaction, build_page, page_values
from lambda_latency.trace import Event, SpanKind, Trace, dump_line
from tests.latency.system import breakdown_of, order
from tests.trace.build import MS, T0

# By the key of an attribute: a value, and the part of it that must not be shared.
SECRETS = {
    "http.request.header.authorization": (
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlMTIz",
        "eyJzdWIiOiI0MiJ9",
    ),
    "authorization": ("Basic dXNlcjpodW50ZXIyMg==", "dXNlcjpodW50ZXIyMg"),
    "http.request.header.cookie": ("session=9f8a7c6b5d4e3f2a1b0c; theme=dark", "9f8a7c6b5d4e3f2a1b0c"),
    "http.response.header.set_cookie": ("sid=s%3AqwErTy1234567890; HttpOnly", "qwErTy1234567890"),
    "http.request.header.x-api-key": ("k-0a1b2c3d4e5f6071", "k-0a1b2c3d4e5f6071"),
    "aws.access_key_id": ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    "aws.secret_access_key": ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
    "aws.session_token": ("FwoGZXIvYXdzEBYaDHqa0AP1rVMSLz6QPSLIAQ9T", "FwoGZXIvYXdz"),
    "db.password": ("correct-horse-battery", "correct-horse-battery"),
    "db.connection_string": ("postgresql://app:s3cr3tPass@db.example.com:5432/shop", "s3cr3tPass"),
    "url.full": ("https://user:pa55word@example.com/pay?token=abcdef123456", "pa55word"),
    "http.url": ("https://example.com/pay?access_token=ya29.a0AfH6SMBx", "ya29.a0AfH6SMBx"),
    "payment.card": ("4111 1111 1111 1111", "4111 1111 1111 1111"),
    "tls.client.key": (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx1y2z3\n-----END RSA PRIVATE KEY-----",
        "MIIEowIBAAKCAQEAx1y2z3",
    ),
    "github.token": ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
    "slack": ("xoxb-123456789012-abcdefghijklmnop", "xoxb-123456789012-abcdefghijklmnop"),
    "client_secret": ("Zm9vYmFyYmF6cXV4", "Zm9vYmFyYmF6cXV4"),
    "refresh_token": ("1//0gabcdefghijklmnopqrstuv", "0gabcdefghijklmnopqrstuv"),
    "db.statement": ("SELECT * FROM users WHERE password = 'letmein42'", "letmein42"),
    "process.command_line": ("mysql -u root --password=rootpw99 shop", "rootpw99"),
}
MESSAGE, EVENT = "login failed: password=openSesame7", "Authorization: Bearer tok_live_51H8xYz2eZvKYlo2C"
HIDDEN = [hidden for _, hidden in SECRETS.values()] + ["openSesame7", "tok_live_51H8xYz2eZvKYlo2C"]


def planted() -> list[Trace]:
    """Twenty orders; the payment of each has all secrets, in attributes, the message of its status, and an event."""
    attributes = {key: value for key, (value, _) in SECRETS.items()}
    event = Event("log", T0 + 30 * MS, {"message": EVENT, **attributes})
    return [
        Trace(
            replace(
                span,
                attributes={**span.attributes, **attributes},
                status_message=MESSAGE,
                events=(*span.events, event),
            )
            if span.kind is SpanKind.CLIENT
            else span
            for span in order(90 + number % 5, number=number).spans
        )
        for number in range(20)
    ]


def page_text(*, keeps: bool) -> str:
    """All that the page of these orders has, inflated."""
    traces = planted()
    by_id = {trace.trace_id: trace for trace in traces}
    report = report_of(
        Breakdowns(map(breakdown_of, traces)),
        lambda trace_ids: {trace_id: by_id[trace_id] for trace_id in trace_ids},
        spans=lambda trace_ids: (span for trace_id in trace_ids for span in by_id[trace_id].spans),
    )
    values, lines = page_values(
        report,
        lambda trace_ids: {trace_id: by_id[trace_id] for trace_id in trace_ids},
        command="",
        version="",
        redaction=SpanRedaction(keeps=keeps),
    )
    page = build_page(values, lines, "")
    [packed] = re.findall(r'id="spans">(.*?)</script>', page, re.DOTALL)
    spans = [zlib.decompress(base64.b64decode(block.partition(":")[2]), -15).decode() for block in packed.splitlines()]
    return html.unescape("\n".join([page, json.dumps(values), *spans]))


def test_no_planted_secret_is_in_a_page() -> None:
    """22 of them: in the island, in spans, in facts; what is no secret stays, and an option keeps all."""
    text = page_text(keeps=False)
    assert [hidden for hidden in HIDDEN if json.dumps(hidden)[1:-1] in text] == []
    assert "DynamoDB" in text
    assert "CreateOrder" in text
    whole = page_text(keeps=True)
    assert [hidden for hidden in HIDDEN if json.dumps(hidden)[1:-1] not in whole] == []


@pytest.mark.parametrize("keeps", [False, True])
def test_no_planted_secret_is_in_a_saved_line(keeps: bool) -> None:
    """As Save and --out of the live page write it."""
    line = dump_line(planted()[0].spans).encode()
    text = saved_line(line, SpanRedaction(keeps=keeps)).decode()
    shared = [hidden for hidden in HIDDEN if json.dumps(hidden)[1:-1] in text]
    assert shared == (HIDDEN if keeps else [])
    assert text.count("traceId") == line.decode().count("traceId")


def test_the_label_of_a_component_is_no_secret() -> None:
    """A service may be called as a secret is: what follows its name is the kit's own."""
    redaction = SpanRedaction()
    labels = (
        "auth: own code",
        "token: cold start of 40 ms, secrets: replay",
        "auth: own codes",
        "auth: hunter2 own code",
    )
    assert [redaction.label(label) for label in labels] == [
        *labels[:2],
        "auth: [redacted] codes",
        "auth: [redacted] own code",
    ]
