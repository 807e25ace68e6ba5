"""What is not as it should be with the spans of a library."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lab.libraries.case import Case

STEPS = ("dns", "tcp", "tls", "handshake", "pool")
Spans = list[dict[str, Any]]
SECRET = "hunter2"
DRAWN = ("messaging.destination.partition.id",)  # attributes whose values the library draws


def wrong(case: Case, bare: dict[str, Any], kit: dict[str, Any], unsampled: dict[str, Any]) -> Iterator[str]:
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
    for name, spans in kit["spans"].items():
        yield from (f"{name}: {key} holds a value" for span in spans for key, value in span["attributes"].items()
                    if SECRET in str(value))  # fmt: skip


def differing(lean: dict[str, Any], sdk: dict[str, Any]) -> Iterator[str]:
    """A line for each call whose spans are not those that the SDK makes, but for ids, times and ports."""
    for name, spans in lean["spans"].items():
        ours, theirs = outlines(spans), outlines(sdk["spans"][name])
        if ours != theirs:
            yield f"{name}: {sorted(ours - theirs)} in place of the SDK's {sorted(theirs - ours)}"


def outlines(spans: Spans) -> set[str]:
    """Each span as a text, with its parent's name; how many connections a pool opens differs from run to run."""
    names = {span["id"]: span["name"] for span in spans}
    told = [
        {**{key: value for key, value in span.items() if key not in ("id", "start", "ms")},
         "attributes": {key: value for key, value in span["attributes"].items() if key not in DRAWN},
         "parent": names.get(span["parent"], "")}
        for span in spans
    ]  # fmt: skip
    return {
        re.sub(r"0x[0-9a-f]+|[0-9A-Za-z-]{24,}|[0-9a-f]{12,}|\d+\.\d+|\d{3,}", "N", json.dumps(one)) for one in told
    }


def call_is_wrong(case: Case, spans: Spans) -> Iterator[str]:
    """Of the call that goes well: its spans, their parents, their names and parts."""
    by_id = {span["id"]: span for span in spans}
    calls = calls_of(spans)
    if tuple(span["name"] for span in calls) != case.spans:
        yield f"the spans are {[span['name'] for span in calls]}, not {list(case.spans)}"
        return
    first = calls[0]
    yield from (
        f"{key} is {first['attributes'].get(key)!r}, not {value!r}"
        for key, value in case.wanted.items()
        if first["attributes"].get(key) != value
    )
    names = case.spans
    for span in spans:
        above = by_id.get(span["parent"])
        if span["kind"] == "SERVER" or span["name"] == "init":
            continue
        if above is None:
            yield f"the parent of {span['name']} is not there"
        elif (span["name"] in STEPS and span["name"] != "pool" and (above["name"] == "connect") != case.connect) or (
            names.count(span["name"]) == 1
            and span["name"] == names[-1]
            and above["kind"] != "SERVER"
            and above["name"] != names[0]
        ):
            yield f"{span['name']} is below {above['name']}"
    if parts_of(spans) != case.parts:
        yield f"the parts of the connection are {parts_of(spans)}, not {case.parts}"


def calls_of(spans: Spans) -> Spans:
    """Those that are calls, in the order of their starts."""
    found = [span for span in spans if span["kind"] in ("CLIENT", "PRODUCER") and span["name"] != "connect"]
    return sorted(found, key=lambda span: span["start"])


def parts_of(spans: Spans) -> tuple[str, ...]:
    """The parts of a connection that have spans."""
    seen = {span["name"] for span in spans}
    return tuple(step for step in STEPS if step in seen)


def failed(spans: Spans) -> bool:
    """Whether a call, or the opening of a connection, is an error."""
    return any(span["status"] == "ERROR" for span in spans if span["kind"] in ("CLIENT", "PRODUCER"))
