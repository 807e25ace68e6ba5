"""The calls of tools that answer each golden question. A later call uses only texts that an earlier answer printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lab.agents.questions import QUESTIONS, Question


class Found(NamedTuple):
    """An argument that is read from an earlier answer: the first group of an expression."""

    expression: str


class Call(NamedTuple):
    """A tool and its arguments. Without `source` the question's scene is meant."""

    tool: str
    arguments: Mapping[str, object]


class Said(NamedTuple):
    """A call as it was made, and its answer."""

    tool: str
    arguments: dict[str, Any]
    text: str


WHY = Call("why_slow", {})
EXAMPLE = Call("show_request", {"trace_id": Found(r"a request that waits for [^\n]*?: ([0-9a-f-]{16,36}), ")})
TIMED_OUT = Call("list_requests", {"timeouts": True})
ROOT = Call(
    "show_span",
    {
        "trace_id": Found(r"a request that waits for [^\n]*?: ([0-9a-f-]{16,36}), "),
        "span_id": Found(r"\n([0-9a-f]{16}) \| [^\n]* \| \""),
    },
)
CODE = Call("show_span", {**ROOT.arguments, "span_id": Found(r"\n([0-9a-f]{16}) \| [^\n]*\"price\"")})
CALLS: dict[str, tuple[Call, ...]] = {
    "Show me a request that proves it.": (WHY, EXAMPLE),
    "Why is GET /orders/{id} slow?": (WHY, Call("why_slow", {"route": "GET /orders/{id}"})),
    "Which requests failed?": (Call("list_requests", {"errors": True}),),
    "Did anything time out, and at which line?": (WHY, TIMED_OUT),
    "Which customer has the slow requests?": (WHY, EXAMPLE, ROOT),
    "Which line of our own code is slow?": (WHY, EXAMPLE, CODE),
    "What got slower since last week?": (Call("compare", {}),),
    "Did the deployment change anything?": (Call("compare", {}),),
    "Why are spans missing in these traces?": (Call("check_tracing", {}),),
    "Will the tracing of this template work?": (Call("check_tracing", {}),),
    "How long did POST /orders take on each day?": (Call("query_archive", {"question": "by_day"}),),
}


def asked(question: Question, call: Callable[[str, dict[str, Any]], str]) -> list[Said]:
    """Make the calls of a question, one after the other; `call` makes one. Raises `LookupError`."""
    said: list[Said] = []
    for tool, arguments in CALLS.get(question.asked, (WHY,)):
        given = {key: _read(value, said) if isinstance(value, Found) else value for key, value in arguments.items()}
        if question.scene:
            name = {"check_tracing": "path", "query_archive": "archive"}.get(tool, "source")
            given[name] = question.scene
        if tool == "compare":
            given["baseline"] = question.baseline
        said.append(Said(tool, given, call(tool, given)))
    return said


def _read(wanted: Found, said: list[Said]) -> str:
    for one in reversed(said):
        found = re.search(wanted.expression, one.text)
        if found is not None:
            return found[1]
    raise LookupError(f"no earlier answer has {wanted.expression!r}")


assert CALLS.keys() <= {question.asked for question in QUESTIONS}
