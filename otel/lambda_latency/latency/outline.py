"""What traces have in common: which spans are below which, and what kinds of spans these are, whatever their times.

A service has few kinds of requests: what follows from that alone is found out once for each of them and remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_latency.trace.platform import OUTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_latency.latency.places import Facts

__all__ = ["Hanging", "Moves", "Outline", "Outlines"]

MOST = 40_000  # spans in the outlines that are remembered: some 10 MB where all of them differ

Moves = tuple[tuple[int, int], ...]  # places of spans, and of those that they hang on instead of their parents


class Hanging(NamedTuple):
    """Who waits for whom, by places in the trace: `below` has those that hang on each span, None where there are none.

    `asked` are the spans whose charge does not follow from what they are and where they hang: for each the place of its
    parent, and what is known of its inside. `holding` is how many have others hanging on them, the top among them.
    """

    below: Sequence[list[int] | None]
    asked: Sequence[tuple[int, int, str]]
    holding: int


class Cast:
    """The spans of a trace by what they are, without their parents.

    Places of function segments, of what may be an init, of segments of Lambda's, of SERVER and CONSUMER spans.
    """

    __slots__ = (
        "cold",
        "facts",
        "functions",
        "has_phases",
        "inits",
        "ranked",
        "rare",
        "segments",
        "serving",
    )

    def __init__(self, kinds: Sequence[int], facts_of: Sequence[Facts]) -> None:
        facts = self.facts = [facts_of[kind] for kind in kinds]
        some = [facts_of[kind] for kind in set(kinds)]  # few, however long the trace is
        self.rare, self.cold = any(one.rare for one in some), any(one.cold for one in some)
        self.ranked = any(one.rank >= 0 for one in some)
        self.functions = [at for at, one in enumerate(facts) if one.function]
        self.has_phases = bool(self.functions) and any(one.phase for one in some)
        self.inits = [at for at, one in enumerate(facts) if one.init]
        self.segments = [at for at, one in enumerate(facts) if one.function or one.service]
        self.serving = [at for at, one in enumerate(facts) if one.serves]


class Outline:
    """One kind of trace, by places of spans in it: `above` is the parent of each, the number of spans if it has none.

    `usual`: the fast way knows how to account for it. `invocations` are, for each function segment with such, its
    Invocations and what else hangs on it, phases aside; `inits` are Lambda's own. The first to start of `segments`, and
    of `handlers`, are those that tell what the request was.
    """

    __slots__ = ("_cast", "_hanging", "above", "cold", "handlers", "inits", "invocations", "segments", "top", "usual")

    def __init__(self, cast: Cast, above: tuple[int, ...]) -> None:
        self._cast, self.above = cast, above
        self._hanging: dict[Moves, Hanging] = {}
        tops = above.count(len(above))
        self.top = above.index(len(above)) if tops else 0
        # Where there is an outer span, and the top is none, the request begins further in.
        self.usual = tops == 1 and not cast.rare and (not cast.ranked or cast.facts[self.top].rank >= 0)
        self.invocations = self._invocations() if cast.has_phases else []
        self.inits = [at for at in cast.inits if self._is_in_function(at)] if cast.inits else []
        self.cold = cast.cold or bool(self.inits)
        self.segments: Sequence[int] = cast.segments
        if len(cast.segments) > 1:
            self.segments = self._highest(cast.segments)
        self.handlers: Sequence[int] = cast.serving
        if len(cast.serving) > 1:
            self.handlers = self._highest([at for at in cast.serving if self._is_handler(at)] or cast.serving)

    def hanging(self, moves: Moves) -> Hanging:
        """Who waits for whom, where these spans move."""
        found = self._hanging.get(moves)
        if found is None:
            found = self._hanging[moves] = self._hang(moves)
        return found

    def _hang(self, moves: Moves) -> Hanging:
        facts, above = self._cast.facts, self.above
        where = above
        if moves:
            moved = dict(moves)
            where = tuple([moved.get(at, to) for at, to in enumerate(above)])
        below: list[list[int] | None] = [None] * (len(above) + 1)
        for at, to in enumerate(where):
            inside = below[to]
            if inside is None:
                below[to] = [at]
            else:
                inside.append(at)
        asked: list[tuple[int, int, str]] = []
        if self._cast.functions:
            asked += [(at, above[at], "") for at, _ in moves if not facts[at].function]
            holding = [*self._cast.functions, *(at for invocations, _ in self.invocations for at in invocations)]
            asked += [(at, above[at], self._holds(at, below[at] or ())) for at in holding]
        return Hanging(below, asked, len(above) - below.count(None) + (below[self.top] is None))

    def _holds(self, at: int, inside: Sequence[int]) -> str:
        """As `charges` has it: what is known of the inside of Lambda's function segment or of its Invocation."""
        facts = self._cast.facts
        function = facts[at].function
        if function and any(facts[one].invocation for one in inside):
            return "invocation"
        if any(facts[one].handles for one in inside):
            return "handler"
        return "calls" if any(not (function and facts[one].phase) for one in inside) else ""

    def _invocations(self) -> list[tuple[list[int], list[int]]]:
        found: dict[int, tuple[list[int], list[int]]] = {}
        for at, one in enumerate(self._cast.facts):
            if self._is_in_function(at):
                invocations, others = found.setdefault(self.above[at], ([], []))
                if one.invocation:
                    invocations.append(at)
                elif not one.phase:
                    others.append(at)
        return [one for one in found.values() if one[0]]

    def _is_in_function(self, at: int) -> bool:
        parent = self.above[at]
        return parent < len(self.above) and self._cast.facts[parent].function

    def _is_handler(self, at: int) -> bool:
        """As `Trace.handler`, of a SERVER or CONSUMER span: is it the function's own?"""
        above, facts = self.above, self._cast.facts
        parent = above[at]
        for _ in above:  # parents may go round in circles
            if parent == len(above) or not facts[parent].steps:
                break
            parent = above[parent]
        return parent < len(above) and (facts[parent].function or facts[parent].service)

    def _highest(self, several: Sequence[int]) -> Sequence[int]:
        """Those that no other of them is above of."""
        if len(several) < 2:
            return several
        places = [(self._depth(at), self._cast.facts[at].rank % (len(OUTER) + 1)) for at in several]
        return [at for at, place in zip(several, places, strict=True) if place == min(places)]

    def _depth(self, at: int) -> int:
        above, depth = self.above, 0
        parent = above[at]
        while parent < len(above) and depth < len(above):
            depth, parent = depth + 1, above[parent]
        return depth


class Outlines:
    """The outlines that were met, by the kinds of the spans and their parents. `facts` are those of each kind."""

    def __init__(self, facts: Sequence[Facts]) -> None:
        self._facts = facts
        self._known: dict[tuple[int, ...], tuple[Cast, dict[tuple[int, ...], Outline]]] = {}
        self._spans = 0

    def of(self, kinds: tuple[int, ...], above: tuple[int, ...]) -> Outline:
        """The outline of a trace with spans of these kinds below these places."""
        known = self._known.get(kinds)
        if known is None:
            known = self._known[kinds] = Cast(kinds, self._facts), {}
        cast, outlines = known
        found = outlines.get(above)
        if found is None:
            found = outlines[above] = Outline(cast, above)
            self._spans += len(above)
            if self._spans > MOST:  # what comes is unlike what came: nothing is lost but time
                self._spans = 0
                self._known.clear()
        return found
