"""Credentials of a SnapStart environment: they come from a local endpoint, not from environment variables.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html
"""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

__all__ = ["container_credentials"]

WITHIN_S = 0.5  # the endpoint is on the same machine
EARLY_S = 300  # credentials are renewed this long before they expire

_kept: dict[str, tuple[tuple[str, str, str], float]] = {}


def container_credentials() -> tuple[str, str, str]:
    """Access key, secret key and session token, renewed before they expire. Raises `OSError` if there are none."""
    url = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    found, until = _kept.get(url, (("", "", ""), 0.0))
    if time.time() >= until - EARLY_S:
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=WITHIN_S)
        try:
            token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
            connection.request("GET", parts.path, headers={"Authorization": token})
            given = json.loads(connection.getresponse().read())
            found = given["AccessKeyId"], given["SecretAccessKey"], given["Token"]
            until = datetime.fromisoformat(given["Expiration"].replace("Z", "+00:00")).timestamp()
        except (OSError, HTTPException, ValueError, LookupError) as error:
            raise PermissionError(f"Lambda's endpoint of credentials gave none: {type(error).__name__}") from error
        finally:
            connection.close()
        _kept[url] = found, until
    return found
