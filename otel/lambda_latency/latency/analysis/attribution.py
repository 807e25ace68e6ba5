"""Attribution: the component that each span's self time goes to, the calls of a request, and the names of its spans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from lambda_latency.latency.analysis.categories import Position, component_of
from lambda_latency.latency.analysis.services import Code, code_of
from lambda_latency.latency.breakdowns.breakdown import Calls, calls_of, retries_of
from lambda_latency.latency.breakdowns.component import Component, Edge, resource_of
from lambda_latency.latency.breakdowns.owners import NOBODY, Owners
from lambda_latency.trace import (
    ATTEMPTS,
    CONTAINER,
    DURABLE_EXECUTION,
    FUNCTION,
    GATEWAY,
    SERVES,
    SERVICE,
    CompactSpan,
    Signature,
    Span,
    SpanKind,
    Trace,
    Tree,
    service_of,
)

CALLS = ("aws", "external", "database", "messaging", "queue", "retries")
Value: TypeAlias = "tuple[Component, Calls | None, bool, Code | None, str]"
# Buckets of calls whose callee may be a service with spans
ANSWERED = ("external", "unknown")
NAMED_CALLS = ("aws", "retries", "database", "messaging")  # whose spans are named after their callee
OUTSIDE = ("api gateway", "lambda", "laptop")
MOST = 200_000  # attributions in the cache, by signature


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """What a span's self time is attributed to, the call that it is (if any), and the service whose code it runs.

    `foreign`: another party recorded the span, inside a call to that party. `caller` is the service that waits: that of
    the code, or outside of foreign spans the one that called them. `Attributions` creates one object per value: they
    are compared and hashed by identity.
    """

    component: Component
    call: Calls | None
    foreign: bool
    code: Code | None
    caller: str

    @property
    def edge(self) -> Edge:
        """The component and the service that waits for it."""
        return Edge(self.caller, self.component)


ById: TypeAlias = "dict[str, Attribution]"


class Attributions:
    """Attributes the self time of spans. An attribution depends on the signature of a span, and on its parent."""

    def __init__(self, owners: Owners = NOBODY) -> None:
        self._owners = owners
        self._one_for = cache(Attribution)
        # By attribution and signature of a span: the attributions of its children, by signature
        self._below: defaultdict[tuple[Attribution | None, Signature | None], dict[Hashable, Attribution]]
        self._below = defaultdict(dict)
        self._count = 0

    def by_span_id(self, tree: Tree, parents: Sequence[CompactSpan]) -> ById:
        """Return the attributions of a request. `parents` are its spans with children; parents come before children."""
        if self._count > MOST:
            self._below.clear()
            self._count = 0
        attributions: ById = {}
        below, children, moved = self._below, tree.children, tree.new_parents
        for root in (tree.request_root, tree.init_before):
            if root is not None:
                attributions[root.span_id] = self._attribution(tree, root, None, None, below[None, None])
        for span in parents:
            outer = attributions[span.span_id]
            by_signature = below[outer, span.signature]
            for child in children.get(span.span_id, ()):
                attribution = by_signature.get(child.signature)
                if attribution is None or (moved and child.parent_id != span.span_id):
                    attribution = self._attribution(tree, child, span, outer, by_signature)
                attributions[child.span_id] = attribution
        if tree.roles & SERVES:
            self._answer(tree, attributions)
        return attributions

    def _answer(self, tree: Tree, attributions: ById) -> None:
        """Attribute the rest of a call to the network if its callee recorded spans in the trace."""
        for span in tree.with_roles:
            answer = attributions.get(span.span_id) if span.signature.roles & SERVES else None
            if answer is not None and answer.code is not None:
                caller = tree.spans.get(tree.new_parents.get(span.span_id, span.parent_id))
                while caller is not None and self._put(tree, attributions, caller, answer, answer.code):
                    caller = tree.parent(caller)

    def _put(self, tree: Tree, attributions: ById, span: CompactSpan, answer: Attribution, code: Code) -> bool:
        """Attribute the caller's side of a call that `code` answers; return whether the parent may belong to it."""
        call = attributions.get(span.span_id)
        if call is None or call.component.category not in ANSWERED or call.code is None:
            return False
        if call.code.name == code.name and not span.signature.is_call:  # a service may call itself
            return False
        network = answer.component if answer.foreign else self._owners.owned(Component("network", code.name))
        counted = call.call
        if counted is None and span.signature.is_call and call.component.category == "unknown":
            counted = calls_of(span.signature)
        attributions[span.span_id] = self._one_for(network, counted, call.foreign, call.code, call.caller)
        self._put_below(tree, attributions, span, call, Component("own code", call.code.name))
        return call.call is None

    def _put_below(
        self, tree: Tree, attributions: ById, span: CompactSpan, call: Attribution, own_code: Component
    ) -> None:
        """Attribute further attempts to the network, and the caller's own work during the call to its code."""
        network, spans = attributions[span.span_id].component, [span]
        for parent in spans:
            for child in tree.children.get(parent.span_id, ()):
                below, is_attempt = attributions[child.span_id], child.signature.is_call
                if below.call is not None or below.component != call.component or below.code != call.code:
                    continue
                if not is_attempt or call.component.category != "unknown":
                    component = network if is_attempt else own_code
                    attributions[child.span_id] = self._one_for(
                        component, None, below.foreign, below.code, below.caller
                    )
                    spans.append(child)

    def _attribution(
        self,
        tree: Tree,
        span: CompactSpan,
        above: CompactSpan | None,
        outer: Attribution | None,
        siblings: dict[Hashable, Attribution],
    ) -> Attribution:
        """Return the attribution of a span below `above`; `siblings` caches those of its siblings by signature."""
        signature, parent = span.signature, tree.spans.get(span.parent_id)
        origin, inside = parent.signature.origin if parent is not None else None, ""
        key: Hashable = signature
        if signature.roles & CONTAINER:
            inside = tree.inside(span)
            key = (signature, origin, inside)
        elif parent is not above:
            key = (signature, origin)
        elif origin == GATEWAY:
            inside = "answered" if tree.children.get(span.span_id) else ""
            key = (signature, origin, inside)
        attribution = siblings.get(key)
        if attribution is None:
            self._count += 1
            above_signature = above.signature if above is not None else None
            value = _value_of(signature, Position(origin, inside), above_signature, outer, self._owners)
            attribution = siblings[key] = self._one_for(*value)
        return attribution


def _have_one_callee(outer: Signature, inner: Signature) -> bool:
    """Return whether two calls name the same callee: the call of an SDK, and that of a proxy which forwards it."""
    long, short = sorted((outer.host, inner.host), key=len, reverse=True)
    return outer.is_call and bool(short) and f"{long}.".startswith(f"{short}.")


def _value_of(
    signature: Signature, position: Position, above: Signature | None, outer: Attribution | None, owners: Owners
) -> Value:
    """Return the attribution of a span below `above`; `above` waits for the span and has the attribution `outer`."""
    if outer is None:
        return _attributed(signature, position, above, None, code_of(signature, None, None, ""), owners)
    if outer.foreign:  # inside another party's service: still the time of the call
        return outer.component, None, True, outer.code, outer.caller
    callee = outer.component.name if outer.component.category == "external" else ""
    code = code_of(signature, above, outer.code, callee)
    entered = _entered(code, outer)
    if entered is not None:
        if owners.whose(callee) == "theirs":
            return outer.component, None, True, code, outer.caller
        if owners.whose(entered.name) == "theirs":
            return Component("external", entered.name), None, True, code, outer.caller
        if above is not None and signature.is_call and not _have_one_callee(above, signature):
            above = None  # the call above belongs to another service
    return _attributed(signature, position, above, outer, code, owners)


def _entered(code: Code | None, outer: Attribution | None) -> Code | None:
    """Return the service that the request enters at a span; None if `outer` is code of the same service."""
    if code is None or outer is None or outer.code is None or code.name == outer.code.name:
        return None
    return code


def _attributed(
    signature: Signature,
    position: Position,
    above: Signature | None,
    outer: Attribution | None,
    code: Code | None,
    owners: Owners,
) -> Value:
    service = code.name if code is not None else ""
    own_code = Component("own code", service)
    component = component_of(signature, position._replace(service=service, in_call=_is_in_call(above, outer)))
    entered = own_code if _entered(code, outer) is not None else None
    if component is None:
        return entered or _inherited(outer, own_code), None, False, code, service
    if (
        outer is not None
        and above is not None
        and above.is_call
        and signature.is_call
        and outer.component.category in CALLS
    ):
        return outer.component, None, False, code, service  # the HTTP client under the SDK: one call, not two
    component = _refined(component, signature, outer, entered)
    return (
        owners.owned(component),
        calls_of(signature) if _is_counted(signature, component, outer) else None,
        False,
        code,
        service,
    )


def _is_in_call(above: Signature | None, outer: Attribution | None) -> bool:
    if outer is None:
        return False
    return outer.component.category in CALLS or (
        outer.component.category == "unknown" and above is not None and above.is_call
    )


def _inherited(outer: Attribution | None, own_code: Component) -> Component:
    """Return the component of a span without one of its own: its parent's, unless that is of the platform."""
    return own_code if outer is None or outer.code is None or outer.component.category in OUTSIDE else outer.component


def _is_counted(signature: Signature, component: Component, outer: Attribution | None) -> bool:
    """Return whether a span counts as a call; the kit's init inside Lambda's Initialization is the same cold start."""
    if component.category == "step":
        return signature.is_attempt
    return component.category in CALLS or (
        component.category == "cold start" and (outer is None or outer.component != component)
    )


def _refined(
    component: Component, signature: Signature, outer: Attribution | None, entered: Component | None
) -> Component:
    """Refine a component by its parent and its retries; `entered` is the own code of a service that the span enters."""
    if component.category == "unknown":
        return entered or component
    if (
        component.category == "connect"
        and not component.name
        and outer is not None
        and outer.component.category != "unknown"
    ):
        return Component("connect", outer.component.name)
    if component.category == "aws" and retries_of(signature) and not signature.roles & ATTEMPTS:
        # The whole call: its attempts are not recorded one by one
        return Component("retries", resource_of(component.name))
    return component


DAY_S = 86_400
STEPS = {"connect": "connect to", "dns": "DNS", "tcp": "TCP", "tls": "TLS", "handshake": "handshake with"}


def trace_name(trace_id: str, start_ns: int) -> str:
    """A trace id as its source writes it: in the form of X-Ray's console, as 16 hex digits (64-bit ids), or unchanged.

    An id of X-Ray begins with the second of the request's start, in hex.
    """
    if trace_id.startswith("0" * 16):
        return trace_id[16:]
    is_xray = abs(int(trace_id[:8], 16) - start_ns // 10**9) < DAY_S
    return f"1-{trace_id[:8]}-{trace_id[8:]}" if is_xray else trace_id


def span_name(trace: Trace, compact: CompactSpan, attribution: Attribution) -> str:
    """Return the name of a span in a waterfall."""
    tree, span, signature = trace.tree, trace.span(compact), compact.signature
    if signature.origin == DURABLE_EXECUTION:
        return compact.name
    if span.origin in (SERVICE, FUNCTION):
        return f"Lambda {span.name}"
    if signature.is_runtime_init and attribution.call is None:
        # Inside Lambda's Initialization, whose name is `cold start`
        return span.name
    if tree.is_init(compact):
        return "cold start"
    if tree.is_phase(compact):
        return attribution.component.label if span.name == "Overhead" else span.name
    if attribution.foreign or _is_named_service(span, attribution):
        return _of_service(span, signature)
    return _of_code(trace, compact, span, attribution)


def _of_code(trace: Trace, compact: CompactSpan, span: Span, attribution: Attribution) -> str:
    component, signature = attribution.component, compact.signature
    if attribution.call is not None:
        if component.category in NAMED_CALLS:
            return component.name
        if component.category == "external":
            return f"{signature['http.request.method'] or signature['http.method'] or span.name} {component.name}"
    if compact is trace.tree.handler:
        return f"{_function(trace, compact)} handler"
    parent = trace.tree.parent(compact)
    if parent is not None and service_of(compact) and service_of(parent) not in ("", service_of(compact)):
        return f"{service_of(compact)} {span.name}"
    return _of_connection(span, attribution)


def _of_connection(span: Span, attribution: Attribution) -> str:
    """Name a step of a connection after its target, the wait for a pool after the pool; other spans keep their name."""
    if attribution.component.category == "connect" and span.name in STEPS:
        return f"{STEPS[span.name]} {attribution.component.name}".rstrip()
    return attribution.component.label if attribution.component.category == "pool" else span.name


def _is_named_service(span: Span, attribution: Attribution) -> bool:
    named = attribution.code is not None and bool(attribution.code.name)
    return named and span.kind is SpanKind.SERVER and span.origin is None


def _of_service(span: Span, signature: Signature) -> str:
    service = signature.resource.get("service.name")
    return f"{service} {span.name}" if service and span.kind is SpanKind.SERVER else span.name


def _function(trace: Trace, handler: CompactSpan) -> str:
    for above in ancestors(trace.tree, handler):
        if above.signature.origin in (SERVICE, FUNCTION):
            return above.name
    return str(handler.signature.resource.get("faas.name") or handler.name)


def ancestors(tree: Tree, span: CompactSpan) -> Iterator[CompactSpan]:
    """Yield the spans above a span, the nearest first."""
    span_ids = {span.span_id}
    above = tree.parent(span)
    while above is not None and above.span_id not in span_ids:
        span_ids.add(above.span_id)
        yield above
        above = tree.parent(above)
