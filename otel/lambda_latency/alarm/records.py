"""What was said about alarms, as objects in a bucket: each change is told once, and a repeat is told in short.

EventBridge and Lambda deliver a change at least once, two at the same time if they like. An object that is written only
if it is not there, or has not changed, decides who tells it (conditional writes of S3:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections.abc import Callable
from typing import Any

__all__ = ["BusyError", "Records", "key_part"]

PREFIX = "alarms/"
LEASE_S = 120  # longer than the function runs: who holds a change for longer has ended without a word
TRIES = 8
# What S3 answers where the condition of a write does not hold, or another write is under way.
LOST = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
ABSENT = ("NoSuchKey", "404", "NotFound")


class BusyError(Exception):
    """Another environment is telling this change right now, or the record is changed by too many at once."""


class Records:
    """The records of a bucket; `s3` is boto3's client."""

    def __init__(self, s3: Any, bucket: str, now_s: Callable[[], float] = time.time) -> None:
        self._s3, self._bucket, self._now_s = s3, bucket, now_s

    def claim(self, identity: str) -> frozenset[str] | None:
        """The change is to be told by whoever asks: to whom it has been told already; None where all have heard it.

        Raises `BusyError` where another holds it. Who got it calls `told` or `release`; a claim lapses after `LEASE_S`.
        """
        key, fresh = _change(identity), self._claimed(identity, frozenset(), done=False)
        if self._put(key, fresh, IfNoneMatch="*"):
            return frozenset()
        found, tag = self._get(key)
        if found is None:
            raise BusyError(f"the record of {identity} comes and goes")
        if found.get("done"):
            return None
        if self._now_s() - float(found.get("claimed", 0)) < LEASE_S:
            raise BusyError(f"{identity} is being told by another environment")
        heard = frozenset(map(str, found.get("heard", ())))
        if not self._put(key, self._claimed(identity, heard, done=False), IfMatch=tag):
            raise BusyError(f"{identity} was taken over by another environment")
        return heard

    def told(self, identity: str, heard: frozenset[str], *, done: bool) -> None:
        """Note who has heard of a change; `done`: all have."""
        self._put(_change(identity), self._claimed(identity, heard, done=done))

    def release(self, identity: str, heard: frozenset[str]) -> None:
        """Give a claim back, so that the next try need not wait for it to lapse."""
        self._put(_change(identity), {**self._claimed(identity, heard, done=False), "claimed": 0})

    def read(self, name: str) -> dict[str, Any]:
        """A record by its name; empty where there is none."""
        return self._get(f"{PREFIX}{_name(name)}.json")[0] or {}

    def change(self, name: str, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Edit a record, and again if another did so meanwhile. Returns it as it was before. Raises `BusyError`."""
        key = f"{PREFIX}{_name(name)}.json"
        for attempt in range(TRIES):
            found, tag = self._get(key)
            condition = {"IfMatch": tag} if found is not None else {"IfNoneMatch": "*"}
            if self._put(key, edit(dict(found or {})), **condition):
                return found or {}
            time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - against a second collision
        raise BusyError(f"the record of {name} is changed by too many at once")

    def _claimed(self, identity: str, heard: frozenset[str], *, done: bool) -> dict[str, Any]:
        return {"change": identity, "claimed": self._now_s(), "heard": sorted(heard), "done": done}

    def _put(self, key: str, value: dict[str, Any], **condition: str) -> bool:
        body = json.dumps(value).encode()
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
            found = json.loads(answer["Body"].read())
        except ValueError:
            found = {}
        return (found if isinstance(found, dict) else {}), answer["ETag"]


def _change(identity: str) -> str:
    return f"{PREFIX}changes/{_name(identity)}.json"


def _code(error: Exception) -> str:
    """The code of an error of boto3's, empty for any other."""
    answer = getattr(error, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


def key_part(text: str) -> str:
    """A name with letters, digits, `-` and `_` alone."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)


def _name(text: str) -> str:
    """A name for a key: readable, and unlike any other's."""
    return f"{key_part(text)[-80:]}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
