"""Signatures are AWS's own, by the credentials that the environment has at that moment."""

from __future__ import annotations

import json
import random
import string

import pytest

from lab.faults.signatures import signature_of, what_is_wrong
from lambda_latency.runtime.delivery.signing import container_credentials, signed
from tests.runtime.stubs import Answer, Server

PLACES = string.ascii_letters + string.digits
ODD = PLACES + "-._~!'()*+,;=:@$&%20 ü"


def some(draw: random.Random, letters: str, most: int) -> str:
    """A text of at least one character."""
    return "".join(draw.choice(letters) for _ in range(draw.randint(1, most)))


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

    given = headers_of(signed(host, path + query, content_type, body))

    names = given["Authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    assert names == "content-type;host;x-amz-date" + ";x-amz-security-token" * bool(variables["AWS_SESSION_TOKEN"])
    sent = {"Content-Type": content_type, "Host": host} | {
        name: value for name, value in given.items() if name != "Authorization"
    }
    wanted = signature_of(
        f"https://{host}{path}{query}", sent, body, variables, given["X-Amz-Date"], variables["AWS_REGION"]
    )
    assert given["Authorization"].rpartition("=")[2] == wanted
    got = sent | {"Authorization": given["Authorization"]}
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
        asked = [(one.path, one.headers["authorization"]) for one in server.requests]
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/other")
        with pytest.raises(PermissionError, match="Lambda's endpoint of credentials gave none: JSONDecodeError"):
            container_credentials()
    assert [one["Authorization"].split("/")[0].partition("=")[2] for one in lines] == ["KEY1", "KEY2", "KEY2"]
    assert {one["X-Amz-Security-Token"] for one in lines} == {"t"}
    assert asked == [("/2021-04-23/credentials", "permit")] * 2
