"""Causes that are planted in the laptop's system: does the message of an alarm name each, and none where there is none?

Every cause is planted with five seeds. The traces lie in a stand-in for X-Ray, the alarm is an event as EventBridge
sends it, and the function's own code answers it.

Usual time: 15 minutes.
"""

import os
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from lab.planted import CAUSES, Injection, run_cause
from lambda_latency.alarm.answer import Answerer
from lambda_latency.alarm.event import read_event
from lambda_latency.alarm.explanation import Explanation
from lambda_latency.alarm.message import Hyperlink, put_page
from lambda_latency.alarm.records import Records
from lambda_latency.alarm.sinks import Topic as TopicSink
from lambda_latency.fetch import Account, Place
from lambda_latency.trace import Trace
from tests.alarm.cloud import REGION, Bucket, Topic, change, filled
from tests.fetch.standin import KNOWN, XRay
from tests.latency.system import THEIRS

WITHIN_S = 60
ABOVE_USUAL = 1.5  # an alarm's threshold, as a multiple of the p95 before: the machine decides how long requests take


def main(parser: ArgumentParser) -> int:
    """Plant, ring, read the message; status 1 if one is wrong."""
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cause", action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID=KNOWN, AWS_SECRET_ACCESS_KEY="secret", NO_PROXY="*")
    causes = [cause for cause in CAUSES if options.cause is None or cause.name in options.cause]
    named = 0
    for seed in range(1, options.seeds + 1):
        usual_traces = _traces(CAUSES[0], 1000 + seed)
        for cause in causes:
            text, seconds = _rung(cause, seed, usual_traces)
            right = _is_named(cause, text) and seconds < WITHIN_S
            named += right
            title = text.partition("\n\n")[0].replace("\n", " ")
            print(f"{'ok ' if right else 'NOT'} {cause.name}, seed {seed}, {seconds:.1f} s: {title}", flush=True)
            if not right:
                print(text)
    total = len(causes) * options.seeds
    print(f"{named} of {total} messages as they should be")
    return int(named != total)


def _is_named(cause: Injection, text: str) -> bool:
    title = text.partition("\n\n")[0].replace("\n", " ")
    if not cause.title:
        return title.endswith("no cause found in the traces")
    return cause.title in (text.replace("\n", " ") if cause.name == "function timeout" else title)


def _traces(cause: Injection, seed: int) -> list[Trace]:
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        traces = run_cause(cause, seed, Path(folder))
    return cause.by_hand(traces) if cause.by_hand is not None else traces


def _rung(cause: Injection, seed: int, usual_traces: Sequence[Trace]) -> tuple[str, float]:
    """The mail of an alarm, and how many seconds after the event it was there."""
    traces = _traces(cause, seed)
    begin = min(trace.request_root.start_ns for trace in traces)
    end = max(trace.request_root.end_ns or 0 for trace in traces)
    threshold = threshold_ms(usual_traces)
    xray = filled(XRay, [*usual_traces, *traces], threshold_ms=threshold)
    try:
        return answered(xray, change(at_ns=end, begin_ns=begin - 1, threshold=threshold))
    finally:
        xray.close()


def threshold_ms(usual_traces: Sequence[Trace]) -> int:
    """The threshold of the alarm, in milliseconds."""
    took = [(trace.request_root.end_ns or 0) - trace.request_root.start_ns for trace in usual_traces]
    return round(ABOVE_USUAL * quantiles(took, n=20, method="inclusive")[-1] / 1e6)


def answered(xray: XRay, event: dict[str, object]) -> tuple[str, float]:
    """The mail about an event, and the seconds until it was sent."""
    bucket, topic = Bucket(), Topic()
    start = time.monotonic()

    def page(explanation: Explanation) -> Hyperlink:
        return put_page(bucket, "pages", explanation)

    answerer = Answerer(
        account=Account(Place(region=REGION, endpoint_url=xray.url)),
        records=Records(bucket, "pages"),
        sinks={"topic": TopicSink(topic, "arn:aws:sns:us-east-1:123456789012:alarms")},
        page=page,
        left_s=lambda: WITHIN_S - (time.monotonic() - start),
        analysis_options=THEIRS,
    )
    answerer.answer(read_event(event))
    [text] = topic.texts
    return text, time.monotonic() - start
