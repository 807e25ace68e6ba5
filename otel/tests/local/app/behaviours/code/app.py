"""Handlers whose answer depends on the last part of the path; by default it is their event."""

import base64
import json
from typing import Any

PICTURE = b"\x89PNG\x00\xff"


def answer(event: Any, context: Any) -> Any:
    """Answer with the event, or as the path says."""
    kind = (event.get("rawPath") or event.get("path") or "").rpartition("/")[2]
    if kind == "boom":
        raise ValueError("boom")
    if kind == "text":
        return "no object"
    if kind == "fast":
        return {"statusCode": 200, "body": "ok"}
    if kind == "many":
        cookies = ["a=1", "b=2"]
        return {"statusCode": 201, "multiValueHeaders": {"Set-Cookie": cookies}, "cookies": cookies, "body": "ok"}
    if kind == "binary":
        encoded = base64.b64encode(PICTURE).decode()
        return {"statusCode": 200, "headers": {"content-type": "image/png"}, "body": encoded, "isBase64Encoded": True}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}


def guard(event: Any, context: Any) -> Any:
    """Allow who says yes. Tell the event of the authorizer in the context."""
    print("EVENT", json.dumps(event), flush=True)
    if "routeArn" in event:
        return {"isAuthorized": event["headers"].get("authorization") == "yes", "context": {"who": "me", "n": 3}}
    word = event.get("authorizationToken") or event["headers"].get("X-Who")
    if word == "unknown":
        raise ValueError("Unauthorized")
    if word == "broken":
        raise ValueError("no such table")
    effect = "Allow" if word == "yes" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "me", "policyDocument": policy, "context": {"who": "me", "n": 3}}
