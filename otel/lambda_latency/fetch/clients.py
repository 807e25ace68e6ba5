"""boto3's clients with account, region and retries. boto3 is imported on first use."""

from __future__ import annotations

import importlib.util
import os
import re
import socket
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from lambda_latency.fetch.errors import FetchError
from lambda_latency.fetch.selection import Place
from lambda_latency.installing import install_command

THREADS = 16  # concurrent calls
TRIES = 10
CONNECT_S = 5
ANSWERED = frozenset(range(200, 400))
REFUSED_ON_THE_WAY = {403, 407, 511}  # by a proxy, or by a network that asks to sign in
# AWS answers with JSON, with XML, or with CBOR, whose first byte is no letter.
PAGE = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<(!doctype\s+)?html|[a-z])", re.IGNORECASE)
HERE = ("127.0.0.1", "localhost", "::1")  # an emulator needs no credentials


class Clients:
    """Makes boto3's clients for one account and region. Raises FetchError without boto3, else boto3's errors.

    `adaptive` is a mode of boto3: it retries throttles, timeouts and 5xx with growing pauses, and limits the rate of
    calls to what X-Ray has accepted.
    """

    def __init__(self, place: Place) -> None:
        if importlib.util.find_spec("boto3") is None:
            raise FetchError("boto3 is not installed, and fetching traces needs it", install_command("fetch"))
        import boto3
        from botocore.config import Config
        from botocore.exceptions import NoCredentialsError, NoRegionError

        self._endpoint_url = place.endpoint_url
        self._config = Config(
            retries={"mode": "adaptive", "total_max_attempts": TRIES},
            connect_timeout=CONNECT_S,
            read_timeout=30,
            max_pool_connections=THREADS + 1,
            user_agent_extra="lambda-latency",
        )
        self._session = boto3.Session(profile_name=place.profile)
        # boto3 does not read AWS_REGION.
        region = place.region or self._session.region_name or os.environ.get("AWS_REGION")
        self.region: str = region or "us-east-1"  # of every client
        if region is None and not self._is_here():
            raise NoRegionError
        if self._session.get_credentials() is None:
            if not self._is_here():
                raise NoCredentialsError
            self._session = boto3.Session("local", "local", region_name=self.region)

    def _is_here(self) -> bool:
        return urlsplit(self.make("xray").meta.endpoint_url).hostname in HERE

    @property
    def regions(self) -> list[str]:
        """Return the regions in which boto3 knows X-Ray."""
        return [
            region
            for partition in self._session.get_available_partitions()
            for region in self._session.get_available_regions("xray", partition)
        ]

    def knock(self, client: Any) -> None:
        """Check that the endpoint answers: boto3 itself would retry for a minute. Raises OSError."""
        url = urlsplit(client.meta.endpoint_url)
        if getproxies().get(url.scheme) and not proxy_bypass(url.hostname or ""):
            return  # the proxy reaches it
        port = url.port or (443 if url.scheme == "https" else 80)
        socket.create_connection((url.hostname, port), CONNECT_S).close()

    def make(self, service: str) -> Any:
        """Make the client of a service; threads may share it."""
        make: Any = self._session.client
        client = make(service, region_name=self.region, endpoint_url=self._endpoint_url, config=self._config)
        client.meta.events.register("after-call", _require_aws)
        return client


def _require_aws(http_response: Any, model: Any, **_: object) -> None:
    """Raise FetchError for a web page in place of an answer, which boto3 may take for an empty answer.

    A web page that is an error of a server, such as an emulator, stays an error of boto3.
    """
    if model.has_streaming_output or http_response.status_code not in ANSWERED | REFUSED_ON_THE_WAY:
        return
    if PAGE.match(http_response.content):
        raise FetchError(
            f"a web page answers {model.name} in place of AWS: that of a proxy, or of a network that asks to sign in",
            "open a page in a browser and sign in, or check the proxy and AWS_ENDPOINT_URL",
        )
