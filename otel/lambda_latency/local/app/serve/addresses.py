"""Replaces the AWS addresses of the app's APIs (execute-api) with those of the local gateways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lambda_latency.http import request
from lambda_latency.local.app.read.apis import Api

TYPES = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
EXECUTE_API = re.compile(r"https?://(\w+)\.execute-api\.[\w.-]+(?::\d+)?(?:/([\w$-]+)(?=/|$))?")


@dataclass(frozen=True, slots=True)
class Served:
    """The local address of an API; on AWS, its paths begin with `stage`."""

    url: str
    stage: str


def served_apis(
    listening: Iterable[tuple[str, Api, str]], resources: Mapping[str, tuple[str, str]]
) -> dict[str, Served]:
    """The APIs of the stack by physical id. `listening` has the key prefix, the API and the address of each gateway."""
    found = {}
    for prefix, api, url in listening:
        for key, (physical, kind) in resources.items():
            folder, _, name = key.rpartition("/")
            if kind in TYPES and folder == prefix.rstrip("/") and api.owns(name):
                found[physical] = Served(url, api.template.stage)
    return found


def localized(value: str, served: Mapping[str, Served]) -> str:
    """A text with the addresses of the local gateways in place of those of execute-api."""

    def ours(match: re.Match[str]) -> str:
        api = served.get(match[1])
        if api is None:
            return match[0]
        return api.url + (f"/{match[2]}" if match[2] not in (None, api.stage) else "")

    return EXECUTE_API.sub(ours, value)


def tell_emulator(url: str, served: Mapping[str, Served]) -> None:
    """Send the addresses of the APIs to the emulator, for `apigateway:invoke`."""
    body = json.dumps({name: urlsplit(one.url).netloc for name, one in served.items()})
    request("POST", f"{url}/_lambda-latency/apis", body)
