"""The proxy before the emulator of AWS: what a function sends and gets goes through it as it is."""

from __future__ import annotations

import http.client
from contextlib import closing

from lambda_latency.http import Handler, Server
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


def test_a_head_request_tells_the_size_of_an_object() -> None:
    """As HeadObject does; a function that reads `ContentLength` gets it."""
    with (
        closing(Server(Bucket)) as emulator,
        closing(Front(f"http://{emulator.address}", lambda *_: None, lambda _: None)) as front,
    ):
        assert asked(front.url, "HEAD") == ("11", '"x"', b"")
        assert asked(front.url, "GET") == ("11", '"x"', b"hello world")
