"""What is not as it should be with the spans of a library."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lab.libraries.case import Library

STEPS = ("dns", "tcp", "tls", "handshake", "pool")
Spans = list[dict[str, Any]]
SECRET = "hunter2"
DRAWN = ("messaging.destination.partition.id",)  # attributes whose values the library draws


def wrong(case: Library, bare: dict[str, Any], kit: dict[str, Any], unsampled: dict[str, Any]) -> Iterator[str]:
    """A line for each."""
    for name, answer in bare["answers"].items():
        for how, said in (("the kit", kit), ("the kit, unsampled", unsampled)):
            if said["answers"][name] != answer:
                yield f"{name} says {said['answers'][name]!r} with {how}, and {answer!r} without"
    for how, said in (("", kit), ("unsampled: ", unsampled)):
        yield from (f"{how}the log says {line!r}" for line in said["log"])
    yield from (f"unsampled: {name} has spans" for name, spans in unsampled["spans"].items() if spans)
    yield from call_is_wrong(case, kit["spans"]["call"])
    for name in ("error", "timeout", "refused"):
        if failed(kit["spans"][name]) == (name in case.unseen):
            yield f"{name} is {'told' if name in case.unseen else 'not told'} by a span"
    yield from secrets_in(kit["spans"])


def secrets_in(spans_by_call: dict[str, Spans]) -> Iterator[str]:
    """A line for each attribute that holds the secret."""
    for name, spans in spans_by_call.items():
        attributes = (attribute for span in spans for attribute in span["attributes"].items())
        yield from (f"{name}: {key} holds a value" for key, value in attributes if SECRET in str(value))


def differing(lean: dict[str, Any], sdk: dict[str, Any]) -> Iterator[str]:
    """A line for each call whose spans are not those that the SDK makes, but for ids, times and ports."""
    for name, spans in lean["spans"].items():
        of_lean, of_sdk = outlines(spans), outlines(sdk["spans"][name])
        if of_lean != of_sdk:
            yield f"{name}: {sorted(of_lean - of_sdk)} in place of the SDK's {sorted(of_sdk - of_lean)}"


def outlines(spans: Spans) -> set[str]:
    """Each span as a text, with its parent's name; how many connections a pool opens differs from run to run."""
    names = {span["id"]: span["name"] for span in spans}
    stripped = [
        {**{key: value for key, value in span.items() if key not in ("id", "start", "ms")},
         "attributes": {key: value for key, value in span["attributes"].items() if key not in DRAWN},
         "parent": names.get(span["parent"], "")}
        for span in spans
    ]  # fmt: skip
    return {
        re.sub(r"0x[0-9a-f]+|[0-9A-Za-z-]{24,}|[0-9a-f]{12,}|\d+\.\d+|\d{3,}", "N", json.dumps(s)) for s in stripped
    }


def call_is_wrong(case: Library, spans: Spans) -> Iterator[str]:
    """Of the call that goes well: its spans, their parents, their names and parts."""
    by_id = {span["id"]: span for span in spans}
    calls = calls_of(spans)
    if tuple(span["name"] for span in calls) != case.spans:
        yield f"the spans are {[span['name'] for span in calls]}, not {list(case.spans)}"
        return
    attributes = calls[0]["attributes"]
    for key, expected in case.attributes.items():
        if attributes.get(key) != expected:
            yield f"{key} is {attributes.get(key)!r}, not {expected!r}"
    for span in spans:
        if span["kind"] == "SERVER" or span["name"] == "init":
            continue
        above = by_id.get(span["parent"])
        if above is None:
            yield f"the parent of {span['name']} is not there"
        elif is_misplaced(case, span["name"], above):
            yield f"{span['name']} is below {above['name']}"
    if parts_of(spans) != case.parts:
        yield f"the parts of the connection are {parts_of(spans)}, not {case.parts}"


def is_misplaced(case: Library, name: str, above: dict[str, Any]) -> bool:
    """Whether a span of this name may not be below that parent."""
    if name in STEPS and name != "pool" and (above["name"] == "connect") != case.connect:
        return True
    is_last = case.spans.count(name) == 1 and name == case.spans[-1]
    return is_last and above["kind"] != "SERVER" and above["name"] != case.spans[0]


def calls_of(spans: Spans) -> Spans:
    """Those that are calls, in the order of their starts."""
    calls = [span for span in spans if span["kind"] in ("CLIENT", "PRODUCER") and span["name"] != "connect"]
    return sorted(calls, key=lambda span: span["start"])


def parts_of(spans: Spans) -> tuple[str, ...]:
    """The parts of a connection that have spans."""
    names = {span["name"] for span in spans}
    return tuple(step for step in STEPS if step in names)


def failed(spans: Spans) -> bool:
    """Whether a call, or the opening of a connection, is an error."""
    return any(span["status"] == "ERROR" for span in spans if span["kind"] in ("CLIENT", "PRODUCER"))
