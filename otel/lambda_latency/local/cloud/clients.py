"""boto3's clients of an emulator, independent of the user's AWS settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def clients(url: str) -> Callable[[str], Any]:
    """Return a function that returns the client of a service, by the service's name."""
    import boto3
    from botocore.config import Config

    session = boto3.Session("local", "local", region_name="us-east-1")
    config = Config(
        retries={"max_attempts": 1},
        s3={"addressing_style": "path"},
        read_timeout=300,
        proxies={},
        inject_host_prefix=False,
    )
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=url, config=config)  # type: ignore[call-overload]
        return made[service]

    return client
