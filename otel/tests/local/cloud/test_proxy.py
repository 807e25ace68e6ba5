"""The proxy before the emulator of AWS: what a function sends and gets goes through it as it is."""

from __future__ import annotations

import http.client
from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from lambda_latency.http import Handler, Server
from lambda_latency.local.cloud.emulator import clients
from lambda_latency.local.cloud.proxy import Front


class Bucket(Handler):
    """An emulator with one object of 11 bytes."""

    def do_HEAD(self) -> None:
        self.answer(200, b"", {"Content-Length": "11", "ETag": '"x"'})

    def do_GET(self) -> None:
        self.answer(200, b"hello world", {"ETag": '"x"'})


def asked(url: str, method: str) -> tuple[str | None, str | None, bytes]:
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
    ("service", "operation", "given"),
    [("polly", "put_lexicon", {"Name": "a", "Content": "b"}), ("elasticbeanstalk", "describe_applications", {})],
)
def test_a_service_that_is_not_emulated_is_refused_at_once(service: str, operation: str, given: dict[str, str]) -> None:
    """With an error of this machine, in JSON and in XML, that no SDK repeats; the user is told once."""
    told: list[str] = []
    with (
        closing(Server(type("Post", (Lacking,), {"do_PUT": Lacking.do_POST}))) as emulator,
        closing(Front(f"http://{emulator.address}", lambda *_: None, told.append)) as front,
    ):
        client = clients(front.url)(service)
        for _ in range(2):
            with pytest.raises(ClientError) as raised:
                getattr(client, operation)(**given)
    error = raised.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["RetryAttempts"]) == ("NotEmulatedHere", 0)
    assert error["Error"]["Message"].endswith(f" of {service} is not emulated on this machine")
    assert len(told) == 1


def test_a_head_request_tells_the_size_of_an_object() -> None:
    """As HeadObject does; a function that reads `ContentLength` gets it."""
    with (
        closing(Server(Bucket)) as emulator,
        closing(Front(f"http://{emulator.address}", lambda *_: None, lambda _: None)) as front,
    ):
        assert asked(front.url, "HEAD") == ("11", '"x"', b"")
        assert asked(front.url, "GET") == ("11", '"x"', b"hello world")
