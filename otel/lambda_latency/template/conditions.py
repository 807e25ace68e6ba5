"""Decides the conditions of a template: true, false, or undecided until the deployment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from lambda_latency.template.intrinsics import FUNCTIONS, Intrinsics, called, variables_of
from lambda_latency.template.node import YamlNode

# Begins a dynamic reference, which only the deployment reads
DYNAMIC = "{{resolve:"
LOGICAL = ("Equals", "Not", "And", "Or")
NEGATED: Mapping[tuple[bool | None, ...], bool] = {(True,): False, (False,): True}


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
    def problem(self) -> str:
        """The observation as text."""
        unknown = f"{' and '.join(self.why)} {'is' if len(self.why) == 1 else 'are'} unknown"
        return f"condition {self.name} is undecided, because {unknown}: {str(self.holds).lower()} is assumed"

    def __str__(self) -> str:
        return f"{self.problem} ({self.todo})" if self.todo else self.problem


class Conditions:
    """The conditions of a template. `known` evaluates with the known values, `assumed` with placeholders for the
    others. Another stack passes the parameters `passed`, and decides conditions on `later`. `used` has the undecided
    conditions.
    """

    def __init__(
        self, root: YamlNode, known: Intrinsics, assumed: Intrinsics, passed: Collection[str], later: Collection[str]
    ) -> None:
        self.used: dict[str, Undecided] = {}
        self._root, self._known, self._assumed = root, known, assumed
        self._passed, self._later = passed, frozenset(later)
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
            self.used[name] = self._undecided(name)
        undecided = self.used[name]
        return undecided.holds if self._later.isdisjoint(undecided.why) else None

    def _undecided(self, name: str) -> Undecided:
        node = self._root.get("Conditions", name)
        why = tuple(dict.fromkeys(self._unknown(node, (name,)))) if node is not None else ()
        options = (f"--parameter {cause}=VALUE" for cause in why if cause.isalnum() and cause not in self._passed)
        line = node.line if node is not None else 1
        return Undecided(name, line, self._assume(name), why or ("its definition",), " ".join(options))

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

    def _unknown(self, node: YamlNode, visited: tuple[str, ...]) -> Iterator[str]:
        """Yields the names of what is unknown in an expression."""
        name, argument = called(node) or ("", node)
        if name == "Condition":
            condition = str(argument.value)
            below = self._root.get("Conditions", condition)
            if below is not None and condition not in visited and self._decide(condition) is None:
                yield from self._unknown(below, (*visited, condition))
        elif name == "Ref":
            yield from self._without_value(str(argument.value))
        elif name and name not in (*FUNCTIONS, *LOGICAL):
            yield " ".join((f"Fn::{name}", *(scalar.text for scalar in argument.scalars())))
        else:
            text = argument.value if isinstance(argument.value, str) else ""
            if DYNAMIC in text:
                yield text
            for variable in variables_of(argument) if name == "Sub" else ():
                yield from self._without_value(variable)
            for part in (*argument.items, *(value for _, value in argument.entries)):
                yield from self._unknown(part, visited)

    def _without_value(self, name: str) -> Iterator[str]:
        if name not in self._known.values:
            yield name


def _holds(node: YamlNode, values: Intrinsics, named: Callable[[str], bool | None]) -> bool | None:
    """The value of an expression; `named` has the values of conditions."""
    name, argument = called(node) or ("", node)
    decisive = {"And": False, "Or": True}.get(name)  # the value of a part that decides the whole
    if name == "Condition":
        return named(str(argument.value))
    if name == "Equals":
        return _are_equal([values(operand) for operand in argument.items])
    parts = [_holds(part, values, named) for part in argument.items]
    if name == "Not":
        return NEGATED.get(tuple(parts))
    if decisive is None or decisive in parts:
        return decisive
    return None if None in parts else not decisive


def _are_equal(operands: list[YamlNode]) -> bool | None:
    if len(operands) != 2 or not all(node.is_known and DYNAMIC not in node.text for node in operands):
        return None
    return operands[0].text == operands[1].text
