"""The module that Lambda gives to functions with inline code, with which custom resources answer CloudFormation.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
"""

from __future__ import annotations

import contextlib
import json
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

SUCCESS, FAILED = "SUCCESS", "FAILED"
LIMIT_S = 60


def send(
    event: dict[str, Any],
    context: Any,
    responseStatus: str,  # noqa: N803 - the names that callers use
    responseData: dict[str, Any],  # noqa: N803
    physicalResourceId: str | None = None,  # noqa: N803
    noEcho: bool = False,  # noqa: N803
    reason: str | None = None,
) -> None:
    """Send the result of a custom resource. Raises `OSError` if CloudFormation cannot be reached."""
    body = {
        "Status": responseStatus,
        "Reason": reason or f"See the log stream {context.log_stream_name}",
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }
    url = urlsplit(event["ResponseURL"])
    connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = connect(url.netloc, timeout=LIMIT_S)
    with contextlib.closing(connection):
        connection.request("PUT", f"{url.path}?{url.query}" if url.query else url.path, json.dumps(body))
        connection.getresponse().read()
