"""Gates: conditions that fail a report, such as `p95 > 800ms`. `CONDITIONS` has all that can be compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from lambda_latency.latency.breakdowns.component import CATEGORIES
from lambda_latency.latency.breakdowns.totals import Tally, percentile
from lambda_latency.latency.report import Report
from lambda_latency.spelling import did_you_mean

# The answers of a comparison that a percentage is not compared with
UNDECIDED = {
    "few": "Too few requests to compare with the baseline",
    "unsure": "The tail is slower, and no part is sure to be the cause",
    "disturbed": "Everything became slower alike, which is the machine; run it again",
}
EXPRESSION = re.compile(
    r"\s*(?P<value>\w+)\s*(?:\((?P<brackets>.*)\))?\s*(?P<sign>[<>]=?)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>\S*)\s*"
)
SIGNS = {">": "more than", ">=": "no less than", "<": "less than", "<=": "no more than"}
NANOSECONDS = {"ms": 1_000_000, "s": 1_000_000_000}
TIMES = tuple(NANOSECONDS)
PERCENT = ("%",)
PERCENTILE = re.compile(r"p([1-9]\d?)")
PERCENTILES = "p1 to p99"
SLOWER = "Requests are slower than the baseline's by"


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of a gate: the value in the gate's unit, whether it failed the gate, and a sentence for people.

    `unsure`: the traces cannot tell, for example because there is no request. `disturbed`: everything became slower
    alike, so that another run must tell. `route` and `part` are those that failed a comparison.
    """

    expression: str
    value: float
    failed: bool
    unsure: bool
    disturbed: bool
    route: str
    part: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Gate:
    """An expression of `--fail-if`. `value` is what it compares, such as `p95`: that of its `condition`.

    `sign` is `>`, `>=`, `<` or `<=`. `limit` is in the unit `unit`: `ms`, `s` or `%`. `bucket` and `name` select the
    part of a `share`; without a name, the whole bucket. `route` selects the requests; empty: all.
    """

    expression: str
    condition: Condition
    value: str
    sign: str
    limit: Fraction
    unit: str
    bucket: str = ""
    name: str = ""
    route: str = ""

    def judge(self, subject: Any) -> Judged:
        """Evaluate the gate on what its condition is about: a report, or a comparison of counts."""
        return self.condition.judge(self, subject)

    def is_met(self, value: Fraction) -> bool:
        """Return whether a value meets the condition, so that the report fails."""
        signs = {">": value > self.limit, ">=": value >= self.limit, "<": value < self.limit, "<=": value <= self.limit}
        return signs[self.sign]

    def judged(self, value: Fraction, subject: str, route: str = "", component: str = "") -> Judged:
        """Return the result for a value in the gate's unit. `subject` begins its sentence, up to the verb."""
        failed = self.is_met(value)
        relation = SIGNS[self.sign] if failed else f"not {SIGNS[self.sign]}"
        unit = f" {self.unit}" if self.unit else ""
        sentence = f"{subject} {_shown(value, self.limit)}{unit}: {relation} {_number(self.limit)}{unit}."
        return Judged(self.expression, round(float(value), 6), failed, False, False, route, component, sentence)

    def undecided(self, reason: str, *, disturbed: bool = False, route: str = "") -> Judged:
        """Return the result if the report has no value for a reason."""
        sentence = f"{reason}: {self.expression} cannot be judged."
        return Judged(self.expression, 0.0, False, not disturbed, disturbed, route, "", sentence)


class Condition(NamedTuple):
    """Something that a gate compares with a limit of one of these units; `means` is its line of the how-to.

    `example` is for help and errors. `brackets`: what may stand behind the name, a `route`, a `part` (which is needed)
    or nothing. `needs_baseline`: it compares with `--against`.
    """

    name: str
    units: tuple[str, ...]
    means: str
    judge: Callable[[Gate, Any], Judged]
    example: str = ""
    brackets: str = "route"
    needs_baseline: bool = False


def _of_requests(measure: Callable[[Gate, Tally], tuple[Fraction, str]]) -> Callable[[Gate, Report], Judged]:
    """Judge the gate's requests: `measure` returns a value of their totals, and its name."""

    def judge(gate: Gate, report: Report) -> Judged:
        totals, breakdowns = report.totals, report.breakdowns
        if gate.route:
            of_route = breakdowns.of_kind(lambda kind: kind.route == gate.route)
            totals = Tally.from_breakdowns(breakdowns.take(of_route))
        if not totals.requests:
            return gate.undecided(f"No request of {gate.route or 'any route'}", route=gate.route)
        value, name = measure(gate, totals)
        return gate.judged(value, f"{name} of {gate.route} is" if gate.route else f"{name} is")

    return judge


@_of_requests
def _wall_clock(gate: Gate, totals: Tally) -> tuple[Fraction, str]:
    rank = PERCENTILE.fullmatch(gate.value)
    wall_ns = percentile(totals.walls_ns, int(rank[1])) if rank is not None else max(totals.walls_ns)
    return Fraction(wall_ns, NANOSECONDS[gate.unit]), f"The {gate.value} of the wall clock"


@_of_requests
def _errors(_: Gate, totals: Tally) -> tuple[Fraction, str]:
    return Fraction(100 * totals.errors, totals.requests), "The share of failed requests"


@_of_requests
def _share(gate: Gate, totals: Tally) -> tuple[Fraction, str]:
    components = [
        component
        for component in totals.components
        if component.category == gate.bucket and gate.name in ("", component.name)
    ]
    ns = sum(totals.components[component].total_ns for component in components)
    return Fraction(100 * ns, totals.wall_ns or 1), f"The share of {gate.name or gate.bucket}"


def _slower(gate: Gate, report: Report) -> Judged:
    """Compare the decision's percentage, and name its measure. Noise is 0 %."""
    if report.against is None:
        return gate.judged(Fraction(), SLOWER)
    decision = report.against.decision
    answer = "unsure" if decision.doubled else decision.answer
    if answer in UNDECIDED:
        return gate.undecided(UNDECIDED[answer], disturbed=answer == "disturbed")
    slowdown, component = decision.slowdown, decision.edge.label if decision.edge is not None else ""
    value = Fraction(slowdown.percent)
    if value <= 0:
        return gate.judged(value, SLOWER)
    because = f", {'because of' if decision.is_cause else 'most of it in'} {component}" if component else ""
    subject = f"{slowdown.subject} are slower than the baseline ({slowdown.statistic}{because}) by"
    failed = gate.is_met(value)
    return gate.judged(value, subject, slowdown.route if failed else "", component if failed else "")


CONDITIONS = (
    Condition(PERCENTILES, TIMES, "a percentile of the wall clock", _wall_clock, "p95 > 800ms"),
    Condition("max", TIMES, "the maximum of the wall clock", _wall_clock),
    Condition("errors", PERCENT, "the share of requests that failed", _errors, "errors > 5%"),
    Condition(
        "share(...)",
        PERCENT,
        "a part's share of all time: `share(external)` or `share(external payments.example.com)`",
        _share,
        "share(external) > 60%",
        brackets="part",
    ),
    Condition(
        "slower",
        PERCENT,
        "by how much requests became slower, the largest of: the median or p95 of a route, the mean of all requests, "
        "that of the routes of a new or grown group of slow requests, that of the requests that wait for a slower "
        "part; 0 % where the difference may be noise",
        _slower,
        "slower > 5%",
        brackets="",
        needs_baseline=True,
    ),
)


def examples(conditions: Sequence[Condition] = CONDITIONS) -> str:
    """Examples of conditions, those that need a baseline last."""
    plain = [repr(condition.example) for condition in conditions if condition.example and not condition.needs_baseline]
    compared = [repr(condition.example) for condition in conditions if condition.example and condition.needs_baseline]
    return ", or with --against ".join(", ".join(group) for group in (plain, compared) if group)


def read_gate(text: str, conditions: Sequence[Condition] = CONDITIONS) -> Gate:
    """Parse the expression of a gate on one of these conditions. Raises `ValueError` with the mistake and the form."""
    expression = EXPRESSION.fullmatch(text)
    if expression is None:
        raise ValueError(f"{text!r} is not a condition: write, for example, {examples(conditions)}")
    value, unit = expression["value"], expression["unit"]
    name = PERCENTILES if PERCENTILE.fullmatch(value) else value
    condition = next((condition for condition in conditions if condition.name.removesuffix("(...)") == name), None)
    if condition is None:
        raise ValueError(f"{text!r}: nothing is called {value!r}; {_hint(value, conditions)}")
    if unit not in condition.units:
        units = f"a number of {' or '.join(condition.units)}" if any(condition.units) else "a number alone"
        raise ValueError(f"{text!r}: {value} is compared with {units}, got {unit or 'no unit'}")
    category, component, route = _brackets(condition, expression["brackets"], value, text)
    limit = Fraction(expression["number"])
    return Gate(text.strip(), condition, value, expression["sign"], limit, unit, category, component, route)


def _hint(value: str, conditions: Sequence[Condition]) -> str:
    *names, final_name = [condition.name for condition in conditions]
    comparable = [name.removesuffix("(...)") for name in (*names, final_name) if name != PERCENTILES]
    percentiles = ("p50", "p95", "p99") if PERCENTILES in names else ()
    return did_you_mean(value, (*comparable, *percentiles), f"known are {', '.join(names)} and {final_name}")


def _brackets(condition: Condition, brackets: str | None, value: str, expression: str) -> tuple[str, str, str]:
    """Return the bucket, the name of the part, and the route in the brackets behind a value. Raises `ValueError`."""
    if condition.brackets == "part":
        if brackets is None:
            raise ValueError(
                f"{expression!r}: a part in brackets goes with share, and share needs one, as in share(external)"
            )
        component, _, route = brackets.partition(",")
        return (*_component(component, expression), route.strip())
    if brackets is None:
        return "", "", ""
    if brackets.split(" ")[0] in CATEGORIES:
        raise ValueError(
            f"{expression!r}: a part in brackets goes with share; {value} takes a route: {value}(POST /orders)"
        )
    if not condition.brackets:
        raise ValueError(f"{expression!r}: {value} compares each route by itself, and takes none in brackets")
    return "", "", brackets.strip()


def _component(text: str, expression: str) -> tuple[str, str]:
    """Return the bucket and the name in `external` or `external payments.example.com`. Raises `ValueError`."""
    text = " ".join(text.split())
    for category in CATEGORIES:
        if text == category or text.startswith(f"{category} "):
            return category, text[len(category) + 1 :]
    hint = did_you_mean(text.partition(" ")[0], CATEGORIES, f"buckets are {', '.join(CATEGORIES)}")
    raise ValueError(f"{expression!r}: no bucket is called {text!r}; {hint}")


def _shown(value: Fraction, limit: Fraction) -> str:
    """Return the number with three significant digits, or more (up to three decimals) if they hide its side."""
    whole = len(str(int(value))) if value >= 1 else 0
    for decimals in range(max(0, 3 - whole), 4):
        near = round(value, decimals)
        if (near > limit, near < limit) == (value > limit, value < limit):
            return _number(near)
    return _number(value)


def _number(value: Fraction) -> str:
    """Return the number with at most three decimals, without trailing zeros."""
    return f"{float(value):,.3f}".rstrip("0").rstrip(".")
