"""The spans of a function in its source: blocks and decorated functions, with their annotations and metadata."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst

from lambda_latency.adopt.rewrite.names import dotted

__all__ = ["PUT", "Call", "Span", "arguments", "literal", "span_of", "yields"]

CLEAN = re.compile(r"[A-Za-z0-9_]+")
PUT = {"put_annotation": ("key", "value"), "put_metadata": ("key", "value", "namespace")}
BLOCKS = {"in_subsegment": False, "in_subsegment_async": True, "capture": False, "capture_async": True}


@dataclass(eq=False, slots=True)
class Call:
    """A call that sets an annotation or metadata. `statement`: the line, if it has nothing else. `key`: its source.
    `namespace`: for metadata.
    """

    node: cst.Call
    by_variable: bool
    statement: cst.SimpleStatementLine | None
    line: int
    key: str = ""
    value: cst.BaseExpression | None = None
    namespace: str | None = None

    def read(self, method: str) -> str:
        """Reads the arguments; returns the name of an unsupported one, or an empty text."""
        given = arguments(self.node, PUT[method])
        key, self.value = (given.get("key"), given.get("value")) if given is not None else (None, None)
        text = literal(key)
        if given is None or key is None or text is None or not CLEAN.fullmatch(text):
            return "a key"
        self.key = cst.Module([]).code_for_node(key)
        if method == "put_metadata":
            self.namespace = literal(given["namespace"]) if "namespace" in given else "default"
            if self.namespace is None or self.namespace.startswith("AWS."):
                return "a namespace"
        return "" if self.value is not None else "a value"


@dataclass(eq=False, slots=True)
class Span:
    """A block or decorated function that `call` makes a span. `why`: the reason why it is not rewritten, or empty."""

    call: cst.Call
    name: cst.BaseExpression | None
    is_remote: bool = False
    variable: str = ""
    line: int = 0
    why: str = ""
    todo: str = ""
    calls: list[Call] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        """The distinct keys of its annotations."""
        return list(dict.fromkeys(one.key for one in self.calls if one.namespace is None))

    def leave(self, why: str, todo: str) -> None:
        """Marks the span as not rewritten; the first reason counts."""
        if not self.why:
            self.why, self.todo = why, todo


def span_of(call: cst.BaseExpression, recorder: str, line: int) -> tuple[Span, bool] | None:
    """The span that a recorder's call makes, and whether the call is for coroutines; None for any other call."""
    if not isinstance(call, cst.Call) or not recorder:
        return None
    owner, _, method = dotted(call.func).rpartition(".")
    if owner != recorder or method not in BLOCKS:
        return None
    given = arguments(call, ("name", "namespace"))
    if given is None:
        span = Span(call, None, line=line)
        span.leave(f"{method} with arguments that are not plain", "write tracer.start_as_current_span(...)")
        return span, BLOCKS[method]
    span = Span(call, given.get("name"), line=line)
    namespace = literal(given["namespace"]) if "namespace" in given else "local"
    span.is_remote = namespace == "remote"
    if namespace not in ("local", "remote"):
        span.leave(f"{method} with a namespace that is neither local nor remote", "write the span's kind yourself")
    return span, BLOCKS[method]


def arguments(call: cst.Call, names: Sequence[str]) -> dict[str, cst.BaseExpression] | None:
    """The arguments of a call by name; None if some are unknown, repeated or unpacked."""
    found: dict[str, cst.BaseExpression] = {}
    for number, one in enumerate(call.args):
        name = one.keyword.value if one.keyword is not None else names[number] if number < len(names) else ""
        if one.star or name not in names or name in found:
            return None
        found[name] = one.value
    return found


def literal(node: cst.BaseExpression | None) -> str | None:
    """The value of a string literal; None for any other expression."""
    if isinstance(node, cst.SimpleString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def yields(node: cst.FunctionDef) -> bool:
    """Whether a function is a generator: it has a `yield` outside of nested functions."""
    found = Yields()
    node.body.visit(found)
    return found.any


class Yields(cst.CSTVisitor):
    any = False

    def visit_Yield(self, node: cst.Yield) -> None:
        self.any = True

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False
