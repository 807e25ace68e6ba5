"""What differs between a bare run and one with the kit, after all that differs between any two runs is taken out."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.same.case import Case
from lab.same.peer import Request
from lab.same.run import HANDLERS, KIT, Observed
from lambda_latency.local.sandbox.function import Outcome

OURS = "lambda-latency:"
TRACING = "x-amzn-trace-id"
LIBRARIES = re.compile(rf"/(opentelemetry|wrapt)/|^{re.escape(str(KIT))}/|/lambda_latency/runtime/")
FRAME = re.compile(r'^(\s*)File "([^"]+)", line')

CHANGING = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(r"\b\d{8}T\d{6}Z\b"), "TIME"),
    (re.compile(r"\b1[78]\d{11}\b"), "TIME"),
    (re.compile(r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-9]\b"), "TRACEPARENT"),
    (re.compile(r"0x[0-9a-f]{6,}"), "0xADDRESS"),
    (re.compile(r"Signature=[0-9a-f]{64}"), "Signature=SIGNATURE"),
    (re.compile(r"/20\d{6}/"), "/DAY/"),
    (re.compile(r"\[Previous line repeated \d+ more times\]"), "[Previous line repeated N more times]"),
    (re.compile(r"[0-9a-f]{32}"), "HEX32"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-(?!0000)[0-9a-f]{12}"), "UUID"),
    (re.compile(r"127\.0\.0\.1:\d+"), "PEER"),
    (re.compile(r"port=\d+"), "port=PORT"),
]
"""What two bare runs of one handler do not have in common."""
SHOWN, BEFORE = 8, 60  # lines, characters
UNSTABLE = (
    "amz-sdk-invocation-id",
    "x-amz-date",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-tags",
    "tracestate",
)
"""Headers with another value in each request."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same: what, and both sides as text."""

    subject: str
    bare: str
    kit: str


def differences(case: Case, bare: Observed, kit: Observed) -> list[Difference]:
    """All of them; the kit's log lines, frames of libraries and the value of the tracing header aside."""
    pairs = [
        ("answers", [answer_of(o) for o in bare.outcomes], [answer_of(o) for o in kit.outcomes]),
        ("log", _log(bare), _log(kit)),
        ("exit", [str(s) for s in bare.exits], [str(s) for s in kit.exits]),
        *_requests(bare, kit),
    ]
    return [
        Difference(subject, *_both(of_bare, of_kit))
        for subject, of_bare, of_kit in pairs
        if of_bare != of_kit and subject not in case.but
    ] + list(_headers(case, kit))


def said(observed: Observed) -> list[str]:
    """The kit's own lines."""
    return [line for line in observed.lines if OURS in line]


def _both(bare: Sequence[str], kit: Sequence[str]) -> tuple[str, str]:
    """The two sides from the first line on which they differ, a long one from shortly before the first difference."""
    start = _first(bare, kit)
    bare_lines, kit_lines = bare[start : start + SHOWN], kit[start : start + SHOWN]
    begin = max(0, _first(bare_lines[0], kit_lines[0]) - BEFORE) if bare_lines and kit_lines else 0
    shown = [
        "\n".join(line[begin:] if number == 0 else line for number, line in enumerate(side))
        for side in (bare_lines, kit_lines)
    ]
    return shown[0] or "(nothing)", shown[1] or "(nothing)"


def _first(bare: Sequence[str], kit: Sequence[str]) -> int:
    """Where two sequences begin to differ."""
    pairs = enumerate(zip(bare, kit, strict=False))
    return next((index for index, pair in pairs if pair[0] != pair[1]), min(len(bare), len(kit)))


def answer_of(outcome: Outcome) -> str:
    """The payload; of an error its type, its message and the frames of the user's code."""
    try:
        value = json.loads(outcome.payload)
    except ValueError:
        return f"{outcome.error} {_still(outcome.payload.decode(errors='replace'))}"
    if isinstance(value, dict) and isinstance(frames := value.get("stackTrace"), list):
        value["stackTrace"] = [frame for frame in map(str, frames) if str(HANDLERS) in frame]
    return f"{outcome.error} {_still(json.dumps(value))}"


def _log(observed: Observed) -> list[str]:
    """The lines, without ours and without the frames of libraries that trace."""
    lines = []
    inside: str | None = None  # the indentation of a frame that is left out
    for line in observed.lines:
        if OURS in line:
            continue
        frame = FRAME.match(line)
        if frame is not None:
            inside = frame.group(1) if LIBRARIES.search(frame.group(2)) else None
        elif inside is not None and not line.startswith((f"{inside}  ", f"{inside}\xa0")):
            inside = None
        if inside is None:
            lines.append(_still(_without_trace_id(line)))
    return lines


def _without_trace_id(line: str) -> str:
    """A line of Lambda's JSON format without the trace's id, which the kit documents to add."""
    if not line.startswith("{"):
        return line
    try:
        value = json.loads(line)
    except ValueError:
        return line
    if value.get("traceId", "").startswith("1-"):
        del value["traceId"]
    if isinstance(frames := value.get("stackTrace"), list):
        value["stackTrace"] = [frame for frame in map(str, frames) if str(HANDLERS) in frame]
    return json.dumps(value)


def _still(text: str) -> str:
    for pattern, name in CHANGING:
        text = pattern.sub(name, text)
    return text


def _requests(bare: Observed, kit: Observed) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each request, its headers but the tracing header, in the order of paths where several ran at once."""
    yield "requests", sorted(map(_request, bare.requests)), sorted(map(_request, kit.requests))


def _request(request: Request) -> str:
    headers = {name: _still(value) for name, value in request.headers if name not in (TRACING, *UNSTABLE)}
    return f"{request.method} {_still(request.path)} {json.dumps(headers)}"


def _headers(case: Case, kit: Observed) -> Iterator[Difference]:
    """The tracing header itself: only its Parent is the kit's to choose."""
    if "header" in case.but:
        return
    fields = _fields(case.header)
    for request in kit.requests:
        headers = dict(request.headers)
        if TRACING not in headers or "aside" in request.path:
            continue
        parts = _fields(headers[TRACING])
        by_aws = headers.get("authorization", "").startswith("AWS4")
        names = ("Root", "Sampled", "Lineage") if by_aws else ("Root", "Sampled")
        expected = {name: fields[name] for name in names if name in fields}
        got = {name: parts.get(name) for name in expected}
        if got != expected:
            yield Difference(f"{TRACING} of {request.method} {request.path}", json.dumps(expected), json.dumps(got))


def _fields(header: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in header.split(";") if "=" in part)
