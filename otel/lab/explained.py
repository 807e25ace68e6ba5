"""Causes that are planted in the laptop's system: does the message of an alarm name each, and none where there is none?

Every cause is planted with five seeds. The traces lie in a stand-in for X-Ray, the alarm is an event as EventBridge
sends it, and the function's own code answers it.

Usual time: 15 minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from lab.planted import CAUSES, Cause, run_cause
from lambda_latency.alarm.answer import Answerer
from lambda_latency.alarm.event import read_event
from lambda_latency.alarm.explanation import Explanation
from lambda_latency.alarm.message import Link
from lambda_latency.alarm.pages import put_page
from lambda_latency.alarm.records import Records
from lambda_latency.alarm.sinks import Topic as TopicSink
from lambda_latency.fetch import Account, Place
from lambda_latency.trace import Trace
from tests.alarm.cloud import REGION, Bucket, Topic, change, filled
from tests.fetch.standin import KNOWN, XRay
from tests.latency.system import THEIRS

# What a title must say for each cause; "" where none is to be named.
NAMES = {
    "none": "",
    "slow provider": "payments.example.com",
    "throttled table": "retries DynamoDB",
    "slow TLS handshake": "connect to payments.example.com",
    "cold starts": "cold start",
    "own CPU": "own code",
    "provider timeout": "payments.example.com",
    "function timeout": "timed out",
}
WITHIN_S = 60
ABOVE_USUAL = 1.5  # an alarm's threshold, as a multiple of the p95 before: the machine decides how long requests take


def main() -> int:
    """Plant, ring, read the message; status 1 if one is wrong."""
    parser = argparse.ArgumentParser("python -m lab explained", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cause", action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID=KNOWN, AWS_SECRET_ACCESS_KEY="secret", NO_PROXY="*")
    wanted = [cause for cause in CAUSES if options.cause is None or cause.name in options.cause]
    named = 0
    for seed in range(1, options.seeds + 1):
        before = _traces(CAUSES[0], 1000 + seed)
        for cause in wanted:
            text, seconds = _rung(cause, seed, before)
            right = _is_named(cause.name, text) and seconds < WITHIN_S
            named += right
            title = text.partition("\n\n")[0].replace("\n", " ")
            print(f"{'ok ' if right else 'NOT'} {cause.name}, seed {seed}, {seconds:.1f} s: {title}", flush=True)
            if not right:
                print(text)
    total = len(wanted) * options.seeds
    print(f"{named} of {total} messages as they should be")
    return int(named != total)


def _is_named(cause: str, text: str) -> bool:
    title = text.partition("\n\n")[0].replace("\n", " ")
    if not NAMES[cause]:
        return title.endswith("no cause found in the traces")
    return NAMES[cause] in (text.replace("\n", " ") if cause == "function timeout" else title)


def _traces(cause: Cause, seed: int) -> list[Trace]:
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        traces = run_cause(cause, seed, Path(folder))
    return cause.by_hand(traces) if cause.by_hand is not None else traces


def _rung(cause: Cause, seed: int, before: Sequence[Trace]) -> tuple[str, float]:
    """The mail of an alarm, and how many seconds after the event it was there."""
    traces = _traces(cause, seed)
    begin = min(one.outermost.start_ns for one in traces)
    end = max(one.outermost.end_ns or 0 for one in traces)
    threshold = threshold_ms(before)
    xray = filled(XRay, [*before, *traces], threshold_ms=threshold)
    try:
        return answered(xray, change(at_ns=end, begin_ns=begin - 1, threshold=threshold))
    finally:
        xray.close()


def threshold_ms(before: Sequence[Trace]) -> int:
    """The threshold of the alarm, in milliseconds."""
    took = [(one.outermost.end_ns or 0) - one.outermost.start_ns for one in before]
    return round(ABOVE_USUAL * quantiles(took, n=20, method="inclusive")[-1] / 1e6)


def answered(xray: XRay, event: dict[str, object]) -> tuple[str, float]:
    """The mail about an event, and the seconds until it was sent."""
    bucket, topic = Bucket(), Topic()
    start = time.monotonic()

    def page(found: Explanation) -> Link:
        return put_page(bucket, "pages", found)

    answerer = Answerer(
        account=Account(Place(region=REGION, endpoint_url=xray.url)),
        records=Records(bucket, "pages"),
        sinks={"topic": TopicSink(topic, "arn:aws:sns:us-east-1:123456789012:alarms")},
        page=page,
        left_s=lambda: WITHIN_S - (time.monotonic() - start),
        terms=THEIRS,
    )
    answerer.answer(read_event(event))
    [text] = topic.texts
    return text, time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main())
