"""Gates: conditions that fail a report, such as `p95 > 800ms`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.part import BUCKETS
from lambda_latency.latency.accounts.totals import Tally, percentile
from lambda_latency.spelling import did_you_mean

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.baseline.against import Against
    from lambda_latency.latency.report import Report

EXAMPLES = "for example, 'p95 > 800ms', 'errors > 5%', 'share(external) > 60%', or with --against 'slower > 5%'"
UNTOLD = {  # the answers of a comparison that a percentage is not compared with
    "few": "Too few requests to compare with the baseline",
    "unsure": "The tail is slower, and no part is sure to be the cause",
    "disturbed": "Everything became slower alike, which is the machine; run it again",
}
EXPRESSION = re.compile(
    r"\s*(?P<what>\w+)\s*(?:\((?P<part>.*)\))?\s*(?P<sign>[<>]=?)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>\S*)\s*"
)
SIGNS = {">": "more than", ">=": "no less than", "<": "less than", "<=": "no more than"}
NANOSECONDS = {"ms": 1_000_000, "s": 1_000_000_000}
PERCENTILE = re.compile(r"p([1-9]\d?)")


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of a gate: the value in the gate's unit, whether it failed the gate, and a sentence for people.

    `unsure`: the traces cannot tell, for example because there is no request. `disturbed`: everything became slower
    alike, so that another run must tell. `route` and `part` are those that failed a comparison.
    """

    expression: str
    value: float
    failed: bool
    sentence: str
    unsure: bool = False
    disturbed: bool = False
    route: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition that fails a report. `what` is `p1` to `p99`, `max`, `errors`, `share` or `slower`.

    `sign` is `>`, `>=`, `<` or `<=`. `limit` is in the unit `unit`: `ms`, `s` or `%`. `bucket` and `name` select the
    part of a `share`; without a name, the whole bucket. `route` selects the requests; empty: all.
    """

    expression: str
    what: str
    sign: str
    limit: Fraction
    unit: str
    bucket: str = ""
    name: str = ""
    route: str = ""

    def judge(self, report: Report) -> Judged:
        """Evaluate the gate on a report. `slower` is 0 % without a baseline, and if the difference may be noise."""
        if self.what == "slower":
            return self._slower(report.against)
        totals = report.totals if not self.route else _of_route(report.accounts, self.route)
        if not totals.requests:
            sentence = f"No request of {self.route or 'any route'}: {self.expression} cannot be judged."
            return Judged(self.expression, 0.0, failed=False, sentence=sentence, unsure=True, route=self.route)
        value, subject = self._seen(totals)
        of = f" of {self.route}" if self.route else ""
        failed = self._fails(value)
        return Judged(self.expression, round(float(value), 6), failed, self._said(f"{subject}{of} is", value, failed))

    def _slower(self, against: Against | None) -> Judged:
        """Compare each route with its baseline: the slowest that exceeds the limit is named."""
        answer = against.answer if against is not None else ""
        if against is not None and answer == "shape" and any(one.is_doubled for one in against.by_route):
            answer = "unsure"
        if answer in UNTOLD:
            sentence = f"{UNTOLD[answer]}: {self.expression} cannot be judged."
            disturbed = answer == "disturbed"
            return Judged(
                self.expression, 0.0, failed=False, sentence=sentence, unsure=not disturbed, disturbed=disturbed
            )
        value = Fraction(against.slower_percent) if against is not None else Fraction()
        failed = self._fails(value)
        route = next((one for one in against.by_route if one.is_slower), None) if against is not None else None
        first = against.changed[0] if against is not None and against.changed else None
        if failed and route is None and first is not None and first.cell is not None and first.tested.fresh is not None:
            where, part = first.tested.fresh.routes[0], first.cell.label
            said = self._said(
                f"{where} is slower than the baseline (some requests, because of {part}) by", value, failed
            )
            return Judged(self.expression, round(float(value), 6), failed, said, route=where, part=part)
        if not failed or route is None:
            said = self._said("Requests are slower than the baseline's by", value, failed)
            return Judged(self.expression, round(float(value), 6), failed, said)
        cause = against.causes[0] if against is not None and against.causes else None
        cell = cause.cells[0] if cause is not None and cause.asserted else route.cell
        part = cell.label if cell is not None else ""
        what = "typically" if route.how == "typical" else "at p95"
        most = f" ({what}, because of {part})" if part else f" ({what})"
        said = self._said(f"{route.route} is slower than the baseline{most} by", value, failed)
        return Judged(self.expression, round(float(value), 6), failed, said, route=route.route, part=part)

    def _fails(self, value: Fraction) -> bool:
        signs = {">": value > self.limit, ">=": value >= self.limit, "<": value < self.limit, "<=": value <= self.limit}
        return signs[self.sign]

    def _said(self, subject: str, value: Fraction, failed: bool) -> str:
        whether = SIGNS[self.sign] if failed else f"not {SIGNS[self.sign]}"
        return f"{subject} {_shown(value, self.limit)} {self.unit}: {whether} {_number(self.limit)} {self.unit}."

    def _seen(self, totals: Tally) -> tuple[Fraction, str]:
        if self.what == "errors":
            return Fraction(100 * totals.errors, totals.requests or 1), "The share of failed requests"
        if self.what == "share":
            parts = totals.parts.items()
            ns = sum(one.total_ns for part, one in parts if self.bucket == part.bucket and self.name in ("", part.name))
            return Fraction(100 * ns, totals.wall_ns or 1), f"The share of {self.name or self.bucket}"
        every = PERCENTILE.fullmatch(self.what)
        wall_ns = percentile(totals.walls_ns, int(every[1])) if every is not None else max(totals.walls_ns, default=0)
        return Fraction(wall_ns, NANOSECONDS[self.unit]), f"The {self.what} of the wall clock"


def _of_route(accounts: Accounts, route: str) -> Tally:
    wanted = {number for kind, number in accounts.kinds.items() if kind.route == route}
    return Tally.of(accounts.take([at for at, kind in enumerate(accounts.kind_of) if kind in wanted]))


def read_gate(text: str) -> Gate:
    """Parse the expression of a gate. Raises `ValueError` with the mistake and the correct form."""
    found = EXPRESSION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a condition: write, {EXAMPLES}")
    what, part, unit = found["what"], found["part"], found["unit"]
    timed = PERCENTILE.fullmatch(what) is not None or what == "max"
    if not timed and what not in ("errors", "share", "slower"):
        usual = ("errors", "share", "slower", "max", "p50", "p95", "p99")
        hint = did_you_mean(what, usual, "known are p1 to p99, max, errors, share(...) and slower")
        raise ValueError(f"{text!r}: nothing is called {what!r}; {hint}")
    units = tuple(NANOSECONDS) if timed else ("%",)
    if unit not in units:
        raise ValueError(f"{text!r}: {what} is compared with a number of {' or '.join(units)}, got {unit or 'no unit'}")
    if (what == "share") and part is None:
        raise ValueError(f"{text!r}: a part in brackets goes with share, and share needs one, as in share(external)")
    if what != "share" and part is not None and part.split(" ")[0] in BUCKETS:
        raise ValueError(f"{text!r}: a part in brackets goes with share; {what} takes a route: {what}(POST /orders)")
    if what == "slower" and part is not None:
        raise ValueError(f"{text!r}: slower compares each route by itself, and takes none in brackets")
    part, _, route = (part or "").partition(",") if what == "share" else ("", "", part or "")
    bucket, name = _part(part, text) if what == "share" else ("", "")
    return Gate(text.strip(), what, found["sign"], Fraction(found["number"]), unit, bucket, name, route.strip())


def _part(text: str, expression: str) -> tuple[str, str]:
    """The bucket and the name in `external` or `external payments.example.com`. Raises `ValueError`."""
    wanted = " ".join(text.split())
    for bucket in BUCKETS:
        if wanted == bucket or wanted.startswith(f"{bucket} "):
            return bucket, wanted[len(bucket) + 1 :]
    hint = did_you_mean(wanted.partition(" ")[0], BUCKETS, f"buckets are {', '.join(BUCKETS)}")
    raise ValueError(f"{expression!r}: no bucket is called {wanted!r}; {hint}")


def _shown(value: Fraction, limit: Fraction) -> str:
    """The number with three significant digits; with more, up to three decimals, where fewer would hide its side."""
    whole = len(str(int(value))) if value >= 1 else 0
    for decimals in range(max(0, 3 - whole), 4):
        near = round(value, decimals)
        if (near > limit, near < limit) == (value > limit, value < limit):
            return _number(near)
    return _number(value)


def _number(value: Fraction) -> str:
    """The number with at most three decimals, without trailing zeros."""
    return f"{float(value):,.3f}".rstrip("0").rstrip(".")
