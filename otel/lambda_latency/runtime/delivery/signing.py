"""Signature Version 4 for X-Ray by the standard library: the import of botocore would cost a cold start far more.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
WITHIN_S = 0.5  # the endpoint of credentials is on the same machine
EARLY_S = 300  # credentials are renewed this long before they expire

_cached: dict[str, tuple[tuple[str, str, str], float]] = {}


def signed(host: str, target: str, content_type: str, body: bytes) -> bytes:
    """Return the header lines that sign a POST to `target` (path, query) now. Raises `OSError` without credentials."""
    key, secret, token = credentials()
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{stamp[:8]}/{region}/xray/aws4_request"
    headers = {"content-type": content_type, "host": host, "x-amz-date": stamp}
    if token:
        headers["x-amz-security-token"] = token
    names = ";".join(headers)
    path, _, query = target.partition("?")
    lines = [
        "POST",
        quote(path, safe="/~"),
        "&".join(sorted(part if "=" in part else f"{part}=" for part in query.split("&"))) if query else "",
        *(f"{name}:{value}" for name, value in headers.items()),
        "",
        names,
        hashlib.sha256(body).hexdigest(),
    ]
    text = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    derived = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        derived = hmac.digest(derived, part.encode(), "sha256")
    added = f"X-Amz-Date: {stamp}\r\n" + (f"X-Amz-Security-Token: {token}\r\n" if token else "")
    authorization = f"{ALGORITHM} Credential={key}/{scope}, SignedHeaders={names}, Signature={derived.hex()}"
    return f"{added}Authorization: {authorization}\r\n".encode("ascii")


def credentials() -> tuple[str, str, str]:
    """Access key, secret key and session token: from the environment, or after SnapStart from Lambda's endpoint."""
    keys = tuple(os.environ.get(f"AWS_{name}", "") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
    if keys[0] and keys[1]:
        return keys[0], keys[1], keys[2]
    if os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return container_credentials()
    raise PermissionError(
        "the environment has no AWS credentials; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are Lambda's own variables"
    )


def container_credentials() -> tuple[str, str, str]:
    """Return those of SnapStart, from a local endpoint, renewed before they expire. Raises `OSError` if it has none.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html
    """
    url = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    keys, until = _cached.get(url, (("", "", ""), 0.0))
    if time.time() >= until - EARLY_S:
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=WITHIN_S)
        try:
            token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
            connection.request("GET", parts.path, headers={"Authorization": token})
            answer = json.loads(connection.getresponse().read())
            keys = answer["AccessKeyId"], answer["SecretAccessKey"], answer["Token"]
            until = datetime.fromisoformat(answer["Expiration"].replace("Z", "+00:00")).timestamp()
        except (OSError, HTTPException, ValueError, LookupError) as error:
            raise PermissionError(f"Lambda's endpoint of credentials gave none: {type(error).__name__}") from error
        finally:
            connection.close()
        _cached[url] = keys, until
    return keys
