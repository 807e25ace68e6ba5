"""Records of delivered messages, as objects in a bucket: each change is delivered once, a repeat as a short message.

EventBridge and Lambda deliver a change at least once, possibly concurrently. A conditional write of an object selects
the environment that handles it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections.abc import Callable
from typing import Any

PREFIX = "alarms/"
LEASE_S = 120  # longer than the function's timeout
TRIES = 8
# S3's error codes for a failed condition and for a concurrent write.
LOST = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
ABSENT = ("NoSuchKey", "404", "NotFound")


class BusyError(Exception):
    """Another environment handles this change, or too many change a record concurrently."""


class Records:
    """The records of a bucket; `s3` is boto3's client."""

    def __init__(self, s3: Any, bucket: str, now_s: Callable[[], float] = time.time) -> None:
        self._s3, self._bucket, self._now_s = s3, bucket, now_s

    def claim(self, identity: str) -> frozenset[str] | None:
        """Claims a change; returns the names of the sinks that already received it, or None if all have.

        Raises `BusyError` if another environment has the claim. The caller then calls `save` or `release`; a claim
        expires after `LEASE_S`.
        """
        key, fresh = _change(identity), self._claimed(identity, frozenset(), done=False)
        if self._put(key, fresh, IfNoneMatch="*"):
            return frozenset()
        record, tag = self._get(key)
        if record is None:
            raise BusyError(f"the record of {identity} was removed concurrently")
        if record.get("done"):
            return None
        if self._now_s() - float(record.get("claimed", 0)) < LEASE_S:
            raise BusyError(f"{identity} is handled by another environment")
        served = frozenset(map(str, record.get("heard", ())))
        if not self._put(key, self._claimed(identity, served, done=False), IfMatch=tag):
            raise BusyError(f"{identity} was claimed by another environment")
        return served

    def save(self, identity: str, served: frozenset[str], *, done: bool) -> None:
        """Records the sinks that received a change; `done`: all have."""
        self._put(_change(identity), self._claimed(identity, served, done=done))

    def release(self, identity: str, served: frozenset[str]) -> None:
        """Releases a claim, so that the next attempt need not wait until it expires."""
        self._put(_change(identity), {**self._claimed(identity, served, done=False), "claimed": 0})

    def read(self, name: str) -> dict[str, Any]:
        """Return the record of a name; empty if there is none."""
        return self._get(f"{PREFIX}{_name(name)}.json")[0] or {}

    def change(self, name: str, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Edits a record, with retries after concurrent edits. Returns the old record. Raises `BusyError`."""
        key = f"{PREFIX}{_name(name)}.json"
        for attempt in range(TRIES):
            record, tag = self._get(key)
            condition = {"IfMatch": tag} if record is not None else {"IfNoneMatch": "*"}
            if self._put(key, edit(dict(record or {})), **condition):
                return record or {}
            time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - against a second collision
        raise BusyError(f"too many environments change the record of {name} at once")

    def _claimed(self, identity: str, served: frozenset[str], *, done: bool) -> dict[str, Any]:
        return {"change": identity, "claimed": self._now_s(), "heard": sorted(served), "done": done}

    def _put(self, key: str, record: dict[str, Any], **condition: str) -> bool:
        body = json.dumps(record).encode()
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json", **condition)
        except Exception as error:
            if _code(error) in LOST:
                return False
            raise
        return True

    def _get(self, key: str) -> tuple[dict[str, Any] | None, str]:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except Exception as error:
            if _code(error) in ABSENT:
                return None, ""
            raise
        try:
            record = json.loads(answer["Body"].read())
        except ValueError:
            record = {}
        return (record if isinstance(record, dict) else {}), answer["ETag"]


def _change(identity: str) -> str:
    return f"{PREFIX}changes/{_name(identity)}.json"


def _code(error: Exception) -> str:
    """Return the error code of boto3's error; empty for any other."""
    answer = getattr(error, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


def key_part(text: str) -> str:
    """Return the text with only letters, digits, `-` and `_`; other characters become `-`."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)


def _name(text: str) -> str:
    """Return a readable and unique name for a key."""
    return f"{key_part(text)[-80:]}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
