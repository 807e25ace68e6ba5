"""What is known of shapes where they stand in a trace: asked of the rules once, remembered for all the traces after."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.latency.charge import Charge, charge_of
from lambda_latency.latency.kind import Kind
from lambda_latency.latency.outline import Outlines
from lambda_latency.latency.part import COLD_START
from lambda_latency.trace import Span, SpanKind
from lambda_latency.trace.platform import FUNCTION, OUTER, PHASES, SERVICE, is_function_handler, is_runtime_init
from lambda_latency.trace.request import function_of, is_error, route_of, status_code_of

if TYPE_CHECKING:
    from lambda_latency.latency.accounts import Accounts
    from lambda_latency.trace.lean import LeanReader

__all__ = ["Facts", "Key", "Places"]

# A shape; where that is not all that counts, also the parent's (-1: none), and what is known of the span's inside.
Key = int | tuple[int, int, str]
SERVING = (SpanKind.SERVER, SpanKind.CONSUMER)


class Facts(NamedTuple):
    """What an account asks of a span again and again: the same for many shapes.

    `rare` is what only `account` knows to handle. `rank` is the place among outer spans: 0 is API Gateway's, 3 a
    function's handler, -1 none of them; a cold start lies inside of what is `outer`. `invocation`, `init` and `phase`
    are so by name: where they count, below a function segment, is for the caller to see.
    """

    rare: bool
    rank: int
    cold: bool
    serves: bool
    steps: bool
    init: bool
    function: bool
    service: bool
    outer: bool
    handles: bool
    invocation: bool
    phase: bool


class Places:
    """The facts of all shapes of a reader, and the charges of spans of these shapes below each other.

    What accounts tell of a charge is known by the numbers that it has in their columns.
    """

    def __init__(self, reader: LeanReader, accounts: Accounts) -> None:
        self._shapes, self._accounts = reader.shapes, accounts
        numbers: dict[Facts, int] = {}
        self.kinds = [numbers.setdefault(_facts(shape.span), len(numbers)) for shape in reader.shapes]  # of each shape
        self.facts = list(numbers)  # of each kind
        self.outlines = Outlines(self.facts)
        self.charges: list[Charge] = []
        self.parts: list[int] = []  # of each charge
        self.calls: list[int | None] = []  # of each charge what a call counts for, if it is one
        # By the charge and the shape of a span the charges of those that it waits for, as far as they are known.
        self.contexts: list[defaultdict[int, dict[Key, int]]] = []
        self._tops: dict[Key, int] = {}
        self._numbers: dict[Charge, int] = {}
        self._requests: dict[tuple[int, int, int, bool], int] = {}
        self.starting = self._number(Charge(COLD_START, None, foreign=False))

    def outermost(self, key: Key) -> int:
        """The number of the charge of a request's outermost span."""
        number = self._tops.get(key)
        if number is None:
            shape, _, holds = (key, -1, "") if isinstance(key, int) else key
            charge = charge_of(self._shapes[shape].span, None, None, holds, None)
            number = self._tops[key] = self._number(charge)
        return number

    def charge(self, key: Key, above: int, outer: int) -> int:
        """The number of the charge of a span below one of the shape `above` that waits for it, charged to `outer`."""
        shape, parent, holds = (key, above, "") if isinstance(key, int) else key
        span, its, waits = (self._shapes[one].span for one in (shape, parent, above))
        return self._number(charge_of(span, its, waits, holds, self.charges[outer]))

    def request(self, top: int, segment: int, handler: int, cold: bool) -> int:
        """The number of a request's kind, by the shapes of its outermost span, Lambda's, the handler's (-1: none)."""
        key = (top, segment, handler, cold)
        number = self._requests.get(key)
        if number is None:
            outermost = self._shapes[top].span
            segmented, handled = (self._shapes[shape].span if shape >= 0 else None for shape in (segment, handler))
            function = function_of(segmented, handled)
            kind = Kind(
                route_of(outermost, handled, function),
                function,
                status_code_of(outermost, handled),
                cold_start=cold,
                error=is_error(outermost, handled),
                timed_out=False,
            )
            number = self._requests[key] = self._accounts.kinds[kind]
        return number

    def _number(self, charge: Charge) -> int:
        number = self._numbers.get(charge)
        if number is None:
            number = self._numbers[charge] = len(self.charges)
            self.charges.append(charge)
            self.contexts.append(defaultdict(dict))
            self.parts.append(self._accounts.parts[charge.part])
            call = charge.call
            self.calls.append(None if call is None else self._accounts.calls[charge.part, call])
        return number


def _facts(span: Span) -> Facts:
    phase = span.name in PHASES and span.kind is SpanKind.INTERNAL
    rank = OUTER.index(span.origin) if span.origin in OUTER else len(OUTER) if is_function_handler(span) else -1
    return Facts(
        rare=is_runtime_init(span) or span.provisional or span.attributes.get("lambda.timeout") is True,
        rank=rank,
        cold=span.attributes.get("faas.coldstart") is True,
        serves=span.kind in SERVING and span.origin is None,
        steps=span.kind is SpanKind.INTERNAL and span.origin is None,
        init=phase and span.name in ("Initialization", "Restore"),
        function=span.origin == FUNCTION,
        service=span.origin == SERVICE,
        outer=span.origin is not None and span.origin != FUNCTION,
        handles=is_function_handler(span) or span.kind is SpanKind.SERVER,
        invocation=phase and span.name == "Invocation",
        phase=phase,
    )
