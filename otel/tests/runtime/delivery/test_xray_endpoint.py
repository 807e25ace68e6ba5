"""Export=otlp: spans to X-Ray's own endpoint, signed; whatever it answers is one line with the remedy."""

import json
import random
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from lab.faults.signatures import signature_of, what_is_wrong
from lambda_latency.runtime.delivery.sender import Sender
from lambda_latency.runtime.delivery.signing import container_credentials, signed
from lambda_latency.runtime.settings import Settings
from tests.runtime.conftest import Function
from tests.runtime.delivery.test_answers import partial
from tests.runtime.delivery.test_sender import count
from tests.runtime.stubs import Answer, Server, certificate

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def spans(function: Function, monkeypatch: pytest.MonkeyPatch) -> Sequence[ReadableSpan]:
    """Something to send, in Lambda's environment."""
    for name, value in {**CREDENTIALS, "AWS_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    function.invoke(lambda _event, _context: None)
    function.invoke(lambda _event, _context: None)
    return function.spans


@contextmanager
def sending_to(url: str) -> Iterator[Sender]:
    """A sender that lets go of its connection at the end."""
    sender = Sender(settings_for(url))
    yield sender
    sender.disconnect()


def settings_for(url: str) -> Settings:
    return Settings.read({"LAMBDA_LATENCY_EXPORT": "otlp", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{url}/v1/traces"})


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("eu-west-1", "https://xray.eu-west-1.amazonaws.com/v1/traces"),
        ("us-gov-west-1", "https://xray.us-gov-west-1.amazonaws.com/v1/traces"),
        ("cn-north-1", "https://xray.cn-north-1.amazonaws.com.cn/v1/traces"),
    ],
)
def test_spans_go_to_the_functions_own_region(region: str, endpoint: str) -> None:
    """Without a further variable; a collector's address does not matter."""
    variables = {"LAMBDA_LATENCY_EXPORT": "otlp", "AWS_REGION": region, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}
    assert Settings.read(variables).endpoint == endpoint


def test_requests_are_signed_and_share_one_connection(
    spans: Sequence[ReadableSpan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Over TLS, with one handshake and one look at the certificates of authorities."""
    (tmp_path / "localhost.pem").write_bytes(certificate("localhost"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
    with Server(certificate=str(tmp_path / "localhost.pem"), otherwise=Answer(200, b"", PROTOBUF)) as server:
        with sending_to(f"https://localhost:{server.port}") as sender:
            assert [sender.export(spans) for _ in range(3)] == [True, True, True]
        got = server.requests
        assert (len(got), server.connections) == (3, 1)
    for request in got:
        assert what_is_wrong(request.path, request.headers, request.body, CREDENTIALS, "eu-west-1") == ""
        assert count(request.body) == 2
    assert caplog.messages == []


def refused(status: int, name: str, message: str) -> Answer:
    """As AWS's services answer: the error's name in a header, or in the body."""
    return Answer(status, json.dumps({"message": message}).encode(), {**JSON, "x-amzn-ErrorType": f"{name}:http://"})


DESTINATION = "The OTLP API is supported with CloudWatch Logs as a Trace Segment Destination."
FAILURES = {
    "no right": (
        refused(403, "AccessDeniedException", "User is not authorized to perform: xray:PutSpans"),
        (
            "it answered 403, AccessDeniedException User is not authorized to perform: xray:PutSpans; "
            "the function's role lacks the right: allow xray:PutSpans and xray:PutSpansForIndexing"
        ),
    ),
    "expired token": (
        Answer(403, b'{"__type": "com.amazon#ExpiredTokenException", "Message": "The token has expired"}'),
        (
            "it answered 403, ExpiredTokenException The token has expired; "
            "the credentials have expired: Lambda renews its own, so a function that sets AWS_SESSION_TOKEN has to"
        ),
    ),
    "wrong region": (
        refused(403, "InvalidSignatureException", "Credential should be scoped to a valid region."),
        (
            "it answered 403, InvalidSignatureException Credential should be scoped to a valid region.; "
            "it is in another region than AWS_REGION: leave out OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
        ),
    ),
    "other credentials": (
        refused(403, "UnrecognizedClientException", "The security token is invalid."),
        (
            "it answered 403, UnrecognizedClientException The security token is invalid.; "
            "the key is not one of this account: find out what sets AWS_ACCESS_KEY_ID in the function"
        ),
    ),
    "Transaction Search off": (
        refused(400, "InvalidRequestException", DESTINATION),
        (
            f"it answered 400, InvalidRequestException {DESTINATION}; "
            "Transaction Search is off: switch it on, or set LAMBDA_LATENCY_EXPORT to collector or daemon"
        ),
    ),
    "as OTLP's status": (
        Answer(400, b"\x08\x09\x12" + bytes([len(DESTINATION)]) + DESTINATION.encode(), PROTOBUF),
        (
            f"it answered 400, {DESTINATION}; "
            "Transaction Search is off: switch it on, or set LAMBDA_LATENCY_EXPORT to collector or daemon"
        ),
    ),
    "no words": (Answer(403, b""), "it answered 403"),
    "throttled": (Answer(429, b"slow down"), "it answered 429"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails_is_one_line_with_the_remedy_and_opens_the_circuit(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Nothing is dropped: the spans wait."""
    answer, why = FAILURES[name]
    with Server(otherwise=answer) as server, sending_to(server.url) as sender:
        assert [sender.export(spans) for _ in range(3)] == [False, False, False]
        assert len(server.requests) == 1
        where = f"{server.url}/v1/traces"
    assert caplog.messages == [
        f"lambda-latency: no spans are delivered to {where} ({why}); they wait until it takes them"
    ]


def test_what_is_malformed_is_dropped(spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture) -> None:
    """It would be so a second time."""
    answer = refused(400, "InvalidRequestException", "Malformed")
    with Server(otherwise=answer) as server, sending_to(server.url) as sender:
        assert sender.export(spans)
        where = f"{server.url}/v1/traces"
    assert caplog.messages == [
        (
            f"lambda-latency: {where} refuses spans (2 of 2: it answered 400, InvalidRequestException Malformed); "
            "they are dropped"
        )
    ]


def test_an_environment_without_credentials_says_so_and_asks_nobody(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and the spans wait."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with Server() as server, sending_to(server.url) as sender:
        assert not sender.export(spans)
        assert server.requests == []
    assert caplog.messages == [
        (
            f"lambda-latency: no spans are delivered to {server.url}/v1/traces (the environment has no AWS "
            "credentials; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are Lambda's own variables); "
            "they wait until it takes them"
        )
    ]


def test_a_region_without_xray_is_named(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name has no address."""
    monkeypatch.setenv("AWS_REGION", "xx-moon-1")

    def no_address(*_: object, **__: object) -> None:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr("lambda_latency.runtime.delivery.transport.getaddrinfo", no_address)
    with sending_to("https://xray.xx-moon-1.amazonaws.com") as sender:
        assert not sender.export(spans)
    assert caplog.messages == [
        (
            "lambda-latency: no spans are delivered to https://xray.xx-moon-1.amazonaws.com:443/v1/traces "
            "(OSError: [Errno -2] Name or service not known; X-Ray has to be in the region 'xx-moon-1', and in reach "
            "of the function's subnet if it has one); they wait until it takes them"
        )
    ]


def test_the_last_words_before_a_timeout_are_signed_too(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    """And what is left out of them is told."""
    with Server(Answer(200, b"", PROTOBUF), Answer(200, partial(2, "too old"), PROTOBUF)) as server:
        sender = Sender(settings_for(server.url))
        assert [sender.urgent(spans)(5) for _ in range(2)] == ["", ""]
        for request in server.requests:
            assert what_is_wrong(request.path, request.headers, request.body, CREDENTIALS, "eu-west-1") == ""
        where = f"{server.url}/v1/traces"
    assert caplog.messages == [f"lambda-latency: {where} refuses spans (2 of 2: too old); they are dropped"]


PLACES = string.ascii_letters + string.digits
ODD = PLACES + "-._~!'()*+,;=:@$&%20 ü"


def some(draw: random.Random, letters: str, limit: int) -> str:
    """A text of at least one character."""
    return "".join(draw.choice(letters) for _ in range(draw.randint(1, limit)))


def headers_of(lines: bytes) -> dict[str, str]:
    """As a server reads them."""
    return dict(line.split(": ", 1) for line in lines.decode("ascii").split("\r\n") if line)


@pytest.mark.parametrize("seed", range(100))
def test_a_signature_is_botocores(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random hosts, paths, bodies, regions and credentials, with a session token or without."""
    draw = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    variables = {
        "AWS_ACCESS_KEY_ID": some(draw, string.ascii_uppercase, 20),
        "AWS_SECRET_ACCESS_KEY": some(draw, PLACES + "/+=", 40),
        "AWS_SESSION_TOKEN": draw.choice(["", some(draw, PLACES + "/+=", 400)]),
        "AWS_REGION": draw.choice(["eu-west-1", "us-gov-west-1", "cn-north-1"]),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    host = f"{some(draw, string.ascii_lowercase, 20)}.example.com" + draw.choice(["", ":4318"])
    path = "/" + "/".join(some(draw, ODD, 12).strip("/. ") or "x" for _ in range(draw.randint(1, 3)))
    query = draw.choice(["", "?b=2&a=1", "?a=1&a=0", "?key"])
    body = draw.randbytes(draw.choice([0, 1, 10_000]))
    content_type = draw.choice(["application/x-protobuf", "application/json"])

    headers = headers_of(signed(host, path + query, content_type, body))

    names = headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    assert names == "content-type;host;x-amz-date" + ";x-amz-security-token" * bool(variables["AWS_SESSION_TOKEN"])
    sent = {"Content-Type": content_type, "Host": host} | {
        name: value for name, value in headers.items() if name != "Authorization"
    }
    expected = signature_of(
        f"https://{host}{path}{query}", sent, body, variables, headers["X-Amz-Date"], variables["AWS_REGION"]
    )
    assert headers["Authorization"].rpartition("=")[2] == expected
    got = sent | {"Authorization": headers["Authorization"]}
    assert what_is_wrong(path + query, got, body, variables, variables["AWS_REGION"]) == ""
    assert what_is_wrong(path + query, got, body + b"x", variables, variables["AWS_REGION"]) != ""


def test_credentials_are_read_afresh_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda does not change them, and a function may."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    keys = []
    for key in ("FIRST", "SECOND"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        keys.append(headers_of(signed("h", "/", "text/plain", b""))["Authorization"].partition("/")[0])
    assert keys == ["AWS4-HMAC-SHA256 Credential=FIRST", "AWS4-HMAC-SHA256 Credential=SECOND"]


def test_without_credentials_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An OSError, as of a network that fails."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", raising=False)
    with pytest.raises(PermissionError, match="the environment has no AWS credentials"):
        signed("h", "/", "text/plain", b"")


def test_after_a_snapshot_lambdas_endpoint_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, until shortly before they expire; then again."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "permit")

    def given(key: str, expiration: str) -> Answer:
        body = {"AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": expiration}
        return Answer(200, json.dumps(body).encode())

    late, early = given("KEY1", "2024-11-25T00:00:00Z"), given("KEY2", "2999-01-01T00:00:00Z")
    with Server(late, early, Answer(500, b"no")) as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/2021-04-23/credentials")
        lines = [headers_of(signed("h", "/", "text/plain", b"")) for _ in range(3)]
        requests = [(request.path, request.headers["authorization"]) for request in server.requests]
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/other")
        with pytest.raises(PermissionError, match="Lambda's endpoint of credentials gave none: JSONDecodeError"):
            container_credentials()
    assert [headers["Authorization"].split("/")[0].partition("=")[2] for headers in lines] == ["KEY1", "KEY2", "KEY2"]
    assert {headers["X-Amz-Security-Token"] for headers in lines} == {"t"}
    assert requests == [("/2021-04-23/credentials", "permit")] * 2
