"""The report page of an alarm, stored in a bucket and linked for some hours."""

from __future__ import annotations

import shlex
from datetime import datetime, timezone
from typing import Any

from lambda_latency.alarm.explanation import Explanation
from lambda_latency.alarm.message import Link
from lambda_latency.alarm.records import key_part
from lambda_latency.page import build_page, page_values
from lambda_latency.text import Style, flat, sentence
from lambda_latency.version import VERSION

LINK_HOURS = 12


def command_of(found: Explanation) -> str:
    """The command that explains the same alarm again, in a terminal."""
    alarm = found.alarm
    at = _iso(alarm.at_ns)
    region = f" --region {alarm.region}" if alarm.region else ""
    return f"lambda-latency explain {shlex.quote(alarm.name)} --at {at}{region}"


def page_of(found: Explanation, command: str = "") -> str:
    """The HTML page of an explanation; `command` creates it again (default: `command_of`)."""
    values, spans = page_values(found.report, found.find, command=command or command_of(found), version=VERSION)
    return build_page(values, spans, flat(sentence(found.report, Style())))


def put_page(s3: Any, bucket: str, found: Explanation) -> Link:
    """Stores the page in a bucket, and returns its link. Raises boto3's error."""
    alarm = found.alarm
    key = f"pages/{key_part(alarm.name)[:100]}/{_iso(alarm.at_ns)}.html"
    page = page_of(found).encode()
    s3.put_object(Bucket=bucket, Key=key, Body=page, ContentType="text/html; charset=utf-8")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=LINK_HOURS * 3600)
    note = (
        f"The link is valid for {LINK_HOURS} hours at most, or until the session of the function's role ends. "
        f"To create the page again: {command_of(found)} --html page.html"
    )
    return Link("Page", url, note)


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
