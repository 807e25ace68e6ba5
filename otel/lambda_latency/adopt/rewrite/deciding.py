"""Decides which spans and calls of a module are rewritten, and why others stay with the bridge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import libcst as cst
from libcst import matchers
from libcst.metadata import PositionProvider

from lambda_latency.adopt.rewrite.names import Names, dotted
from lambda_latency.adopt.rewrite.scopes import PUT, Call, Span, literal, span_of, yields

__all__ = ["Decided", "Deciding"]

BY_HAND = ("begin_subsegment", "end_subsegment", "set_trace_entity", "clear_trace_entities")
A_BLOCK = "write a block: with tracer.start_as_current_span(...)"
REMEDIES = {
    **dict.fromkeys(BY_HAND, A_BLOCK),
    **dict.fromkeys(
        ("begin_segment", "end_segment", "in_segment", "in_segment_async"), "remove it: Lambda has its own"
    ),
    **dict.fromkeys(("current_subsegment", "current_segment", "get_trace_entity"), "write trace.get_current_span()"),
    "configure": "remove it; OTEL_SERVICE_NAME names a service",
}
# Arguments of the SDK's `patch` that need no call here.
LIBRARIES = ("aioboto3", "aiobotocore", "boto3", "botocore", "bottle", "httplib", "httpx", "mysql", "pg8000", "psycopg",
             "psycopg2", "pymongo", "pymysql", "pynamodb", "requests", "sqlalchemy_core", "sqlite3")  # fmt: skip


@dataclass(slots=True)
class Decided:
    """The decisions by node of the module. `left`: line, observation and remedy."""

    spans: dict[cst.CSTNode, Span] = field(default_factory=dict)  # a decorator, or an item of a `with`
    calls: dict[cst.CSTNode, list[Call]] = field(default_factory=dict)  # each with the calls that are merged into it
    removed: set[cst.CSTNode] = field(default_factory=set)  # lines
    plain: set[cst.CSTNode] = field(default_factory=set)  # an `async with` that becomes a `with`
    left: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    """A function, or the module: its open spans, the spans of each variable, and the uses of each variable."""

    node: cst.CSTNode
    by_hand: bool = False
    open: list[Span] = field(default_factory=list)
    variables: dict[str, list[Span]] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)


class Deciding(cst.CSTVisitor):
    """Visits a module; afterwards `decided` is complete."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.decided = Decided()
        self._names = names
        self._frames: list[_Frame] = []
        self._spans: list[Span] = []
        self._asynchronous: dict[cst.With, list[Span]] = {}
        self._known: set[cst.CSTNode] = set()  # nodes that are part of a decided node
        self._statement: cst.SimpleStatementLine | None = None
        self._places: dict[cst.CSTNode, tuple[cst.CSTNode, int]] = {}

    # ---- Functions and blocks --------------------------------------------------------------------------------------

    def visit_Module(self, node: cst.Module) -> None:
        self._frames.append(_Frame(node))
        self._place(node, node.body)

    def leave_Module(self, original_node: cst.Module) -> None:
        self._close()
        self._finish()

    def visit_IndentedBlock(self, node: cst.IndentedBlock) -> None:
        self._place(node, node.body)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        frame = _Frame(node, any(self._is_by_hand(one) for one in matchers.findall(node.body, matchers.Attribute())))
        for number, decorator in enumerate(node.decorators):
            found = span_of(decorator.decorator, self._names.recorder, self._line(decorator))
            if found is None:
                continue
            span, is_async = found
            self._knows(span.call)
            span.name = span.name or cst.SimpleString(f'"{node.name.value}"')
            self._judge_decorator(
                span, node, is_async, [dotted(one.decorator) for one in node.decorators[number + 1 :]]
            )
            self._add(decorator, span)
            frame.open.append(span)
        self._frames.append(frame)

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self._close()

    def visit_Lambda(self, node: cst.Lambda) -> None:
        self._frames.append(_Frame(node))

    def leave_Lambda(self, original_node: cst.Lambda) -> None:
        self._close()

    def visit_With(self, node: cst.With) -> None:
        frame = self._frames[-1]
        mine: list[Span] = []
        for item in node.items:
            found = span_of(item.item, self._names.recorder, self._line(item))
            if found is None:
                continue
            span, is_async = found
            self._knows(span.call)
            if span.name is None:
                span.leave("a subsegment without a name", A_BLOCK)
            if is_async != (node.asynchronous is not None):
                span.leave(f"{dotted(span.call.func)} does not fit its `with`", A_BLOCK)
            if item.asname is not None:
                if isinstance(item.asname.name, cst.Name):
                    span.variable = item.asname.name.value
                    frame.variables.setdefault(span.variable, []).append(span)
                else:
                    span.leave("its subsegment is not a plain variable", A_BLOCK)
            self._add(item, span)
            frame.open.append(span)
            mine.append(span)
        if node.asynchronous is not None and mine:
            if len(mine) < len(node.items):
                mine[0].leave("an `async with` that has other items", "write a block of its own")
            self._asynchronous[node] = mine

    def leave_With(self, original_node: cst.With) -> None:
        frame = self._frames[-1]
        for item in original_node.items:
            if item in self.decided.spans:
                frame.open.pop()

    def _judge_decorator(self, span: Span, node: cst.FunctionDef, is_async: bool, below: Sequence[str]) -> None:
        what = f"{dotted(span.call.func).rpartition('.')[2]} on {node.name.value}"
        if is_async != (node.asynchronous is not None):
            span.leave(f"{what}, which is {'not a' if is_async else 'a'} coroutine function", "use the other decorator")
        if yields(node):
            span.leave(f"{what}, a generator", "write a block inside of it: with tracer.start_as_current_span(...)")
        if {"staticmethod", "classmethod"} & set(below):
            span.leave(f"{what}, above a staticmethod or classmethod", "write it below that")

    # ---- Calls -----------------------------------------------------------------------------------------------------

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        alone = node.body[0] if len(node.body) == 1 else None
        self._statement = node if isinstance(alone, cst.Expr) else None
        if isinstance(alone, cst.Expr) and isinstance(alone.value, cst.Call):
            self._patch(node, alone.value)

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine) -> None:
        self._statement = None

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Call(self, node: cst.Call) -> None:
        if node in self._known or not isinstance(node.func, cst.Attribute):
            return
        owner, method, frame = node.func.value, node.func.attr.value, self._frames[-1]
        if isinstance(owner, cst.Call) and dotted(owner.func) == f"{self._names.recorder}.current_subsegment":
            if method in PUT and not owner.args:
                self._knows(owner)
                self._put(node, method, self._current(), by_variable=False)
        elif isinstance(owner, cst.Name) and owner.value == self._names.recorder and self._names.recorder:
            self._knows(node)
            if method in PUT:
                self._put(node, method, self._current(), by_variable=False)
            else:
                todo = REMEDIES.get(method, "remove it, or leave it to the bridge")
                self._leave(node, f"{owner.value}.{method} stays", todo)
        elif isinstance(owner, cst.Name) and method in PUT:
            span = next((one for one in reversed(frame.open) if one.variable == owner.value), None)
            if span is not None:
                frame.met[owner.value] += 1
                self._put(node, method, span, by_variable=True)

    def _current(self) -> Span | None:
        """The current span, if the source determines it."""
        frame = self._frames[-1]
        return frame.open[-1] if frame.open and not frame.by_hand else None

    def visit_Name(self, node: cst.Name) -> None:
        if node in self._known:
            return
        if node.value and node.value == self._names.recorder:
            self._leave(node, f"{node.value} is passed on", "write it with OpenTelemetry's API")
        elif node.value in self._names.patches:
            self._leave(node, f"{node.value} stays", "remove it: the kit traces libraries automatically")

    def _patch(self, line: cst.SimpleStatementLine, call: cst.Call) -> None:
        """Removes `patch_all()` and `patch` of known libraries, which have no effect."""
        if not isinstance(call.func, cst.Name) or call.func.value not in self._names.patches:
            return
        block, _ = self._places[line]
        if self._names.patches[call.func.value] == "patch":
            modules = call.args[0].value if call.args else None
            elements = modules.elements if isinstance(modules, cst.Tuple | cst.List | cst.Set) else ()
            if not elements or not {literal(one.value) for one in elements} <= {*LIBRARIES}:
                return
        going = sum(self._places[one][0] is block for one in self.decided.removed)
        if isinstance(block, cst.Module) or len(getattr(block, "body", ())) > going + 1:  # a block is never empty
            self._knows(call)
            self.decided.removed.add(line)

    def _put(self, node: cst.Call, method: str, span: Span | None, *, by_variable: bool) -> None:
        if span is None:
            self._leave(node, f"{method} on a span that is started elsewhere", "call it where the span is started")
            return
        alone = self._statement if self._statement is not None and _is_alone(self._statement, node) else None
        call = Call(node, by_variable, alone, self._line(node))
        wrong = call.read(method)
        if not wrong:
            span.calls.append(call)
            return
        what = f"{method} with {wrong} that X-Ray does not take, or that is computed"
        todo = "write span.set_attribute(...), and name the key in aws.xray.annotations"
        if by_variable:
            span.leave(what, todo)
        else:
            self._leave(node, what, todo)

    # ---- The end ---------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        """Ends a function: a span whose variable has other uses is not rewritten."""
        frame = self._frames.pop()
        for name, spans in frame.variables.items():
            total = len(matchers.findall(frame.node, matchers.Name(name)))
            if total != len(spans) + frame.met[name]:
                for span in spans:
                    span.leave(f"{name} is used for more than annotations and metadata", A_BLOCK)

    def _finish(self) -> None:
        decided = self.decided
        for span in self._spans:
            self._join(span)
        for block, spans in self._asynchronous.items():
            if any(one.why for one in spans):
                for span in spans:
                    span.leave("another item of its `async with` stays", A_BLOCK)
            else:
                decided.plain.add(block)
        for node, name in self._names.others:
            self._leave(node, f"an import of {name} stays", "nothing: the bridge has it")
        decided.left += [(span.line, span.why, span.todo) for span in self._spans if span.why]
        decided.left.sort()
        decided.spans = {node: span for node, span in decided.spans.items() if not span.why}
        staying = {id(call) for span in self._spans if span.why for call in span.calls}
        for node, calls in list(decided.calls.items()):
            if id(calls[0]) in staying:
                del decided.calls[node]
                decided.removed -= {one.statement for one in calls[1:] if one.statement is not None}

    def _join(self, span: Span) -> None:
        """Merges consecutive metadata calls of one namespace: the namespace becomes one attribute."""
        spaces: dict[str, list[Call]] = {}
        for call in span.calls:
            if call.namespace is None:
                self.decided.calls[call.node] = [call]
            else:
                spaces.setdefault(call.namespace, []).append(call)
        for namespace, calls in spaces.items():
            if all(self._is_next(one, other) for one, other in pairwise(calls)):
                self.decided.calls[calls[0].node] = calls
                self.decided.removed |= {one.statement for one in calls[1:] if one.statement is not None}
                continue
            what = f"put_metadata of the namespace {namespace} in several places"
            todo = f"set aws.xray.metadata.{namespace} once, to a JSON object"
            if any(one.by_variable for one in calls):
                span.leave(what, todo)
            else:
                self.decided.left += [(one.line, what, todo) for one in calls]

    def _is_next(self, one: Call, other: Call) -> bool:
        if one.statement is None or other.statement is None:
            return False
        (block, number), (same, following) = self._places[one.statement], self._places[other.statement]
        return block is same and following == number + 1

    # ---- Helpers ---------------------------------------------------------------------------------------------------

    def _add(self, node: cst.CSTNode, span: Span) -> None:
        self.decided.spans[node] = span
        self._spans.append(span)

    def _place(self, block: cst.CSTNode, body: Sequence[cst.CSTNode]) -> None:
        self._places.update({one: (block, number) for number, one in enumerate(body)})

    def _knows(self, call: cst.Call) -> None:
        """Marks the call and the recorder's name in it as decided."""
        root: cst.BaseExpression = call.func
        while isinstance(root, cst.Attribute):
            root = root.value
        self._known |= {call, root}

    def _leave(self, node: cst.CSTNode, what: str, todo: str) -> None:
        self.decided.left.append((self._line(node), what, todo))

    def _line(self, node: cst.CSTNode) -> int:
        return int(self.get_metadata(PositionProvider, node).start.line)

    def _is_by_hand(self, node: object) -> bool:
        name = dotted(node) if isinstance(node, cst.Attribute) else ""
        owner, _, method = name.rpartition(".")
        return owner == self._names.recorder and method in BY_HAND


def _is_alone(line: cst.SimpleStatementLine, call: cst.Call) -> bool:
    only = line.body[0]
    return isinstance(only, cst.Expr) and only.value is call
