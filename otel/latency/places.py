"""What is known of shapes where they stand in a trace: asked of the rules once, remembered for all the traces after."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel.latency.calls import Calls
from otel.latency.charge import Charge, charge_of
from otel.latency.part import COLD_START
from otel.trace import Span, SpanKind
from otel.trace.platform import FUNCTION, OUTER, PHASES, SERVICE, is_function_handler, is_runtime_init
from otel.trace.request import function_of, is_error, route_of, status_code_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel.latency.accounts import Accounts
    from otel.trace.lean import LeanReader, LeanSpan

__all__ = ["INIT", "INVOCATION", "IS_COLD", "RANKED", "RARE", "SEGMENT", "SERVES", "Facts", "Places", "Told"]

RARE, IS_COLD, RANKED, INIT, SERVES, SEGMENT, INVOCATION = 1, 2, 4, 8, 16, 32, 64  # why a shape is noted
SERVING = (SpanKind.SERVER, SpanKind.CONSUMER)


class Facts(NamedTuple):
    """What an account asks of a span again and again, answered for its shape.

    `rare` is what only `account` knows to handle. `rank` is the place among outer spans: 0 is API Gateway's, 3 a
    function's handler, -1 none of them. `invocation`, `init` and `phase` are so by name: where they count, below a
    function segment, is for the caller to see.
    """

    span: Span
    rare: bool
    rank: int
    cold: bool
    serves: bool
    steps: bool
    init: bool
    function: bool
    segment: bool
    handles: bool
    invocation: bool
    phase: bool


class Told(NamedTuple):
    """What two or three spans of a request tell of it: numbers of route, function and status code, and an error."""

    columns: tuple[int, int, int]
    error: bool


class Places:
    """The facts of all shapes of a reader, and the charges of spans of these shapes below each other.

    What accounts tell of a charge is known by the numbers that it has in their columns.
    """

    def __init__(self, reader: LeanReader, accounts: Accounts) -> None:
        self._shapes, self._accounts = reader.shapes, accounts
        self._noted: list[int] = []
        self.facts: list[Facts] = []
        self.charges: list[Charge] = []
        self.parts: list[int] = []  # of each charge
        self.ranks: list[int] = []  # of each part: its place among all of them
        # By the shape and the charge of a span the charges of its children, by their shapes, as far as they are known.
        self.contexts: dict[tuple[int, int], dict[int, int]] = {}
        self.is_call: list[bool] = []
        self._numbers: dict[Charge, int] = {}
        self._told: dict[tuple[int, int, int], Told] = {}
        self._answers: dict[tuple[int, int, int, int, str], int] = {}
        self._kinds: dict[tuple[int, ...], int] = {}
        self.starting = self._number(Charge(COLD_START, None, foreign=False))

    def noted(self) -> list[int]:
        """By the number of a shape why an account looks at it twice, 0 if it does not. Brings the facts up to date."""
        for shape in self._shapes[len(self.facts) :]:
            self.facts.append(_facts(shape.span))
            one = self.facts[-1]
            why = RARE * one.rare | IS_COLD * one.cold | RANKED * (one.rank >= 0) | INIT * one.init
            why |= SERVES * one.serves | SEGMENT * one.segment | INVOCATION * one.invocation
            self._noted.append(why)
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

    def kind(self, how: tuple[int, ...]) -> int:
        """The number of some calls to one part: a charge and how many, another charge and how many, and so on."""
        kind = self._kinds.get(how)
        if kind is None:
            ones = [self.charges[charge].call for charge in how[::2]]
            several = [one * times for one, times in zip(ones, how[1::2], strict=True) if one is not None]
            kind = self._kinds[how] = self._accounts.kinds[sum(several, Calls())]
        return kind

    def _asked(self, span: LeanSpan, parent: LeanSpan | None, above: LeanSpan | None, outer: int) -> int:
        facts = self.facts
        own = facts[span.shape]
        holds = self._holds(span, parent) if own.function or own.invocation else ""
        key = (
            span.shape,
            -1 if parent is None else parent.shape,
            -1 if above is None else above.shape,
            outer,
            holds,
        )
        number = self._answers.get(key)
        if number is None:
            charge = charge_of(
                own.span,
                None if parent is None else facts[parent.shape].span,
                None if above is None else facts[above.shape].span,
                holds,
                self.charges[outer] if outer >= 0 else None,
            )
            number = self._answers[key] = self._number(charge)
        return number

    def told(self, top: LeanSpan, segment: LeanSpan | None, handler: LeanSpan | None) -> Told:
        """What the outermost span, Lambda's and the handler's tell of a request."""
        key = (top.shape, -1 if segment is None else segment.shape, -1 if handler is None else handler.shape)
        told = self._told.get(key)
        if told is None:
            outermost = self.facts[top.shape].span
            handled = None if handler is None else self.facts[handler.shape].span
            function = function_of(None if segment is None else self.facts[segment.shape].span, handled)
            accounts = self._accounts
            columns = (
                accounts.routes[route_of(outermost, handled, function)],
                accounts.functions[function],
                accounts.statuses[status_code_of(outermost, handled)],
            )
            told = self._told[key] = Told(columns, is_error(outermost, handled))
        return told

    def handler(self, serving: list[LeanSpan], ids: Mapping[str, LeanSpan]) -> LeanSpan | None:
        """As `Trace.handler`, of SERVER and CONSUMER spans: the function's own."""
        below = [span for span in serving if self._is_below_function(span, ids)]
        return self.highest(below or serving, ids)

    def _is_below_function(self, span: LeanSpan, ids: Mapping[str, LeanSpan]) -> bool:
        parent = ids.get(span.parent_id)
        while parent is not None and self.facts[parent.shape].steps:
            parent = ids.get(parent.parent_id)
        return parent is not None and self.facts[parent.shape].segment

    def highest(self, spans: Sequence[LeanSpan], ids: Mapping[str, LeanSpan]) -> LeanSpan | None:
        """The one that no other of them is above of."""
        if len(spans) < 2:
            return spans[0] if spans else None
        if len(spans) == 2 and spans[1].parent_id == spans[0].span_id:
            return spans[0]
        if len(spans) == 2 and spans[0].parent_id == spans[1].span_id:
            return spans[1]

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
        if not own.function and not (own.invocation and parent is not None and facts[parent.shape].function):
            return ""
        holds = ""
        for child in span.below or ():
            one = facts[child.shape]
            if own.function and one.invocation:
                return "invocation"
            if one.handles:
                holds = "handler"
            elif not holds and not (own.function and one.phase):
                holds = "calls"
        return holds

    def _number(self, charge: Charge) -> int:
        number = self._numbers.get(charge)
        if number is None:
            number = self._numbers[charge] = len(self.charges)
            self.charges.append(charge)
            self.is_call.append(charge.call is not None)
            parts = self._accounts.parts
            self.parts.append(parts[charge.part])
            if len(parts) > len(self.ranks):
                order = sorted(parts)
                self.ranks = [order.index(part) for part in parts]
        return number


def _facts(span: Span) -> Facts:
    phase = span.name in PHASES and span.kind is SpanKind.INTERNAL
    invocation = phase and span.name == "Invocation"
    rank = OUTER.index(span.origin) if span.origin in OUTER else len(OUTER) if is_function_handler(span) else -1
    return Facts(
        span=span,
        rare=is_runtime_init(span) or span.provisional or span.attributes.get("lambda.timeout") is True,
        rank=rank,
        cold=span.attributes.get("faas.coldstart") is True,
        serves=span.kind in SERVING and span.origin is None,
        steps=span.kind is SpanKind.INTERNAL and span.origin is None,
        init=phase and span.name in ("Initialization", "Restore"),
        function=span.origin == FUNCTION,
        segment=span.origin in (SERVICE, FUNCTION),
        handles=is_function_handler(span) or span.kind is SpanKind.SERVER,
        invocation=invocation,
        phase=phase,
    )
