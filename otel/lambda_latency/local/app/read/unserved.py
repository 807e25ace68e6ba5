"""Parts of a template that do nothing locally, and that no other line names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

# Targets to which the emulator delivers pipes, from a table's stream only.
FUNCTION = "AWS::Lambda::Function"
TARGETS = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")


def unserved(plain: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """A line for each WebSocket API, pipe and file system of a translated template; `prefix` begins the keys."""
    resources = plain["Resources"]
    for key in sorted(web_sockets(resources)):
        yield f"{prefix}{key} is a WebSocket API, which is not served here; lambda-latency invoke calls its functions"
    for key, one in resources.items():
        if one.get("Type") == "AWS::Pipes::Pipe" and not _is_delivered(one.get("Properties") or {}, resources):
            yield f"{prefix}{key} is a pipe, which delivers nothing here; lambda-latency invoke calls its functions"
        mounts = (one.get("Properties") or {}).get("FileSystemConfigs") if one.get("Type") == FUNCTION else None
        for mount in mounts if isinstance(mounts, list) else ():
            where = mount.get("LocalMountPath") if isinstance(mount, dict) else None
            yield f"{prefix}{key}: its file system is not mounted here; {where} is a folder of this machine"


def web_sockets(resources: Mapping[str, Any]) -> set[str]:
    """The logical ids of WebSocket APIs, which the gateway does not serve and samcli does not read."""
    return {
        key
        for key, one in resources.items()
        if one.get("Type") == "AWS::ApiGatewayV2::Api"
        and (one.get("Properties") or {}).get("ProtocolType") == "WEBSOCKET"
    }


def _is_delivered(pipe: Mapping[str, Any], resources: Mapping[str, Any]) -> bool:
    target = json.dumps(pipe.get("Target"), default=str)
    reached = (one.get("Type") for key, one in resources.items() if f'"{key}"' in target)
    return "StreamArn" in json.dumps(pipe.get("Source"), default=str) and any(kind in TARGETS for kind in reached)
