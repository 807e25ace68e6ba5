"""What a check of `make prove` has: the place, the requests that were sent, and the traces where they are kept."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from lab.prove.place import Account, Answer
from lambda_latency.fetch.search import retrieve

REGIONS_S = 180  # how long X-Ray and CloudWatch may take until they show something
DESTINATIONS = ("XRay", "CloudWatchLogs")
NO_XRAY = "the emulator has no X-Ray"
# The codes of errors that say nothing about what was asked: no permission, no credentials, too many calls, no region.
UNASKED = (
    "AccessDenied", "Unauthorized", "Throttl", "TooManyRequests", "RequestLimitExceeded", "LimitExceeded",
    "ExpiredToken", "OptInRequired", "UnrecognizedClient", "InvalidClientTokenId", "AuthFailure",
)  # fmt: skip


class LackingError(Exception):
    """The account lacks what a sentence needs; the message says what."""


class UnexpectedError(Exception):
    """AWS answered in a form that its documentation does not have; the message says in what."""


class Evidence(NamedTuple):
    """Whether a sentence was seen, and by what. None: this account cannot show it."""

    seen: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The place with the stack in it, the requests that were sent before the checks, and where traces are kept."""

    place: Account
    answers: Sequence[Answer]
    destination: str = "XRay"

    def documents(self, answer: Answer, is_complete: Callable[[str], bool] = bool) -> list[dict[str, Any]]:
        """The segments of a request's trace, once their text is as wanted, or after three minutes.

        Raises `LackingError` if the request was not sampled, `UnexpectedError` for an unknown destination.
        """
        if self.destination not in DESTINATIONS:
            raise UnexpectedError(f"GetTraceSegmentDestination says {self.destination!r}, not one of {DESTINATIONS}")
        self.refuse_unsampled(answer)
        if not answer.trace_id:
            raise UnexpectedError("the API's answer has no X-Amzn-Trace-Id")
        xray = self.place.client("xray")
        text: list[str] = []

        def arrived() -> bool:
            if self.destination == "XRay":
                traces = xray.batch_get_traces(TraceIds=[answer.trace_id])["Traces"]
            else:
                now_s = int(time.time())
                retrieved = retrieve(xray, [answer.trace_id], now_s - 3600, now_s + 60)
                traces = list(retrieved.traces.values())
            text[:] = [segment["Document"] for trace in traces for segment in trace["Segments"]]
            return is_complete("\n".join(text))

        until(arrived)
        return [json.loads(document) for document in text]

    def call(self, method: str, path: str, body: object = None, *, statuses: Sequence[int] = (200,)) -> Answer:
        """Send a request to the API. Raises `UnexpectedError` for a status that is not one of `statuses`."""
        answer = self.place.call(method, path, body)
        if answer.status not in statuses:
            raise UnexpectedError(f"{method} {path} answered {answer.status}, not {' or '.join(map(str, statuses))}")
        return answer

    def refuse_unsampled(self, answer: Answer) -> None:
        """Raises `LackingError` for a request that is not traced."""
        if answer.sampled is False:
            raise LackingError(
                "the API's answer has Sampled=0 although Sampled=1 was sent: a sampling rule of the account decides"
            )

    def resources(self, kind: str, stack: str = "") -> dict[str, str]:
        """The resources of a type, also of stacks within the stack: physical ids by logical ones."""
        listed = self.place.client("cloudformation").describe_stack_resources
        listing = list(listed(StackName=stack or self.place.stack)["StackResources"])
        for resource in listing:  # grows by the resources of the stacks within
            if resource["ResourceType"] == "AWS::CloudFormation::Stack":
                listing += listed(StackName=resource["PhysicalResourceId"])["StackResources"]
        return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in listing if r["ResourceType"] == kind}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as the documentation has it; `unseen` says why the emulator cannot show it.

    `is_about_aws`: a proof without it is incomplete.
    """

    text: str
    check: Callable[[Scene], Evidence]
    unseen: str = NO_XRAY
    is_about_aws: bool = True


def is_unasked(error: ClientError) -> bool:
    """Whether an error says only that AWS did not decide: it denied the call, or wanted it later or elsewhere."""
    return str(error.response.get("Error", {}).get("Code", "")).startswith(UNASKED)


def until(true: Callable[[], bool], limit_s: float = REGIONS_S) -> bool:
    """Whether it becomes true before the limit; asked every two seconds."""
    end = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(2)
    return True


def parts(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A segment and all below it."""
    yield document
    for subsegment in document.get("subsegments", ()):
        yield from parts(subsegment)
