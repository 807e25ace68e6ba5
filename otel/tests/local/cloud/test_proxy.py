"""The proxy for AWS: what of a call reaches the emulator."""

import http.client
from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from lambda_latency.http import Handler, Server, request
from lambda_latency.local.cloud.clients import clients
from lambda_latency.local.cloud.proxy import AwsProxy

SIGNED = "AWS4-HMAC-SHA256 Credential=me/20260101/{}/sqs/aws4_request, SignedHeaders=host, Signature=0"


class Signatures(Handler):
    """An emulator that answers with the signature that it received."""

    def do_POST(self) -> None:
        self.body()
        self.answer(200, "|".join(self.headers.get_all("Authorization", ())).encode())


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_call_reaches_the_region_of_the_resources(name: str) -> None:
    """Whatever region the code has, and in whatever case its library writes the header."""
    with (
        closing(Server(Signatures)) as emulator,
        closing(AwsProxy(f"http://{emulator.address}", lambda *_: None, lambda _: None)) as proxy,
    ):
        answer = request("POST", proxy.url, b"{}", {name: SIGNED.format("eu-west-1")})
    assert answer.body.decode() == SIGNED.format("us-east-1")


class Bucket(Handler):
    """An emulator with one object of 11 bytes."""

    def do_HEAD(self) -> None:
        self.answer(200, b"", {"Content-Length": "11", "ETag": '"x"'})

    def do_GET(self) -> None:
        self.answer(200, b"hello world", {"ETag": '"x"'})


def answer_of(url: str, method: str) -> tuple[str | None, str | None, bytes]:
    """Length, tag and body of an answer."""
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as connection:
        connection.request(method, "/bucket/key")
        response = connection.getresponse()
        return response.headers["Content-Length"], response.headers["ETag"], response.read()


class Lacking(Handler):
    """An emulator without the service."""

    def do_POST(self) -> None:
        self.body()
        self.answer(400, b'{"error": "Unsupported service: polly"}')


@pytest.mark.parametrize(
    ("service", "operation", "named"),
    [("polly", "put_lexicon", {"Name": "a", "Content": "b"}), ("elasticbeanstalk", "describe_applications", {})],
)
def test_a_service_that_is_not_emulated_is_refused_at_once(service: str, operation: str, named: dict[str, str]) -> None:
    """With an error of this machine, in JSON and in XML, that no SDK repeats; the user is told once."""
    messages: list[str] = []
    with (
        closing(Server(type("Post", (Lacking,), {"do_PUT": Lacking.do_POST}))) as emulator,
        closing(AwsProxy(f"http://{emulator.address}", lambda *_: None, messages.append)) as front,
    ):
        client = clients(front.url)(service)
        for _ in range(2):
            with pytest.raises(ClientError) as raised:
                getattr(client, operation)(**named)
    error = raised.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["RetryAttempts"]) == ("NotEmulatedHere", 0)
    assert error["Error"]["Message"].endswith(f" of {service} is not emulated on this machine")
    assert len(messages) == 1


def test_a_head_request_tells_the_size_of_an_object() -> None:
    """As HeadObject does; a function that reads `ContentLength` gets it."""
    with (
        closing(Server(Bucket)) as emulator,
        closing(AwsProxy(f"http://{emulator.address}", lambda *_: None, lambda _: None)) as front,
    ):
        assert answer_of(front.url, "HEAD") == ("11", '"x"', b"")
        assert answer_of(front.url, "GET") == ("11", '"x"', b"hello world")
