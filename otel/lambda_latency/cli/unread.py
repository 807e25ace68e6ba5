"""Why there is no request in the input, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lambda_latency.spelling import nearest_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.trace import Problem

MOST_REASONS = 8
FORMATS = "a trace file is OTLP, Jaeger, Zipkin, X-Ray or CloudWatch spans; lambda-latency report --help has more"
NOTHING = "what writes this file has recorded nothing: lambda-latency doctor says why a SAM app does not"
ELSEWHERE = "check the path: lambda-latency demo and serve write into the folder out"
# By words of a reason what to do. The first that fits counts.
REMEDIES = {
    "got schema, command": "it is a report of this command: name the traces, which its key sources has",
    "no trace: got": "docs/reference/formats.md says how to get a trace file of each form",
    "not JSON": FORMATS,
    "not text": FORMATS,
    "neither text": FORMATS,
    "no trace in it": NOTHING,
    "there is no span": NOTHING,
    "ends too early": "wait until the file is complete, or copy it again",
    "Permission denied": "make it readable, or run the command as its owner",
    "levels of symbolic links": "name the file itself: the link leads to itself",
    "no file matches": "check the pattern: ** stands for folders",
    "no trace file in this folder": "name the file if it ends otherwise",
}


def unread(problems: Sequence[Problem], names: Sequence[str]) -> str:
    """The reasons why there is no request: the first problem of each source, or that it has no span; then remedies."""
    firsts: dict[str, Problem] = {}
    for one in problems:
        firsts.setdefault(one.source, one)
    reasons = [str(one) for one in firsts.values()]
    reasons += [f"{name}: there is no span in it" for name in names if name not in firsts]
    shown = [*reasons[:MOST_REASONS], *(["..."] if len(reasons) > MOST_REASONS else [])]
    missing = [_missing(one.source) for one in firsts.values() if "No such file" in one.reason]
    found = [next((todo for mark, todo in REMEDIES.items() if mark in reason), "") for reason in reasons]
    if any("extra formats" in reason for reason in reasons):
        from lambda_latency.installing import install_command  # 2 MB that few messages need

        found.append(install_command("formats"))
    return "\n  ".join([*shown, *dict.fromkeys(one for one in (*missing, *found) if one)])


def _missing(name: str) -> str:
    """What to do about a file that does not exist: the similar name in its folder, if there is one."""
    path = Path(name)
    try:
        beside = {one.stem: one.name for one in sorted(path.parent.iterdir())}
    except OSError:
        return f"check the path: there is no folder {path.parent}"
    near = nearest_names(path.stem, beside, cutoff=0.7)
    return f"did you mean {path.with_name(beside[near[0]])}?" if near else ELSEWHERE
