"""No credential on a span, whoever wrote it there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from lambda_latency.runtime.credentials import clean
from lambda_latency.testing import CLIENT, SERVER, span
from tests.runtime.stubs import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.runtime.conftest import Function

SECRET = "kM3nPq7RsT9vWx2Y"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, with 3/4? yes", "plain, with 3/4? yes"),
        (f"http://h/a?token={SECRET}", "http://h/a"),
        (f"http://h:80?token={SECRET}", "http://h:80"),
        (f"exceeded with url: /a?token={SECRET} (Caused by X)", "exceeded with url: /a (Caused by X)"),
        (f"GET '/a?b={SECRET}&c=1' HTTP/1.1", "GET '/a HTTP/1.1"),
        (f'{{"url":"https://h/a?b={SECRET}","n":1}}', '{"url":"https://h/a","n":1}'),
        (f"redis://user:{SECRET}@h:6379/0", "redis://h:6379/0"),
        (f"//{SECRET}@h/x?y={SECRET} and http://u:p@i", "//h/x and http://i"),
        ("mail to a@b.example", "mail to a@b.example"),
        (f"Authorization: Bearer {SECRET}", "Authorization: [redacted]"),
        (f"'Proxy-Authorization': 'Basic {SECRET}'", "'Proxy-Authorization': '[redacted]'"),
        (f"set-cookie: a={SECRET}; b\nnext", "set-cookie: [redacted]\nnext"),
        (f"x-api-key={SECRET}", "x-api-key=[redacted]"),
        (f"sent bearer {SECRET}", "sent bearer [redacted]"),
        ("AWS4 Credential=AKIAIOSFODNN7EXAMPLE/2024", "AWS4 Credential=[redacted]"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_text_loses_its_credentials_and_nothing_else(text: str, expected: str) -> None:
    """Queries, user info, headers, keys."""
    assert clean(text) == expected


@pytest.mark.parametrize("text", ["@" + "/" * 200_000, "?" + "a/" * 100_000, "author" * 50_000, "bearer " * 50_000])
def test_a_hostile_text_takes_no_longer_than_its_length(text: str) -> None:
    """A caller may have written it."""
    begin = time.perf_counter()
    clean(text)
    assert time.perf_counter() - begin < 2  # quadratic would be minutes


def redacted(function: Function, **attributes: Any) -> dict[str, Any]:
    """What leaves of these attributes."""

    def handler(_event: object, _context: object) -> None:
        function.runtime.provider.get_tracer("test").start_span("one", attributes=attributes).end()

    function.invoke(handler)
    return dict(function.trace.one("one").attributes)


def test_attributes_are_judged_by_their_names(function: Function) -> None:
    """The last part counts, in any spelling."""
    secrets = {
        "http.request.header.authorization": (f"Bearer {SECRET}",),
        "aws.auth.account.access_key": "AKIA",
        "Set-Cookie": "a",
        "url.query": "a=b",
        "db.password": SECRET,
    }
    plain = {"http.route": "/a", "tokens": 7, "authority": "h", "listed": ("a", "b"), "number": 1.5}
    found = redacted(function, **secrets, **plain)
    assert found == dict.fromkeys(secrets, "[redacted]") | plain


def test_the_setting_adds_names(start: Callable[..., Function]) -> None:
    """In full, or the last part."""
    function = start(LAMBDA_LATENCY_REDACTED="customer-id,app.tenant")
    found = redacted(function, **{"app.customer_id": 7, "app.tenant": "a", "tenant": "b"})
    assert found == {"app.customer_id": "[redacted]", "app.tenant": "[redacted]", "tenant": "b"}


def test_addresses_lose_query_and_fragment(function: Function) -> None:
    """By either of OpenTelemetry's names for them, whatever is in the query."""
    found = redacted(function, **{"http.url": "http://h/a?q=two words", "url.full": "http://u:p@h/#token=x"})
    assert found == {"http.url": "http://h/a", "url.full": "http://h/"}


def test_the_environments_own_keys_leave_on_no_text(
    start: Callable[..., Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is around them."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    found = redacted(start(), note="key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY!")
    assert found == {"note": "key [redacted]!"}


def test_an_exceptions_message_stack_and_status_are_cleaned(function: Function) -> None:
    """requests puts the whole address into its message, and the SDK puts that on the span."""
    with Server() as gone:
        pass

    def handler(_event: object, _context: object) -> None:
        requests.get(f"{gone.url}/charges?token={SECRET}", headers={"Authorization": SECRET}, timeout=5)

    with pytest.raises(requests.ConnectionError):
        function.invoke(handler)
    assert (
        function.trace
        == span("orders-create", SERVER, raised=requests.ConnectionError)[
            span("GET", CLIENT, raised=requests.ConnectionError)
        ]
    )
    for one in function.trace.spans:
        (event,) = one.events
        texts = [one.status_message, *event.attributes.values(), *one.attributes.values()]
        assert not [text for text in texts if SECRET in str(text)]
        assert "url: /charges (Caused by" in str(event.attributes["exception.message"])


def test_a_cleaned_span_is_the_same_otherwise(function: Function) -> None:
    """Ids, times, kind, scope, counts of what was dropped."""
    seen: list[Any] = []

    def handler(_event: object, _context: object) -> None:
        tracer = function.runtime.provider.get_tracer("test", "1")
        link = trace.Link(trace.get_current_span().get_span_context(), {"url": "http://h/?a=b"})
        span: Any = tracer.start_span("GET /a?b=c", kind=trace.SpanKind.CLIENT, links=[link])
        for number in range(130):
            span.set_attribute(str(number), number)
            span.add_event(str(number), {"cookie": number})
        span.set_status(Status(StatusCode.ERROR))
        span.end()
        seen.append(span)

    function.invoke(handler)
    (before,), (after,) = seen, [one for one in function.spans if one.kind is trace.SpanKind.CLIENT]
    assert after.name == "GET /a"
    assert dict(after.links[0].attributes or {}) == {"url": "http://h/"}
    assert {str((event.attributes or {})["cookie"]) for event in after.events} == {"[redacted]"}
    for same in ("kind", "parent", "start_time", "end_time", "resource", "instrumentation_scope", "dropped_attributes",
                 "dropped_events", "dropped_links"):  # fmt: skip
        assert getattr(after, same) == getattr(before, same)
    assert after.get_span_context() == before.get_span_context()
    assert (after.status.status_code, after.status.description) == (StatusCode.ERROR, None)


@pytest.mark.parametrize(("variables", "length"), [({}, 4096), ({"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "10"}, 10)])
def test_long_texts_are_cut(start: Callable[..., Function], variables: dict[str, str], length: int) -> None:
    """To 4096 characters, or what OpenTelemetry's own variable says."""
    assert len(redacted(start(**variables), text="x" * 10_000)["text"]) == length


def test_our_own_lines_in_the_log_are_cleaned(function: Function, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """An error of a sink may quote an address."""

    def broken(_spans: object) -> None:
        raise ValueError(f"no http://h/?key={SECRET}")

    monkeypatch.setattr(function.memory, "export", broken)
    function.runtime.after_response()
    assert caplog.messages == ["lambda-latency: delivering spans failed (ValueError: no http://h/ the request goes on"]
