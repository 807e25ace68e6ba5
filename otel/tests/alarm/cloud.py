"""What an alarm's function asks in an account, in memory: X-Ray with some traces, a bucket, a topic.

The bucket stands in for S3, of whose conditional writes no emulator here knows; it is as strict as
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html has it.
"""

import hashlib
import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from botocore.exceptions import ClientError

from lambda_latency.trace import Trace
from tests.fetch.standin import XRay
from tests.latency.system import order
from tests.xray.platform import xray_documents

ACCOUNT, REGION = "123456789012", "us-east-1"
THRESHOLD_MS = 500


def change(
    name: str = "shop-SlowAlarm",
    state: str = "ALARM",
    previous: str = "OK",
    *,
    at_ns: int,
    begin_ns: int | None = None,
    metric: str = "Latency",
    threshold: float | None = THRESHOLD_MS,
    identity: str = "one",
) -> dict[str, Any]:
    """An event of EventBridge, as https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring documents it."""
    reason = {"version": "1.0", "queryDate": iso(at_ns), "statistic": "p95", "period": 60}
    if begin_ns is not None:
        reason["startDate"] = iso(begin_ns)
    if threshold is not None:
        reason["threshold"] = threshold
    dimensions = {"ApiName": "shop", "Stage": "dev"}
    stat = {
        "metric": {"namespace": "AWS/ApiGateway", "name": metric, "dimensions": dimensions},
        "period": 60,
        "stat": "p95",
    }
    return {
        "version": "0",
        "id": identity,
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": ACCOUNT,
        "time": iso(at_ns),
        "region": REGION,
        "resources": [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"],
        "detail": {
            "alarmName": name,
            "configuration": {"metrics": [{"id": "m1", "metricStat": stat, "returnData": True}]},
            "previousState": {"value": previous, "reason": "", "timestamp": iso(at_ns - 300 * 10**9)},
            "state": {
                "value": state,
                "reason": f"Threshold Crossed: 1 datapoint [1290.0] was greater than the threshold ({threshold}).",
                "reasonData": json.dumps(reason),
                "timestamp": iso(at_ns),
            },
        },
    }


def iso(ns: int) -> str:
    """As CloudWatch writes an instant."""
    moment = datetime.fromtimestamp(ns // 10**9, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ns // 10**6 % 1000:03d}+0000"


def orders(
    start_s: int, walls_ms: Sequence[float], *, status_code: int = 201, first: int = 0, cold: float = 0
) -> list[Trace]:
    """Orders that begin one second after the other, and take so long for the payments provider; `cold` milliseconds
    are a cold start before."""
    return [
        _moved(order(wall, number=first + number, status_code=status_code, cold=cold), start_s + number)
        for number, wall in enumerate(walls_ms)
    ]


def _moved(trace: Trace, start_s: int) -> Trace:
    by = start_s * 10**9 - trace.request_root.start_ns
    name = f"{start_s:08x}{trace.trace_id[8:]}"
    return Trace(
        replace(s, trace_id=name, start_ns=s.start_ns + by, end_ns=None if s.end_ns is None else s.end_ns + by)
        for s in trace.spans
    )


def documents(trace: Trace) -> list[dict[str, Any]]:
    """The segment documents that X-Ray has of a trace of the laptop's."""
    return xray_documents(trace.spans, ["http.route"])


def filled(xray: Callable[..., XRay], traces: Sequence[Trace], threshold_ms: int = THRESHOLD_MS) -> XRay:
    """X-Ray with these traces, which knows the filters for slow and for failing ones."""
    by_id = {f"1-{trace.trace_id[:8]}-{trace.trace_id[8:]}": trace for trace in traces}
    slow = {name for name, trace in by_id.items() if _wall_ns(trace) > threshold_ms * 10**6}
    failing = {name for name, trace in by_id.items() if any(_failed(segment) for segment in documents(trace))}
    made = xray(
        lambda name, _: documents(by_id[name]),
        matches={
            f"responsetime > {threshold_ms / 1000:g}": slow.__contains__,
            "error = true OR fault = true": failing.__contains__,
        },
    )
    for name in by_id:
        made.put(int(name.split("-")[1], 16), name)
    return made


def _failed(document: dict[str, Any]) -> bool:
    return "parent_id" not in document and bool(document.get("fault") or document.get("error"))


def _wall_ns(trace: Trace) -> int:
    return (trace.request_root.end_ns or 0) - trace.request_root.start_ns


class Bucket:
    """Some of boto3's client for S3. `calls` counts operations; those that are `failing` raise at that call."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.calls: Counter[str] = Counter()
        self.failing: dict[str, int] = {}
        self._lock = threading.Lock()

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **more: str) -> dict[str, str]:  # noqa: N803
        del Bucket
        self._count("PutObject")
        with self._lock:
            stored = self.objects.get(Key)
            if more.get("IfNoneMatch") == "*" and stored is not None:
                raise _refused("PreconditionFailed", "PutObject")
            if "IfMatch" in more and (stored is None or _tag(stored) != more["IfMatch"]):
                raise _refused("PreconditionFailed", "PutObject")
            self.objects[Key] = Body
        return {"ETag": _tag(Body)}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        del Bucket
        self._count("GetObject")
        with self._lock:
            if Key not in self.objects:
                raise _refused("NoSuchKey", "GetObject")
            return {"Body": io.BytesIO(self.objects[Key]), "ETag": _tag(self.objects[Key])}

    def generate_presigned_url(self, operation: str, *, Params: dict[str, str], ExpiresIn: int) -> str:  # noqa: N803
        return f"https://{Params['Bucket']}.s3.example/{Params['Key']}?for={ExpiresIn}&of={operation}"

    def _count(self, operation: str) -> None:
        with self._lock:
            self.calls[operation] += 1
            if self.failing.get(operation) == self.calls[operation]:
                raise _refused("InternalError", operation)


class Topic:
    """Some of boto3's client for SNS; it keeps what is published. `failing` calls raise, so many times."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.failing = 0

    def publish(self, **message: Any) -> None:
        if self.failing:
            self.failing -= 1
            raise _refused("InternalError", "Publish")
        self.published.append({**message, "Message": json.loads(message["Message"])})

    @property
    def texts(self) -> list[str]:
        """What mail says."""
        return [message["Message"]["email"] for message in self.published]


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()}"'


def _refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)
