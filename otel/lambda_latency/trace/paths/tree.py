"""A trace as a tree of spans: which span waits for which, and which span is the request.

It differs from the recorded tree of parents around Lambda's own spans: Initialization is a child of the function
segment but precedes it, and the calls of the handler are often recorded as siblings of Invocation, not as children.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter

from lambda_latency.trace.model.compact_span import CompactSpan
from lambda_latency.trace.model.platform import DURABLE_EXECUTION, GATEWAY, RUNTIME_SCOPES, SERVICE
from lambda_latency.trace.model.request import DEFAULT_VIEW, RUNNING, View
from lambda_latency.trace.model.signature import (
    COLD,
    DETACHED,
    DURABLE,
    EXECUTION,
    FUNCTION_SEGMENT,
    HANDLES,
    INIT,
    LAMBDA_SEGMENT,
    REQUEST_ROOT,
    SERVES,
    TIMED_OUT,
)
from lambda_latency.trace.model.span import SpanKind
from lambda_latency.trace.paths.consistency import CUT, backwards, cut_cycles, one_of_each, separate_shared_ids
from lambda_latency.trace.paths.executions import arrange_executions
from lambda_latency.trace.paths.reparenting import above, absent_parents, answered_calls, begins_with_init, new_parents
from lambda_latency.trace.paths.skew import correct_clocks, service_of, with_descendants

# An environment that was ready for longer than this before its first request was started in advance (provisioned
# concurrency, proactive init): no request waited for it. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
READY_BEFORE_NS = 1_000_000_000

# The end of a route that matches all paths, of an API (`/{proxy+}`) or of a framework (`/*`).
ALL_PATHS = ("+}", "*")

_start = attrgetter("start_ns", "span_id")
_end = attrgetter("end_ns")
_outer_first = attrgetter("signature.rank", "start_ns", "span_id")


class Tree:
    """The spans of one trace id, as the tree of a request. Times are nanoseconds since 1970.

    Duplicates are left out, and cycles of parents are cut.

    - `spans`: one span for each span id.
    - `children`: the spans that a span waits for, by the span id of that span, in descending order of their end.
    - `local_roots`: the roots, which are the spans without a recorded parent.
    - `with_roles`: the spans with a role, by depth, then from the outside in (`rank`), then by start.
    - `roles`: the roles of all spans, as one set of bits.
    - `new_parents`: the span id of the new parent by that of the re-parented span; an empty text if no span waits for
      it.
    - `in_order`: whether no two siblings end at the same instant, and no span that has siblings is open.
    - `absent`: the spans that represent parents that were not recorded; `added` has the spans of executions, too.
    - `problems`: messages about contradictions between spans.
    - `request_root`: the span of the request, which lasts from `start_ns` to `end_ns`.
    - `init_before`: the init that the request began with, if no outer span encloses it; else None.
    - `starting`: the instant at which an environment began to start, by the span id of the Lambda service's segment.
    - `detached`: the detached spans, for which nothing waits; their descendants stay below them.
    - `skewed`: whether clocks were corrected.
    - `begins_inside`: whether the request begins below the root of its tree.
    """

    __slots__ = (
        "absent",
        "added",
        "begins_inside",
        "children",
        "detached",
        "end_ns",
        "in_order",
        "init_before",
        "local_roots",
        "new_parents",
        "problems",
        "request_root",
        "roles",
        "skewed",
        "spans",
        "start_ns",
        "starting",
        "with_roles",
    )

    def __init__(self, spans: list[CompactSpan], view: View = DEFAULT_VIEW) -> None:
        self._link(spans)
        self.starting: dict[str, int] = {}
        self.detached = self._detach() if self.roles & (DETACHED | SERVES) else []
        if self.roles & SERVES:
            self._answer_calls()
        if self.roles & (EXECUTION | DURABLE):
            self._wait_for_executions()
        self.skewed = view.skew and self._correct_clocks()
        self.request_root = self.highest(REQUEST_ROOT) or self._best_local_root()
        self.begins_inside = self.request_root.parent_id in self.spans
        if self.begins_inside and not view.from_lambda:
            *_, self.request_root = above(self.spans, self.request_root)
            self.begins_inside = False
        self.init_before = self._reparent() if self.roles & (FUNCTION_SEGMENT | INIT) else None
        self.start_ns = self.request_root.start_ns if self.init_before is None else self.init_before.start_ns
        self.end_ns = self._last_end()

    def parent(self, span: CompactSpan) -> CompactSpan | None:
        """The recorded parent of a span; None if it was not recorded."""
        return self.spans.get(span.parent_id)

    def highest(self, role: int, also: Callable[[CompactSpan], bool] | None = None) -> CompactSpan | None:
        """The least deep span with a role for which `also` is true: of several the outer one, then the earliest."""
        for span in self.with_roles if self.roles & role else ():
            if span.signature.roles & role and (also is None or also(span)):
                return span
        return None

    def put_below(self, span: CompactSpan, parent: CompactSpan | None) -> None:
        """Make a span a child of another one; with None no span waits for it."""
        self.children[self.new_parents.get(span.span_id, span.parent_id)].remove(span)
        self.new_parents[span.span_id] = "" if parent is None else parent.span_id
        if parent is None:
            return
        siblings = self.children.setdefault(parent.span_id, [])
        siblings.append(span)
        if len(siblings) > 1:
            siblings.sort(key=_end, reverse=True)
            ends = {sibling.end_ns for sibling in siblings}
            if 0 in ends or len(ends) < len(siblings):
                self.in_order = False

    @property
    def segment(self) -> CompactSpan | None:
        """The segment of the Lambda service, or else of the function, that the request reached first.

        None if the request reached another service first, which called the function.
        """
        return self._if_entry(self.highest(LAMBDA_SEGMENT))

    @property
    def handler(self) -> CompactSpan | None:
        """The function's own SERVER or CONSUMER span; None if it was lost, never created, or is not the request's."""
        below = self.highest(SERVES, self._is_in_lambda) if self.roles & LAMBDA_SEGMENT else None
        handler = self._if_entry(below or self.highest(SERVES, self._is_inside if self.begins_inside else None))
        return None if handler is not None and self._is_another_service(handler) else handler

    def router(self, handler: CompactSpan | None) -> CompactSpan | None:
        """The span that names the route: the handler's, or a framework's inside it if the handler serves all paths."""
        if handler is None or _is_specific(handler.http_route):
            return handler
        inside = [
            span for span in self.spans.values() if _is_specific(span.http_route) and self._is_framework(span, handler)
        ]
        return min(inside, key=_start, default=handler)

    @property
    def runs_on(self) -> bool:
        """Whether work that the request does not wait for ends later after it than the request is long.

        What Lambda and the runtime do after a response is no such work.
        """
        latest_ns = 2 * self.end_ns - self.start_ns
        if next(iter(self.spans.values())).end_ns <= latest_ns:  # the span that ends last
            return False
        todo = [self.request_root]
        for span in todo:
            signature = span.signature
            if span.end_ns > latest_ns and not (
                signature.origin or signature.phase or signature.scope in RUNTIME_SCOPES
            ):
                return True
            todo += self.children.get(span.span_id, ())
        return False

    def by_depth(self) -> list[tuple[CompactSpan, int]]:
        """Every span of the request with its depth, parents before children, siblings in the order of their start."""
        with_depths: list[tuple[CompactSpan, int]] = []
        todo = [(span, 0) for span in (self.request_root, self.init_before) if span is not None]
        while todo:
            span, depth = todo.pop()
            with_depths.append((span, depth))
            below = sorted(self.children.get(span.span_id, ()), key=_start, reverse=True)
            todo += [(child, depth + 1) for child in below]
        return with_depths

    def waits_for(self) -> dict[str, CompactSpan]:
        """The span that waits for a span, by span id. No span waits for the request root."""
        return {
            child.span_id: self.spans[span_id]
            for span_id, below in self.children.items()
            for child in below
            if child is not self.request_root
        }

    def is_phase(self, span: CompactSpan) -> bool:
        """Whether a span is a phase of a function segment, recorded by Lambda itself."""
        parent = self.parent(span) if span.signature.phase else None
        return parent is not None and bool(parent.signature.roles & FUNCTION_SEGMENT)

    def is_init(self, span: CompactSpan) -> bool:
        """Whether a span is the start of an environment: the kit's own init, or a phase of a function segment."""
        return bool(span.signature.roles & INIT) and (not span.signature.phase or self.is_phase(span))

    @property
    def is_execution(self) -> bool:
        """Whether the request is a durable execution."""
        return self.request_root.signature.origin == DURABLE_EXECUTION

    @property
    def is_running(self) -> bool:
        """Whether the request is a durable execution that had not ended."""
        return self.is_execution and not self.request_root.end_ns

    @property
    def timed_out(self) -> bool:
        """Whether the function reached its deadline. An execution goes on with another invocation."""
        return bool(self.roles & TIMED_OUT) and not self.is_execution

    @property
    def is_cold(self) -> bool:
        """Whether an environment started for the request, as far as its spans show."""
        if self.roles & COLD:
            return True
        return bool(self.roles & INIT) and any(map(self.is_init, self.with_roles))

    def inside(self, span: CompactSpan) -> str:
        """The most that is recorded inside a `CONTAINER`.

        Inside a function segment or an Invocation: `invocation` (only inside a function segment), `handler` (the span
        of an instrumentation), `calls` (other spans of the user's code), or empty if there is nothing. Inside an
        INTERNAL span of a database: `calls` if a call is recorded there. Empty for any other span.
        """
        children = self.children.get(span.span_id, ())
        if span.signature.roles & FUNCTION_SEGMENT:
            return _most_inside_function(span.span_id, children)
        if span.signature.phase == "Invocation" and self.is_phase(span):
            return _most_inside(children)
        return "calls" if any(child.signature.is_call for child in children) else ""

    def _link(self, spans: list[CompactSpan]) -> None:
        """Connect the spans by the ids of their parents."""
        spans.sort(key=_end, reverse=True)  # then the children of each span have this order too
        self.problems = [backwards(span) for span in spans if 0 < span.end_ns < span.start_ns]
        self.spans = {span.span_id: span for span in spans}
        if len(self.spans) < len(spans):
            separate_shared_ids(spans)
            chosen = sorted(one_of_each(spans, self.problems), key=_end, reverse=True)
            self.spans = {span.span_id: span for span in chosen}
        if self._connect() < len(self.spans):
            cut_cycles(self.spans, self.problems)
            self._connect()
        self.added: list[CompactSpan] = []
        if self.roles & DURABLE:
            self.added += arrange_executions(self.spans)
            spans = sorted([*self.spans.values(), *self.added], key=_end, reverse=True)
            self.spans = {span.span_id: span for span in spans}
            self._connect()
        self.absent = absent_parents(self.local_roots)
        if self.absent:
            self._add_absent()
        self.added += self.absent
        self.new_parents: dict[str, str] = {}

    def _add_absent(self) -> None:
        """Connect the spans that represent unrecorded parents, and report those that are missing."""
        # A parent that all its children call remote belongs to another process, and is not missing here.
        missing_ids = {span.parent_id for span in self.local_roots if span.signature.remote is not True}
        self.problems += [
            f"span {span.span_id} was not recorded: what it called is one request"
            for span in self.absent
            if span.span_id in missing_ids
        ]
        self.spans = {**{span.span_id: span for span in self.absent}, **self.spans}
        self._connect()

    def _connect(self) -> int:
        """Find children, roots and roles. Returns the number of spans that a root reaches: all but those of cycles."""
        spans, roles, in_order = self.spans, 0, True
        children: dict[str, list[CompactSpan]] = {}
        local_roots: list[CompactSpan] = []
        for span in spans.values():
            roles |= span.signature.roles
            siblings = children.get(span.parent_id)
            if siblings is not None:
                if not 0 < span.end_ns < siblings[-1].end_ns:
                    in_order = False
                siblings.append(span)
            elif span.parent_id in spans:
                children[span.parent_id] = [span]
            else:
                local_roots.append(span)
        self.children, self.local_roots, self.roles, self.in_order = children, local_roots, roles, in_order
        self.with_roles: list[CompactSpan] = []
        level, count = local_roots, 0
        while level:
            count += len(level)
            marked: list[CompactSpan] = []
            below: list[CompactSpan] = []
            for span in level:
                if span.signature.roles:
                    marked.append(span)
                if span.span_id in children:
                    below += children[span.span_id]
            if len(marked) > 1:
                marked.sort(key=_outer_first)
            self.with_roles += marked
            level = below
        return count

    def _if_entry(self, span: CompactSpan | None) -> CompactSpan | None:
        """The span, if the request reaches it without a call by another service; else None."""
        ancestor, request_root = span, self.request_root
        while ancestor is not None and ancestor is not request_root:
            ancestor = self.spans.get(ancestor.parent_id)
            if ancestor is not None and ancestor.signature.origin is None and ancestor.signature.is_call:
                caller = self.parent(ancestor)
                if caller is None or caller.signature.origin != GATEWAY:  # a stage of API Gateway calls its function
                    return None
        return span

    def _is_another_service(self, span: CompactSpan) -> bool:
        """Whether the span of the request names another service, which reached this one without the span of a call."""
        request_root, service = self.request_root, service_of(span)
        return bool(request_root.signature.origin is None and service and service_of(request_root) not in ("", service))

    def _is_framework(self, span: CompactSpan, handler: CompactSpan) -> bool:
        """Whether the service of the handler recorded a span inside the handler's, without a call between them."""
        inner, service = span, service_of(handler)
        while inner is not handler:
            parent = self.parent(inner)
            if parent is None or inner.signature.is_call or service_of(inner) != service:
                return False
            inner = parent
        return span is not handler

    def _is_inside(self, span: CompactSpan) -> bool:
        """Whether a span is the request root or a descendant of it."""
        return span is self.request_root or self.request_root in above(self.spans, span)

    def _detach(self) -> list[CompactSpan]:
        """Remove from `children` what nothing waits for: consumers of a producer, and spans that follow from others."""
        detached = {span.span_id: span for span in self.with_roles if self._is_detached(span)}
        for span_id in {span.parent_id for span in detached.values()}:
            self.children[span_id] = [span for span in self.children[span_id] if span.span_id not in detached]
        return [*detached.values()]

    def _is_detached(self, span: CompactSpan) -> bool:
        follows = span.signature.roles & DETACHED
        if not follows and span.signature.kind is not SpanKind.CONSUMER:
            return False
        parent = self.parent(span)
        return parent is not None and (bool(follows) or parent.signature.kind is SpanKind.PRODUCER)

    def _answer_calls(self) -> None:
        for span, call in answered_calls(self.with_roles, self.spans, self.children):
            self.put_below(span, call)

    def _wait_for_executions(self) -> None:
        """Move each execution that outlives its parent to the nearest ancestor that does not end before it, if any.

        So do branches of a durable execution that ends no invocation before them.
        """
        for span in self.with_roles:
            if (span.signature.roles & EXECUTION or span.signature.is_branch) and span not in self.detached:
                waiting = next((a for a in above(self.spans, span) if not 0 < a.end_ns < span.end_ns), None)
                if waiting is not None and waiting.span_id != span.parent_id:
                    self.put_below(span, waiting)

    def _correct_clocks(self) -> bool:
        if not self.roles & SERVES:
            return False
        servers = [span for span in self.with_roles if span.signature.roles & SERVES and span.parent_id in self.spans]
        corrected = correct_clocks(servers, self.spans, self.children)
        for span, shift_ns in corrected:
            self.children[span.parent_id].sort(key=_end, reverse=True)
            who, ms = service_of(span) or span.name, abs(shift_ns) / 1_000_000
            how = "behind" if shift_ns > 0 else "ahead of"
            self.problems.append(
                f"the clock of {who} is {ms:,.3f} ms {how} its caller's: corrected (clock-skew = keep leaves it)"
            )
        self.in_order = self.in_order and not corrected
        return bool(corrected)

    def _best_local_root(self) -> CompactSpan:
        """A root, else a span whose parent is in another process, else one with an unknown parent, else an orphan."""

        def order(span: CompactSpan) -> tuple[int, int, str]:
            if not span.parent_id:
                return 0, span.start_ns, span.span_id
            lost = 3 if span.parent_id == CUT or span.signature.remote is False else 1 if span.signature.remote else 2
            return lost, span.start_ns, span.span_id

        return min(self.local_roots, key=order)

    def _is_in_lambda(self, span: CompactSpan) -> bool:
        """Whether a span lies below a segment of Lambda, with only INTERNAL spans without an origin between them."""
        for ancestor in above(self.spans, span):
            if ancestor.signature.origin is not None or ancestor.signature.kind is not SpanKind.INTERNAL:
                return bool(ancestor.signature.roles & LAMBDA_SEGMENT)
        return False

    def _last_end(self) -> int:
        """The end of the request. For an open one, the last start or end of it and its descendants."""
        request_root = self.request_root
        if request_root.end_ns:
            return max(request_root.end_ns, request_root.start_ns)
        if self.is_execution:
            self.problems.append(f"{request_root.name}{RUNNING}")
        return max(max(span.start_ns, span.end_ns) for span in with_descendants(request_root, self.children))

    def _reparent(self) -> CompactSpan | None:
        """Put each init below the span that waits for it, and siblings of an Invocation that it encloses below it.

        Returns the init before the request root that the request began with; None without one.
        """
        earlier_inits: list[CompactSpan] = []
        for span, waiting in new_parents(self.with_roles, self.request_root, self.spans, self.children):
            is_init = bool(span.signature.roles & INIT)
            if is_init and span in self.detached:
                continue
            if waiting is None:
                earlier_inits.append(span)
            elif is_init and waiting.signature.origin == SERVICE:
                self.starting[waiting.span_id] = min(span.start_ns, self.starting.get(waiting.span_id, span.start_ns))
            if waiting is None or waiting.span_id != span.parent_id:
                self.put_below(span, waiting)
        return self._init_of_request(earlier_inits) if begins_with_init(self.request_root) else None

    def _init_of_request(self, earlier_inits: list[CompactSpan]) -> CompactSpan | None:
        """The first init whose environment was not ready long before the request."""
        start_ns = self.request_root.start_ns
        inits = [span for span in earlier_inits if span.end_ns and start_ns - span.end_ns <= READY_BEFORE_NS]
        return min(inits, key=_start, default=None)


def _most_inside_function(span_id: str, children: Sequence[CompactSpan]) -> str:
    for child in children:
        if child.signature.phase == "Invocation" and child.parent_id == span_id:
            return "invocation"
    return _most_inside([child for child in children if not child.signature.phase or child.parent_id != span_id])


def _most_inside(children: Sequence[CompactSpan]) -> str:
    if any(child.signature.roles & HANDLES for child in children):
        return "handler"
    return "calls" if children else ""


def _is_specific(route: str) -> bool:
    return bool(route) and not route.endswith(ALL_PATHS)
