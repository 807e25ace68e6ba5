"""Decides the conditions of a template: true, false, or undecided until the deployment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from lambda_latency.template.intrinsics import FUNCTIONS, VARIABLE, Intrinsics, called
from lambda_latency.template.node import Node

DYNAMIC = "{{resolve:"  # begins a dynamic reference, which only the deployment reads
LOGICAL = ("Equals", "Not", "And", "Or")


@dataclass(frozen=True, slots=True)
class Undecided:
    """A used condition that depends on something unknown. `why`: parameters by name, pseudo parameters, exports and
    dynamic references; `holds`: the value that is assumed; `todo`: the options that decide it, or empty.
    """

    name: str
    line: int
    holds: bool
    why: tuple[str, ...]
    todo: str = ""

    @property
    def what(self) -> str:
        """The observation as text."""
        unknown = f"{' and '.join(self.why)} {'is' if len(self.why) == 1 else 'are'} unknown"
        return f"condition {self.name} is undecided, because {unknown}: {str(self.holds).lower()} is assumed"

    def __str__(self) -> str:
        return f"{self.what} ({self.todo})" if self.todo else self.what


class Conditions:
    """The conditions of a template. `known` evaluates with the known values, `assumed` with placeholders for the
    others. Another stack passes the parameters `passed`, and decides conditions on `later`. `used` has the undecided
    conditions.
    """

    def __init__(
        self, root: Node, known: Intrinsics, assumed: Intrinsics, passed: Collection[str], later: Collection[str]
    ) -> None:
        self.used: dict[str, Undecided] = {}
        self._root, self._known, self._assumed = root, known, assumed
        self._passed, self._later = passed, later
        self._decided: dict[str, bool | None] = {}
        self._guessed: dict[str, bool] = {}

    def __call__(self, name: str) -> bool | None:
        """The value of a condition: the decided one, otherwise the assumed one; None if another stack decides it.

        What has no placeholder makes a condition true.
        """
        decided = self._decide(name)
        if decided is not None:
            return decided
        if name not in self.used:
            node = self._root.get("Conditions", name)
            why = tuple(dict.fromkeys(self._unknown(node, (name,)))) if node is not None else ()
            line = node.line if node is not None else 1
            options = (f"--parameter {one}=VALUE" for one in why if one.isalnum() and one not in self._passed)
            self.used[name] = Undecided(name, line, self._assume(name), why or ("its definition",), " ".join(options))
        one = self.used[name]
        return None if any(cause in self._later for cause in one.why) else one.holds

    def _decide(self, name: str) -> bool | None:
        if name not in self._decided:
            self._decided[name] = None  # a circular condition is undecided
            node = self._root.get("Conditions", name)
            self._decided[name] = _holds(node, self._known, self._decide) if node is not None else None
        return self._decided[name]

    def _assume(self, name: str) -> bool:
        if name not in self._guessed:
            self._guessed[name] = True
            node = self._root.get("Conditions", name)
            holds = _holds(node, self._assumed, self._assume) if node is not None else None
            self._guessed[name] = holds is not False
        return self._guessed[name]

    def _unknown(self, node: Node, seen: tuple[str, ...]) -> Iterator[str]:
        """What is unknown in an expression."""
        name, argument = called(node) or ("", node)
        if name == "Condition":
            other = str(argument.value)
            below = self._root.get("Conditions", other)
            if below is not None and other not in seen and self._decide(other) is None:
                yield from self._unknown(below, (*seen, other))
        elif name == "Ref":
            yield from self._without_value(str(argument.value))
        elif name and name not in (*FUNCTIONS, *LOGICAL):
            yield " ".join((f"Fn::{name}", *(one.text for one in argument.scalars())))
        else:
            text = argument.value if isinstance(argument.value, str) else ""
            if DYNAMIC in text:
                yield text
            own = argument.items[1].entries if name == "Sub" and len(argument.items) > 1 else ()
            template = argument.items[0].text if name == "Sub" and argument.items else text if name == "Sub" else ""
            for match in VARIABLE.finditer(template):
                if match[1].strip() not in [key.value for key, _ in own]:
                    yield from self._without_value(match[1].strip())
            for one in (*argument.items, *(value for _, value in argument.entries)):
                yield from self._unknown(one, seen)

    def _without_value(self, name: str) -> Iterator[str]:
        if name not in self._known.values:
            yield name


def _holds(node: Node, values: Intrinsics, named: Callable[[str], bool | None]) -> bool | None:
    """The value of an expression; `named` has the values of conditions."""
    name, argument = called(node) or ("", node)
    if name == "Condition":
        return named(str(argument.value))
    if name == "Equals":
        both = [values(one) for one in argument.items]
        is_known = len(both) == 2 and all(one.is_known and DYNAMIC not in one.text for one in both)
        return both[0].text == both[1].text if is_known else None
    parts = [_holds(one, values, named) for one in argument.items]
    if name == "Not":
        return None if len(parts) != 1 or parts[0] is None else not parts[0]
    if name == "And":
        return False if False in parts else None if None in parts else True
    if name == "Or":
        return True if True in parts else None if None in parts else False
    return None
