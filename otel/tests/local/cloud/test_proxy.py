"""The proxy for AWS: what of a call reaches the emulator."""

from contextlib import closing

import pytest

from lambda_latency.http import Handler, Server, request
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
