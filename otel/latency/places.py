"""What is known of shapes where they stand in a trace: asked of the rules once, remembered for all the traces after."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel.latency.charge import Charge, charge_of
from otel.trace import Span, SpanKind
from otel.trace.platform import FUNCTION, OUTER, PHASES, SERVICE, is_function_handler, is_runtime_init
from otel.trace.request import function_of, is_error, route_of, status_code_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel.trace.lean import LeanReader, LeanSpan

__all__ = ["Facts", "Places", "Told"]

SERVES = (SpanKind.SERVER, SpanKind.CONSUMER)


class Facts(NamedTuple):
    """What an account asks of a span again and again, answered for its shape.

    `rare` is what only `account` knows to handle. `rank` is the place among outer spans: 0 is API Gateway's, 3 a
    function's handler, -1 none of them. `invocation` and `phase` are so by name: where they count, below a function
    segment, is for the caller to see.
    """

    span: Span
    rare: bool
    rank: int
    cold: bool
    serves: bool
    steps: bool
    function: bool
    segment: bool
    handles: bool
    invocation: bool
    phase: bool


class Told(NamedTuple):
    """What two or three spans of a request tell of it."""

    route: str
    function: str
    status_code: int | None
    error: bool


class Places:
    """The facts of all shapes of a reader, and the charges of spans of these shapes below each other."""

    def __init__(self, reader: LeanReader) -> None:
        self._shapes = reader.shapes
        self._noted: list[bool] = []
        self.facts: list[Facts] = []
        self.charges: list[Charge] = []
        # By the shape and the charge of a span the charges of its children, by their shapes, as far as they are known.
        self.contexts: dict[tuple[int, int], dict[int, int]] = {}
        self.is_call: list[bool] = []
        self._numbers: dict[Charge, int] = {}
        self._told: dict[tuple[int, int, int], Told] = {}
        self._answers: dict[tuple[int, int, int, int, str], int] = {}

    def noted(self) -> list[bool]:
        """By the number of a shape: is it one that an account looks at twice? Brings the facts up to date."""
        for shape in self._shapes[len(self.facts) :]:
            self.facts.append(_facts(shape.span))
            one = self.facts[-1]
            self._noted.append(one.rare or one.rank >= 0 or one.cold or one.serves or one.segment or one.invocation)
        return self._noted

    def top(self, span: LeanSpan) -> int:
        """The number of the charge of a request's outermost span."""
        return self._asked(span, None, None, -1)

    def charge(
        self, span: LeanSpan, parent: LeanSpan | None, above: LeanSpan, outer: int, known: dict[int, int]
    ) -> int:
        """The number of the charge of a span below `above`, whose charge has the number `outer`, if not `known`."""
        number = self._asked(span, parent, above, outer)
        # What is charged by its inside, or hangs on another than its parent, is looked at each time.
        own = self.facts[span.shape]
        if not own.function and not own.invocation and parent is above:
            known[span.shape] = number
        return number

    def _asked(self, span: LeanSpan, parent: LeanSpan | None, above: LeanSpan | None, outer: int) -> int:
        facts, holds = self.facts, self._holds(span, parent)
        at = (-1 if parent is None else parent.shape, -1 if above is None else above.shape)
        key = (span.shape, *at, outer, holds)
        number = self._answers.get(key)
        if number is None:
            charge = charge_of(
                facts[span.shape].span,
                None if parent is None else facts[parent.shape].span,
                None if above is None else facts[above.shape].span,
                holds,
                self.charges[outer] if outer >= 0 else None,
            )
            number = self._answers[key] = self._number(charge)
        return number

    def beside_invocation(
        self, noted: Sequence[LeanSpan], spans: Sequence[LeanSpan], ids: Mapping[str, LeanSpan]
    ) -> dict[str, LeanSpan]:
        """What hangs on a function segment but lies in its Invocation hangs on that, by span id."""
        facts = self.facts
        invocations: dict[str, list[LeanSpan]] = {}
        for span in noted:
            if facts[span.shape].invocation and span.parent_id in ids and facts[ids[span.parent_id].shape].function:
                invocations.setdefault(span.parent_id, []).append(span)
        for beside in invocations.values():
            beside.sort(key=lambda one: (one.start_ns, one.span_id))
        found: dict[str, LeanSpan] = {}
        for span in spans if invocations else ():
            if span.parent_id in invocations and not facts[span.shape].phase:
                for one in invocations[span.parent_id]:
                    if one.start_ns <= span.start_ns < one.end_ns:
                        found[span.span_id] = one
                        break
        return found

    def told(self, top: LeanSpan, segment: LeanSpan | None, handler: LeanSpan | None) -> Told:
        """What the outermost span, Lambda's and the handler's tell of a request."""
        key = (top.shape, -1 if segment is None else segment.shape, -1 if handler is None else handler.shape)
        told = self._told.get(key)
        if told is None:
            outermost = self.facts[top.shape].span
            handled = None if handler is None else self.facts[handler.shape].span
            told = self._told[key] = Told(
                route_of(outermost, handled),
                function_of(None if segment is None else self.facts[segment.shape].span, handled),
                status_code_of(outermost, handled),
                is_error(outermost, handled),
            )
        return told

    def segment(self, spans: Sequence[LeanSpan], ids: Mapping[str, LeanSpan]) -> LeanSpan | None:
        """The highest segment of Lambda's."""
        return self._highest([span for span in spans if self.facts[span.shape].segment], ids)

    def handler(self, spans: Sequence[LeanSpan], ids: Mapping[str, LeanSpan]) -> LeanSpan | None:
        """As `Trace.handler`: the function's own SERVER or CONSUMER span."""
        serving = [span for span in spans if self.facts[span.shape].serves]
        below = [span for span in serving if self._is_below_function(span, ids)]
        return self._highest(below or serving, ids)

    def _is_below_function(self, span: LeanSpan, ids: Mapping[str, LeanSpan]) -> bool:
        parent = ids.get(span.parent_id)
        while parent is not None and self.facts[parent.shape].steps:
            parent = ids.get(parent.parent_id)
        return parent is not None and self.facts[parent.shape].segment

    def _highest(self, spans: list[LeanSpan], ids: Mapping[str, LeanSpan]) -> LeanSpan | None:
        if len(spans) < 2:
            return spans[0] if spans else None

        def place(span: LeanSpan) -> tuple[int, int, int, str]:
            depth, parent = 0, ids.get(span.parent_id)
            while parent is not None:
                depth, parent = depth + 1, ids.get(parent.parent_id)
            rank = self.facts[span.shape].rank
            return depth, rank if 0 <= rank < len(OUTER) else len(OUTER), span.start_ns, span.span_id

        return min(spans, key=place)

    def _holds(self, span: LeanSpan, parent: LeanSpan | None) -> str:
        """As `charges` has it: what is known of the inside of Lambda's function segment or of its Invocation."""
        facts = self.facts
        own = facts[span.shape]
        invocation = own.invocation and parent is not None and facts[parent.shape].function
        if not own.function and not invocation:
            return ""
        inside = [facts[child.shape] for child in span.below or ()]
        if own.function and any(one.invocation for one in inside):
            return "invocation"
        if any(one.handles for one in inside):
            return "handler"
        return "calls" if any(not (own.function and one.phase) for one in inside) else ""

    def _number(self, charge: Charge) -> int:
        number = self._numbers.get(charge)
        if number is None:
            number = self._numbers[charge] = len(self.charges)
            self.charges.append(charge)
            self.is_call.append(charge.call is not None)
        return number


def _facts(span: Span) -> Facts:
    phase = span.name in PHASES and span.kind is SpanKind.INTERNAL
    invocation = phase and span.name == "Invocation"
    rank = OUTER.index(span.origin) if span.origin in OUTER else len(OUTER) if is_function_handler(span) else -1
    return Facts(
        span=span,
        rare=is_runtime_init(span)
        or (phase and span.name in ("Initialization", "Restore"))
        or span.provisional
        or span.attributes.get("lambda.timeout") is True,
        rank=rank,
        cold=span.attributes.get("faas.coldstart") is True,
        serves=span.kind in SERVES and span.origin is None,
        steps=span.kind is SpanKind.INTERNAL and span.origin is None,
        function=span.origin == FUNCTION,
        segment=span.origin in (SERVICE, FUNCTION),
        handles=is_function_handler(span) or span.kind is SpanKind.SERVER,
        invocation=invocation,
        phase=phase,
    )
