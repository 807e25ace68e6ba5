"""No credential on a span, whoever wrote it there."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from lambda_latency.redaction import Redaction, clean, parse_chosen, secrecy
from lambda_latency.redaction import names as secret_names
from lambda_latency.runtime.delivery.encoding import Encoder
from lambda_latency.runtime.settings import Settings
from lambda_latency.testing import CLIENT, SERVER, span
from tests.runtime.conftest import Function
from tests.runtime.delivery.test_encoding import simple
from tests.runtime.stubs import Server

SECRET = "kM3nPq7RsT9vWx2Y"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, with 3/4? yes", "plain, with 3/4? yes"),
        (f"http://h/a?token={SECRET}", "http://h/a"),
        (f"http://h:80?token={SECRET}", "http://h:80"),
        (f"exceeded with url: /a?token={SECRET} (Caused by X)", "exceeded with url: /a (Caused by X)"),
        (f"GET '/a?b={SECRET}&c=1' HTTP/1.1", "GET '/a' HTTP/1.1"),
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
    attributes = redacted(function, **secrets, **plain)
    assert attributes == dict.fromkeys(secrets, "[redacted]") | plain


def test_the_setting_adds_names(start: Callable[..., Function]) -> None:
    """In full, or the last part."""
    function = start(LAMBDA_LATENCY_REDACTED="customer-id,app.tenant")
    attributes = redacted(function, **{"app.customer_id": 7, "app.tenant": "a", "tenant": "b"})
    assert attributes == {"app.customer_id": "[redacted]", "app.tenant": "[redacted]", "tenant": "b"}


def test_addresses_lose_query_and_fragment(function: Function) -> None:
    """By either of OpenTelemetry's names for them, whatever is in the query."""
    attributes = redacted(function, **{"http.url": "http://h/a?q=two words", "url.full": "http://u:p@h/#token=x"})
    assert attributes == {"http.url": "http://h/a", "url.full": "http://h/"}


def test_the_environments_own_keys_leave_on_no_text(
    start: Callable[..., Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is around them."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    attributes = redacted(start(), note="key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY!")
    assert attributes == {"note": "key [redacted]!"}


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
    for recorded in function.trace.spans:
        (event,) = recorded.events
        texts = [recorded.status_message, *event.attributes.values(), *recorded.attributes.values()]
        assert not [text for text in texts if SECRET in str(text)]
        assert "url: /charges (Caused by" in str(event.attributes["exception.message"])


def test_a_cleaned_span_is_the_same_otherwise(function: Function) -> None:
    """Ids, times, kind, scope, counts of what was dropped."""
    spans: list[Any] = []

    def handler(_event: object, _context: object) -> None:
        tracer = function.runtime.provider.get_tracer("test", "1")
        link = trace.Link(trace.get_current_span().get_span_context(), {"url": "http://h/?a=b"})
        span: Any = tracer.start_span("GET /a?b=c", kind=trace.SpanKind.CLIENT, links=[link])
        for number in range(130):
            span.set_attribute(str(number), number)
            span.add_event(str(number), {"cookie": number})
        span.set_status(Status(StatusCode.ERROR))
        span.end()
        spans.append(span)

    function.invoke(handler)
    (original,), (cleaned,) = spans, [span for span in function.spans if span.kind is trace.SpanKind.CLIENT]
    assert cleaned.name == "GET /a"
    assert dict(cleaned.links[0].attributes or {}) == {"url": "http://h/"}
    assert {str((event.attributes or {})["cookie"]) for event in cleaned.events} == {"[redacted]"}
    for field in ("kind", "parent", "start_time", "end_time", "resource", "instrumentation_scope", "dropped_attributes",
                 "dropped_events", "dropped_links"):  # fmt: skip
        assert getattr(cleaned, field) == getattr(original, field)
    assert cleaned.get_span_context() == original.get_span_context()
    assert (cleaned.status.status_code, cleaned.status.description) == (StatusCode.ERROR, None)


SESSION = "IQoJb3JpZ2luX2VjE" + "SessionToken/" * 60


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("text", "x" * 4000 + SESSION, "x" * 4000 + "[redacted]"),
        ("text", "x" * 4090 + SESSION, "x" * 4090 + "[redac"),
        ("text", "bad signature for wJalr%2FXUtnFEMI%2BK7MDENG%2FbPxRfiCYEXAMPLEKEY", "bad signature for [redacted]"),
        ("text", "{'A': 'b', 'DB_PASSWORD': 'db-hunter2', 'STRIPE_KEY': 'abc'}",
         "{'A': 'b', 'DB_PASSWORD': '[redacted]', 'STRIPE_KEY': '[redacted]'}"),
        ("db_password", SECRET, "[redacted]"), ("jwt", "a.b.c", "[redacted]"), ("private_key", "abc", "[redacted]"),
        ("http.request.header.x_vault_token", ("hvs.ABC",), "[redacted]"),
        ("http.request.header.x_auth_token", ("abc",), "[redacted]"),
        ("http.request.header.x_goog_api_key", ("abc",), "[redacted]"),
        ("text", 'no: {"user":"ada","password":"hunter2"}', 'no: {"user":"ada","password":"[redacted]"}'),
        ("http.url", f"https://h/reset/{SECRET}/confirm", "https://h/reset/[redacted]/confirm"),
        ("http.url", "https://h/bot123456:AAE-TELEGRAM/sendMessage", "https://h/bot[redacted]/sendMessage"),
        ("http.url", f"https://h/a;jsessionid={SECRET}", "https://h/a"),
        ("db.statement", "SELECT a FROM t1 WHERE b = 'it''s' AND c = 42 AND d = $1",
         "SELECT a FROM t1 WHERE b = ? AND c = ? AND d = $1"),
        ("db.statement", 'SELECT "a" FROM "t" WHERE "b" = "x" AND c IN ("y", "z")',
         'SELECT "a" FROM "t" WHERE "b" = ? AND c IN (?, ?)'),
        ("text", "[SQL: UPDATE t SET a = 'x']\n[parameters: ('x', 7)]",
         "[SQL: UPDATE t SET a = ?]\n[parameters: [redacted]]"),
        ("text", "Invalid type for parameter Key.card, value: 4111111111111111, type: <class 'int'>",
         "Invalid type for parameter Key.card, value: [redacted], type: <class 'int'>"),
        ("card", "4111 1111 1111 1111", "[redacted]"), ("card", 4111111111111111, "[redacted]"),
        ("messaging.destination", f"q?token={SECRET}", "q"),
        ("text", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----.", "[redacted]."),
        ("text", "curl -u ada:pw -H 'X-Auth: abc' --password hunter2",
         "curl -u [redacted] -H 'X-Auth: [redacted]' --password [redacted]"),
        ("text", "postgresql://app:p/s@s@db/x", "postgresql://db/x"),
        ("text", "[('X-Vault-Token', 'hvs.A'), ('Accept', 'a/b')]",
         "[('X-Vault-Token', '[redacted]'), ('Accept', 'a/b')]"),
        ("text", '[{"name": "Authorization", "value": "abc def"}]',
         '[{"name": "Authorization", "value": "[redacted]"}]'),
    ],
)  # fmt: skip
def test_what_once_leaked_does_not(
    function: Function, monkeypatch: pytest.MonkeyPatch, key: str, value: Any, expected: str
) -> None:
    """Each of these did."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalr/XUtnFEMI+K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert redacted(function, **{key: value}) == {key: expected}


def test_only_literals_of_source_lines_are_redacted(function: Function) -> None:
    """Code that handles a secret is none; of what follows the stack, which is the message, all counts."""
    stack = (
        '  File "/var/task/app.py", line 3, in connect\n    API_KEY = "abc"; client = Client(token=event["token"])\n'
        '  File "/var/task/app.py", line 9, in login\n    post(auth=(user, password), x={"X": f"Bearer {token}"})\n'
        "ValueError: password=abc"
    )
    expected = stack.replace('"abc"', '"[redacted]"').replace("=abc", "=[redacted]")
    assert redacted(function, **{"exception.stacktrace": stack}) == {"exception.stacktrace": expected}


def test_the_setting_takes_source_lines_out_of_stacks(start: Callable[..., Function]) -> None:
    """Of each text that has a stack, whoever wrote it: files, lines, functions and messages stay."""
    stack = (
        'Traceback (most recent call last):\n  File "/var/task/app.py", line 3, in connect\n    client = Client(1)\n'
        '             ^^^^^^^^^\n  File "/var/task/b.py", line 9, in login\n    post(2)\nValueError: no\n    such thing'
    )
    expected = (
        'Traceback (most recent call last):\n  File "/var/task/app.py", line 3, in connect\n'
        '  File "/var/task/b.py", line 9, in login\nValueError: no\n    such thing'
    )
    function = start(LAMBDA_LATENCY_SOURCE_LINES="false")
    texts = {"exception.stacktrace": stack, "app.log": json.dumps({"stack": stack})}
    assert redacted(function, **texts) == {"exception.stacktrace": expected, "app.log": json.dumps({"stack": expected})}
    with pytest.raises(ZeroDivisionError):
        function.invoke(lambda *_: 1 / 0)
    *_, root = function.spans
    (event,) = root.events
    stack = str((event.attributes or {})["exception.stacktrace"])
    assert ('test_redacted_spans.py", line' in stack, "1 / 0" in stack, "division by zero" in stack) == (
        True,
        False,
        True,
    )


def test_the_resource_is_redacted(start: Callable[..., Function], monkeypatch: pytest.MonkeyPatch) -> None:
    """What a deployment writes into OpenTelemetry's variable."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=a,db_password=abc")
    function = start()
    function.invoke(lambda *_: None)
    resource = function.trace.one("orders-create").resource
    assert (resource["team"], resource["db_password"]) == ("a", "[redacted]")


def test_the_setting_adds_patterns(start: Callable[..., Function]) -> None:
    """Of names with a star, of values between slashes; what is no pattern is said and left out."""
    variables = {"LAMBDA_LATENCY_REDACTED": r"app.*_name, /(/, /C-\d{2,4}/, Tenant"}
    attributes = redacted(start(**variables), **{"app.last_name": "a", "b": "to C-123, C-9", "tenant": "t", "c": "d"})
    assert attributes == {"app.last_name": "[redacted]", "b": "to [redacted], C-9", "tenant": "[redacted]", "c": "d"}
    assert Settings.read(variables).warnings == (
        "LAMBDA_LATENCY_REDACTED: '/(/' is no regular expression that matches anything; left out",
    )


def test_a_secret_that_comes_into_the_environment_later_is_found(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function reads it from where it is kept, into a variable."""
    assert redacted(function, note="say swordfish-7") == {"note": "say swordfish-7"}
    function.memory.clear()
    monkeypatch.setenv("DB_PASSWORD", "swordfish-7")
    assert redacted(function, note="say swordfish-7") == {"note": "say [redacted]"}


@pytest.mark.parametrize(("variables", "length"), [({}, 4096), ({"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "10"}, 10)])
def test_long_texts_are_cut(start: Callable[..., Function], variables: dict[str, str], length: int) -> None:
    """To 4096 characters, or what OpenTelemetry's own variable says."""
    assert len(redacted(start(**variables), text="x" * 5_000)["text"]) == length


def test_our_own_lines_in_the_log_are_cleaned(function: Function, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """An error of a sink may quote an address."""

    def broken(_spans: object) -> None:
        raise ValueError(f"no http://h/?key={SECRET}")

    monkeypatch.setattr(function.memory, "export", broken)
    function.runtime.provider.get_tracer("tests").start_span("waits").end()
    function.runtime.after_response()
    assert caplog.messages == ["lambda-latency: delivering spans failed (ValueError: no http://h/ the request goes on"]


def test_every_name_of_a_secret_is_looked_at() -> None:
    """What is seen at once to be none has none of the words in it, in whatever spelling."""
    phrases = {spelled(phrase) for phrase in secret_names.PHRASES for spelled in (str, camel)}
    names = {*secret_names.WHOLE, *secret_names.PERHAPS_WHOLE, *phrases, "app.query", "api_key", "dbPwd", "xtoken"}
    assert {name for name in names if secrecy(name.replace(" ", "_")) == secret_names.NO} == set()


def test_a_hint_is_found_wherever_it_is() -> None:
    """In short texts, which are looked at by threes, and in long ones; each alone, within and in capitals."""
    for hint in secret_names.HINTS:
        for text in (hint, f"x{hint}", f"{hint.upper()}x", f"x.{hint}.y", f"{'x' * 50}{hint}"):
            assert secret_names.hinted(text), text
    assert [text for text in ("", "a", "pq", "http.method", "x" * 100) if secret_names.hinted(text)] == []


def camel(phrase: str) -> str:
    """`one time code` as `oneTimeCode`."""
    word, *words = phrase.split()
    return word + "".join(map(str.title, words))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("db.query.parameter.id", "a1", "[redacted]"),  # a parameter, and an id
        ("http.url", "https://h/a?b=1", "[redacted]"),  # chosen, and an address
        ("db.statement", "SELECT 1", "[redacted]"),  # chosen, and a statement
        ("password_hash", "a word", "[redacted]"),  # a secret, and an id
        ("app.nonce_id", "a1b2c3d4e5f6", "a1b2c3d4e5f6"),  # about a secret, and an id
        ("session.id", "a1b2c3d4e5f6", "a1b2c3d4e5f6"),  # of OpenTelemetry's conventions, and an id
        ("url.full", "https://h/a?b=1#c", "https://h/a"),
        ("db.query.text", "SELECT 1", "SELECT ?"),
        ("cloud.resource_id", arn := "arn:aws:lambda:eu-west-1:123456789012:function:get-token:LIVE", arn),
        ("order.id", "Zq3Xw7Rt9Yu2Ip4Lk6Jh8Gf1Ds5Ba0Tx", "Zq3Xw7Rt9Yu2Ip4Lk6Jh8Gf1Ds5Ba0Tx"),
        ("order.note", "Zq3Xw7Rt9Yu2Ip4Lk6Jh8Gf1Ds5Ba0Tx", "[redacted]"),
    ],
)
def test_the_first_kind_that_fits_an_attribute_decides(key: str, value: str, expected: str) -> None:
    """A secret comes before an address and a statement, and these before an id."""
    assert Redaction(parse_chosen("http.url, db.statement"), 100).value(key, value) == expected


def test_the_texts_of_a_delivery_are_redacted_in_bounded_time(caplog: pytest.LogCaptureFixture) -> None:
    """128 attributes of 8 kB: what there is no time for is unread and stays here, and the log says so once."""
    texts = [
        f"{number} " + " ".join([f"auth token={number}{word} x" for word in range(400)])[:8180] for number in range(128)
    ]
    texts[-1] = "password=hunter2 " + texts[-1]
    large = simple(**{f"app.{number}": text for number, text in enumerate(texts)})
    encoder = Encoder(Redaction(None, 4096))
    for _ in range(2):
        (encoded,) = encoder.encode([large], 10_000_000, 0.02)
        assert (b"hunter2" in encoded.span, b"[unread]" in encoded.span) == (False, True)
    assert len(caplog.messages) == 1


def test_a_text_is_unread_when_the_seconds_of_a_delivery_are_over() -> None:
    """Not a short one, and without a limit all is read."""
    redaction = Redaction(None, 4096)
    text = "token=hunter2 " + "x " * 500
    assert redaction.value("app.text", text) == text.replace("hunter2", "[redacted]")
    redaction.limit_time(0)
    assert redaction.value("app.text", text) == redaction.text(text) == redaction.message(text) == "[unread]"
    assert redaction.value("app.text", "token=hunter2") == "token=[redacted]"
    assert redaction.has_cut
